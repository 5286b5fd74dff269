"""A task as text that a person can edit, and back: title, prompt, then lines with the rest.

    Add a parser

    Write `parser.py`.

    accept: It parses
    after: T001, T002
    check: make unit
    limit: turns 20, cost 1.5, seconds 600, tokens 90000

Only the last block of such lines counts: one in the middle of the prompt belongs to the prompt.
"""

from obra_tui.core.errors import PlanError
from obra_tui.core.model import TaskSpec
from obra_tui.core.plans.fields import LIMITS, TaskFields, fields_of
from obra_tui.core.plans.merge import Difference

_HEADS = ("accept:", "after:", "check:", "limit:")


def task_text(spec: TaskSpec) -> str:
    """Return the title, the prompt, then one line for each of the rest."""
    fields = fields_of(spec)
    return text_of(fields)


def changed_lines(difference: Difference) -> list[str]:
    """Return what is different between a task of the plan and of its file, as the lines of a diff."""
    from difflib import unified_diff  # seldom needed

    before = task_text(difference.mine).splitlines() if difference.mine is not None else []
    after = task_text(difference.theirs).splitlines() if difference.theirs is not None else []
    there = "in the file" if difference.theirs is not None else "gone from the file"
    patch = unified_diff(before, after, "here", there, lineterm="", n=99)
    return [line for line in patch if not line.startswith("@@")]


def text_of(fields: TaskFields) -> str:
    """Return the text of what stands in a form now."""
    accept = fields.acceptance.strip("\n").split("\n") if fields.acceptance.strip() else []
    tail = [line if line.startswith((" ", "\t")) else f"accept: {line}" for line in accept if line.strip()]
    tail += [f"after: {fields.after.strip()}"] if fields.after.strip() else []
    tail += [f"check: {line.strip()}" for line in fields.checks.split("\n") if line.strip()]
    limits = [f"{name} {getattr(fields, name).strip()}" for name in LIMITS if getattr(fields, name).strip()]
    tail += [f"limit: {', '.join(limits)}"] if limits else []
    return "\n".join([fields.title, "", fields.prompt, *(["", *tail] if tail else [])])


def fields_in(text: str) -> TaskFields:
    """Return what a text says, right or wrong; the key is not in it."""
    title, _, rest = text.strip().partition("\n")
    lines = rest.rstrip().split("\n")
    start = _tail_start(lines)
    said: dict[str, list[str]] = {head: [] for head in _HEADS}
    for line in lines[start:]:
        head = next((head for head in _HEADS if line.lower().startswith(head)), "")
        if head:
            said[head].append(line[len(head) :].strip())
        elif line.strip():
            said["accept:"].append(line.rstrip())
    limits = _limits(", ".join(said["limit:"]))
    return TaskFields(
        title=title.strip(),
        prompt="\n".join(lines[:start]).strip(),
        acceptance="\n".join(said["accept:"]),
        after=", ".join(said["after:"]),
        checks="\n".join(said["check:"]),
        turns=limits.get("turns", ""),
        cost=limits.get("cost", ""),
        seconds=limits.get("seconds", ""),
        tokens=limits.get("tokens", ""),
    )


def _tail_start(lines: list[str]) -> int:
    """Where the lines with heads begin: the last block of them, criteria that go on included."""
    start = place = len(lines)
    while place > 0:
        line = lines[place - 1]
        if line.lower().startswith(_HEADS):
            start = place - 1
        elif (start < len(lines)) if not line.strip() else not line.startswith((" ", "\t")):
            return start
        place -= 1
    return start


def _limits(text: str) -> dict[str, str]:
    """Raises `PlanError` for a limit that there is not."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.replace("=", " ").partition(" ")
        if name not in LIMITS:
            raise PlanError(f"There is no limit '{name}'.", fix=f"There are: {', '.join(LIMITS)}.")
        found[name] = value.strip()
    return found
