"""Plans as people write them: a Markdown checklist or a TOML file becomes a `Plan`.

Markdown: every open checkbox is a task. What is indented under it belongs to it: bullets are
acceptance criteria, everything else goes into the prompt as it is.

    # Title of the plan
    - [ ] T001 Add a parser (after: T000)
      Text for the prompt; fenced code is kept as it is.
      - a criterion of acceptance
      - after: T000
    - [x] done before: left out, and what depends on it need not wait

A spec-kit `tasks.md` is such a list with `## Phase …` headings and the tags `[P]` and `[US1]`: a task without
`[P]` waits for those before it in its phase, one with `[P]` only for the last one without it, and every phase waits
for the one before. What the person wrote as a dependency counts beside it.

The id is a leading `T001`, a bold `**name-1**` or a comment `<!-- id: name-1 -->`; a task
without one gets `T` and its place in the list. A nested checkbox is a criterion, unless it
has an id: then it is a task.

TOML: `title`, then `[[tasks]]` with `id`, `title`, `prompt`, `acceptance`, `depends_on`, `checks`
(command lines or tables like those in the settings) and a `[tasks.budget]`.

Text in, values out; who reads the file turns a fault of the disk into a `PlanError` too.
"""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal

from obra_tui.core.errors import PlanError
from obra_tui.core.model import Plan, TaskSpec
from obra_tui.core.plans.blocks import Skipped
from obra_tui.core.plans.draft import Draft, at
from obra_tui.core.plans.markdown import read_markdown
from obra_tui.core.plans.toml import read_toml
from obra_tui.core.text import closest_match

PlanFormat = Literal["markdown", "toml"]


def format_of(name: str) -> PlanFormat:
    """Return the format that the name of a file stands for; everything but `.toml` is read as Markdown."""
    return "toml" if PurePath(name).suffix.lower() == ".toml" else "markdown"


def parse_plan(text: str, source: str, fmt: PlanFormat) -> Plan:
    """Return the open tasks of `text`, each after those that it depends on.

    `source` is the name for errors and for `TaskSpec.source`. Raises `PlanError`.
    """
    normal = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    title, drafts, skipped = (*read_toml(normal, source), ()) if fmt == "toml" else read_markdown(normal, source)
    _name(drafts, source)
    _order_phases(drafts)
    _refuse_unknown_dependencies(drafts, source)
    tasks = tuple(draft.task(source, drafts) for draft in drafts if not draft.done)
    if not tasks:
        raise _empty(bool(drafts), source, fmt, notes_of(skipped, source))
    notes = notes_of(skipped, source)
    return Plan(title=title or PurePath(source).stem, tasks=order(tasks), source=source, notes=notes)


def order(tasks: Sequence[TaskSpec]) -> tuple[TaskSpec, ...]:
    """Return the tasks with each after those it depends on, else as they were.

    A dependency that is none of `tasks` is taken for done. Raises `PlanError` for a cycle.
    """
    keys = {task.key for task in tasks}
    waiting = {task.key: {key for key in task.depends_on if key in keys} for task in tasks}
    left, result = list(tasks), []
    while left:
        ready = next((task for task in left if not waiting[task.key]), None)
        if ready is None:
            raise _cycle(left)
        left.remove(ready)
        result.append(ready)
        for needs in waiting.values():
            needs.discard(ready.key)
    return tuple(result)


def _cycle(tasks: Sequence[TaskSpec]) -> PlanError:
    """Every one of `tasks` waits for another one of them, so that following any leads into a circle."""
    by_key = {task.key: task for task in tasks}
    path = [tasks[0].key]
    while path.count(path[-1]) < 2:
        path.append(next(key for key in by_key[path[-1]].depends_on if key in by_key))
    circle = path[path.index(path[-1]) :]
    return PlanError(
        f"The tasks wait for each other in a circle: {' → '.join(circle)}.",
        where=by_key[circle[0]].source,
        fix="Take one of these dependencies out.",
    )


def _name(drafts: Sequence[Draft], source: str) -> None:
    """Give every task a key; refuse one that two tasks claim."""
    seen: dict[str, Draft] = {}
    for draft in drafts:
        if draft.key and draft.key in seen:
            raise PlanError(
                f"Two tasks have the id '{draft.key}'.",
                where=at(source, draft.line),
                fix=f"Give one of them another id; the first is in {at('line', seen[draft.key].line)}.",
            )
        if draft.key:
            seen[draft.key] = draft
    for number, draft in enumerate(drafts, start=1):
        while not draft.key or seen.setdefault(draft.key, draft) is not draft:
            draft.key = f"T{number:03}"
            number += len(drafts)


def _order_phases(drafts: Sequence[Draft]) -> None:
    """Let the tasks of a spec-kit list wait for each other as its phases and `[P]` tags say."""
    if not any(draft.phase for draft in drafts):
        return
    barrier: list[str] = []  # what the present group waits for
    group: list[str] = []  # tasks that may run side by side
    phase = drafts[0].phase
    for draft in drafts:
        if group and (draft.phase != phase or not draft.parallel):
            barrier, group = group, []
        phase = draft.phase
        draft.depends_on += [(key, draft.line) for key in barrier]
        group.append(draft.key)
        if not draft.parallel:
            barrier, group = group, []


def _refuse_unknown_dependencies(drafts: Sequence[Draft], source: str) -> None:
    known = [draft.key for draft in drafts]
    for draft in drafts:
        for key, line in draft.depends_on:
            if key not in known:
                near = closest_match(key, known)
                raise PlanError(
                    f"'{draft.key}' waits for '{key}', which is no task of this plan.",
                    where=at(source, line or draft.line),
                    fix=f"Did you mean '{near}'?" if near else f"The tasks are {', '.join(known)}.",
                )


def notes_of(skipped: Sequence[Skipped], source: str) -> tuple[str, ...]:
    """Return a sentence for each line that looks like a task and is none."""
    return tuple(f"{at(source, found.line)}: No task: it stands {found.reason}." for found in skipped)


def _empty(all_done: bool, source: str, fmt: PlanFormat, notes: Sequence[str]) -> PlanError:
    passed = "".join(f"\n{note}" for note in notes)
    if all_done:
        fix = f"Add an open task: `- [ ] title`.{passed}"
        return PlanError("Every task of this plan is ticked.", where=source, fix=fix)
    example = "`[[tasks]]` with a `title`" if fmt == "toml" else "`- [ ] title`"
    return PlanError("There is no task in this plan.", where=source, fix=f"Write at least one: {example}.{passed}")
