"""Where the tasks of a session come from: a file with one of the usual names, or what a person typed.

Pure: whether a file is there, and what is in it, is read elsewhere.
"""

import textwrap

from obra_tui.core.errors import PlanError
from obra_tui.core.ids import new_task_id
from obra_tui.core.model import Plan, TaskSpec

USUAL_FILES = ("tasks.md", "TODO.md", "PRD.md", "plan.md", "plan.toml", "issues.json")
"""Names in the project's folder, the likeliest first: `obra run` without a plan takes the first that is there."""

USUAL_PATTERNS = ("specs/*/tasks.md", ".specify/specs/*/tasks.md", "docs/tasks.md", "docs/TODO.md", "docs/PRD.md")
"""Other places from the project's folder: the app offers them beside the usual names."""

_TITLE_LENGTH = 100


def typed_task(text: str) -> TaskSpec:
    """Return a task made of what a person typed: the first line is its title, the rest its prompt.

    A first line that is too long for a title is cut there, and the prompt is the whole text. Raises `PlanError`
    for an empty text.
    """
    first, _, rest = text.strip().partition("\n")
    if not first:
        raise PlanError("The task is empty.", fix="Say in a sentence what is to be done.")
    title, prompt = first.strip(), rest.strip()
    if len(title) > _TITLE_LENGTH:
        title, prompt = _shortened(title), text.strip()
    return TaskSpec(id=new_task_id(), key="T001", title=title, prompt=prompt, source="typed")


def single_task_plan(text: str) -> Plan:
    """Return a plan of one typed task. Raises `PlanError` for an empty text."""
    task = typed_task(text)
    return Plan(title=task.title, tasks=(task,))


def _shortened(title: str) -> str:
    """Cut between words, or within the first word when that alone is too long."""
    short = textwrap.shorten(title, _TITLE_LENGTH, placeholder=" …")
    return short if short != "…" else f"{title[: _TITLE_LENGTH - 1]}…"
