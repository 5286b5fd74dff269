"""A task as text that a person can edit, and back: title, prompt, criteria and dependencies."""

from dataclasses import replace

from obra_tui.core.errors import PlanError
from obra_tui.core.model import TaskSpec

_ACCEPT, _AFTER = "accept:", "after:"


def task_text(spec: TaskSpec) -> str:
    """Return the title, the prompt, then one `accept:` line per criterion and one `after:` line."""
    tail = [f"{_ACCEPT} {' '.join(item.split())}" for item in spec.acceptance]
    tail += [f"{_AFTER} {', '.join(spec.depends_on)}"] if spec.depends_on else []
    return "\n".join(part for part in (spec.title, "", spec.prompt, "" if tail else None, *tail) if part is not None)


def read_task(text: str, spec: TaskSpec) -> TaskSpec:
    """Return `spec` as the text says it. Raises `PlanError` when there is no title."""
    title, _, rest = text.strip().partition("\n")
    if not title.strip():
        raise PlanError(f"{spec.key} has no title.", fix="Write what is to be done in the first line.")
    lines = rest.split("\n")
    accept = tuple(line[len(_ACCEPT) :].strip() for line in lines if line.startswith(_ACCEPT))
    after = [key.strip() for line in lines if line.startswith(_AFTER) for key in line[len(_AFTER) :].split(",")]
    prompt = "\n".join(line for line in lines if not line.startswith((_ACCEPT, _AFTER))).strip()
    return replace(
        spec,
        title=title.strip(),
        prompt=prompt or title.strip(),
        acceptance=tuple(item for item in accept if item),
        depends_on=tuple(key for key in after if key),
    )
