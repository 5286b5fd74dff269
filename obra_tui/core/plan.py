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

import difflib
import re
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal

from obra_tui.core.errors import PlanError
from obra_tui.core.ids import new_task_id
from obra_tui.core.model import Budget, CheckSpec, Plan, Stage, TaskSpec
from obra_tui.core.toml_places import lines_of, nearest_line, place_of_error

PlanFormat = Literal["markdown", "toml"]

_TITLE_LENGTH = 100


def format_of(name: str) -> PlanFormat:
    """Return the format that the name of a file stands for; everything but `.toml` is read as Markdown."""
    return "toml" if PurePath(name).suffix.lower() == ".toml" else "markdown"


def parse_plan(text: str, source: str, fmt: PlanFormat) -> Plan:
    """Return the open tasks of `text`, each after those that it depends on.

    `source` is the name for errors and for `TaskSpec.source`. Raises `PlanError`.
    """
    normal = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    title, drafts = _read_toml(normal, source) if fmt == "toml" else _read_markdown(normal, source)
    _name(drafts, source)
    _order_phases(drafts)
    _refuse_unknown_dependencies(drafts, source)
    tasks = tuple(draft.task(source, drafts) for draft in drafts if not draft.done)
    if not tasks:
        raise _empty(bool(drafts), source, fmt)
    return Plan(title=title or PurePath(source).stem, tasks=order(tasks), source=source)


def single_task_plan(text: str) -> Plan:
    """Return a plan of one task from what a person typed: the first line is the title, the rest the prompt."""
    first, _, rest = text.strip().partition("\n")
    if not first:
        raise PlanError("The task is empty.", fix="Say in a sentence what is to be done.")
    title, prompt = first.strip(), rest.strip()
    if len(title) > _TITLE_LENGTH:
        title, prompt = textwrap.shorten(title, _TITLE_LENGTH, placeholder=" …"), text.strip()
    task = TaskSpec(id=new_task_id(), key="T001", title=title, prompt=prompt)
    return Plan(title=title, tasks=(task,))


def task_line(words: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the key, the title and the dependencies of what may stand behind a checkbox."""
    draft = _draft_of(0, words)
    return draft.key, draft.title, tuple(key for key, _ in draft.depends_on)


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


# --- both formats --------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A task while it is being read."""

    line: int | None
    key: str = ""
    title: str = ""
    done: bool = False
    prompt: str = ""
    acceptance: list[str] = field(default_factory=list)
    depends_on: list[tuple[str, int | None]] = field(default_factory=list)
    checks: tuple[CheckSpec, ...] = ()
    budget: Budget = field(default_factory=Budget)
    phase: str = ""
    """The spec-kit phase that it stands under."""
    parallel: bool = False
    """Has the tag `[P]`."""

    def task(self, source: str, drafts: Iterable["_Draft"]) -> TaskSpec:
        done = {draft.key for draft in drafts if draft.done}
        needs = dict.fromkeys(key for key, _ in self.depends_on if key not in done)
        return TaskSpec(
            id=new_task_id(),
            key=self.key,
            title=self.title,
            prompt=self.prompt,
            acceptance=tuple(self.acceptance),
            depends_on=tuple(needs),
            checks=self.checks,
            budget=self.budget,
            source=_at(source, self.line),
        )


def _at(source: str, line: int | None) -> str:
    return source if line is None else f"{source}:{line}"


def _name(drafts: Sequence[_Draft], source: str) -> None:
    """Give every task a key; refuse one that two tasks claim."""
    seen: dict[str, _Draft] = {}
    for draft in drafts:
        if draft.key and draft.key in seen:
            raise PlanError(
                f"Two tasks have the id '{draft.key}'.",
                where=_at(source, draft.line),
                fix=f"Give one of them another id; the first is in {_at('line', seen[draft.key].line)}.",
            )
        if draft.key:
            seen[draft.key] = draft
    for number, draft in enumerate(drafts, start=1):
        while not draft.key or seen.setdefault(draft.key, draft) is not draft:
            draft.key = f"T{number:03}"
            number += len(drafts)


def _order_phases(drafts: Sequence[_Draft]) -> None:
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


def _refuse_unknown_dependencies(drafts: Sequence[_Draft], source: str) -> None:
    known = [draft.key for draft in drafts]
    for draft in drafts:
        for key, line in draft.depends_on:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                raise PlanError(
                    f"'{draft.key}' waits for '{key}', which is no task of this plan.",
                    where=_at(source, line or draft.line),
                    fix=f"Did you mean '{near[0]}'?" if near else f"The tasks are {', '.join(known)}.",
                )


def _empty(all_done: bool, source: str, fmt: PlanFormat) -> PlanError:
    if all_done:
        return PlanError("Every task of this plan is ticked.", where=source, fix="Add an open task: `- [ ] title`.")
    example = "`[[tasks]]` with a `title`" if fmt == "toml" else "`- [ ] title`"
    return PlanError("There is no task in this plan.", where=source, fix=f"Write at least one: {example}.")


# --- Markdown ------------------------------------------------------------------------------------

_HEADING = re.compile(r"#{1,6}[ ]+(.*?)[ #]*$")
_BOX = re.compile(r"( *)(?:[-*+]|\d+[.)])[ ]+\[([ xX])\](?:[ ]+(.*))?$")
_BULLET = re.compile(r"( *)[-*+][ ]+(.*)$")
_FENCE = re.compile(r" *(`{3,}|~{3,})")
KEY = r"[A-Za-z0-9][\w.-]*"
"""What an id looks like."""
_PLAIN_KEY = re.compile(r"(T-?\d+|TASK-?\d+)\b[:.)]?(?:\s+|$)")
_BOLD_KEY = re.compile(rf"\*\*({KEY})\*\*:?(?:\s+|$)")
_COMMENT_KEY = re.compile(rf"<!--\s*(?:id\s*[:=]\s*)?({KEY})\s*-->", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->")
_PHASE = re.compile(r"\W*Phase\b", re.IGNORECASE)
_TAG = re.compile(r"\[(?:P|US\d+)\][ ]*")
_AFTER = re.compile(r"(?:after|depends|depends[ _-]on)[ ]*:[ ]*(.+)$", re.IGNORECASE)
_AFTER_IN_TITLE = re.compile(r"[ ]*\((?:after|depends on)[ ]*:?[ ]+([^()]+)\)[ ]*$", re.IGNORECASE)


def _read_markdown(text: str, source: str) -> tuple[str, list[_Draft]]:
    reading = _Reading(source=source)
    for number, line in enumerate(text.expandtabs(4).split("\n"), start=1):
        reading.take(number, line)
    reading.close()
    return reading.title, reading.drafts


@dataclass(slots=True, kw_only=True)
class _Reading:
    """Where a reader of the checklist stands: in which task, how deep, inside a fence or not."""

    source: str
    title: str = ""
    phase: str = ""
    drafts: list[_Draft] = field(default_factory=list)
    indent: int = -1
    """Column of the present task's bullet; -1 = in no task."""
    item: int = -1
    """Column of the criterion that is being read; -1 = none."""
    fence: str = ""
    detail: list[str] = field(default_factory=list)
    after_blank: bool = False

    def take(self, number: int, line: str) -> None:
        if self.fence or _FENCE.match(line):
            self._code(line)
        elif not line.strip():
            self._blank()
        elif box := _BOX.match(line):
            self._box(number, box)
        elif self.indent >= 0 and self._belongs(line):
            self._detail(number, line)
        else:
            self._outside(line)
        self.after_blank = not line.strip()

    def close(self) -> None:
        """End the present task."""
        if self.indent >= 0:
            self.drafts[-1].prompt = _dedented(self.detail)
        self.indent, self.item, self.detail = -1, -1, []

    def _code(self, line: str) -> None:
        marker = _FENCE.match(line)
        if not self.fence:
            if not self._belongs(line):
                self.close()
            self.fence = marker[1] if marker else ""
        elif marker and marker[1].startswith(self.fence) and not line.strip().strip(marker[1][0]):
            self.fence = ""
        self.item = -1
        if self.indent >= 0:
            self.detail.append(line)

    def _blank(self) -> None:
        if self.indent >= 0:
            self.detail.append("")

    def _belongs(self, line: str) -> bool:
        """Whether `line` is part of the present task: indented under it, or going on without a blank line."""
        column = _column(line)
        lazy = not self.after_blank and not _HEADING.match(line) and not _BULLET.match(line)
        return self.indent >= 0 and (column > self.indent or (lazy and not _FENCE.match(line)))

    def _box(self, number: int, box: re.Match[str]) -> None:
        column, done, words = len(box[1]), box[2] != " ", box[3] or ""
        draft = _draft_of(number, words)
        inside = self.indent >= 0 and column > self.indent
        if inside and (not draft.key or self.drafts[-1].done):
            self._criterion(number, column, words)
            return
        self.close()
        if not draft.title:
            raise PlanError("This task has no title.", where=_at(self.source, number), fix="Write what is to be done.")
        draft.done = done
        draft.phase = self.phase
        self.drafts.append(draft)
        self.indent = column

    def _detail(self, number: int, line: str) -> None:
        bullet = _BULLET.match(line)
        if bullet:
            self._criterion(number, len(bullet[1]), bullet[2].strip())
        elif keys := _after(_AFTER.match(line.strip())):
            self.drafts[-1].depends_on += [(key, number) for key in keys]
        elif self.item >= 0 and not self.after_blank and _column(line) > self.item:
            self.drafts[-1].acceptance[-1] += f" {line.strip()}"
        else:
            self.item = -1
            self.detail.append(line)

    def _criterion(self, number: int, column: int, words: str) -> None:
        draft = self.drafts[-1]
        if keys := _after(_AFTER.match(words)):
            draft.depends_on += [(key, number) for key in keys]
        elif not words:
            return
        elif 0 <= self.item < column:
            draft.acceptance[-1] += f"\n  - {words}"
        else:
            draft.acceptance.append(words)
            self.item = column

    def _outside(self, line: str) -> None:
        self.close()
        heading = _HEADING.match(line)
        if heading and line.startswith("## "):
            self.phase = heading[1].strip() if _PHASE.match(heading[1]) else ""
        if heading and not self.title:
            self.title = heading[1].strip()


def _column(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _dedented(lines: Sequence[str]) -> str:
    """Return the detail of a task without its indentation; lines that are less indented stay as they are."""
    return textwrap.dedent("\n".join(lines)).strip("\n")


def _draft_of(number: int, words: str) -> _Draft:
    """Take the id and the dependencies out of the words behind a checkbox."""
    draft = _Draft(line=number)
    comment = _COMMENT_KEY.search(words)
    rest = _COMMENT.sub("", words).strip()
    leading = _PLAIN_KEY.match(rest) or _BOLD_KEY.match(rest)
    if comment:
        draft.key = comment[1]
    elif leading and (leading.re is _PLAIN_KEY or any(char.isdigit() for char in leading[1])):
        draft.key, rest = leading[1], rest[leading.end() :]
    behind = _AFTER_IN_TITLE.search(rest)
    if keys := _after(behind):
        draft.depends_on = [(key, number) for key in keys]
        rest = _AFTER_IN_TITLE.sub("", rest)
    while tag := _TAG.match(rest):
        draft.parallel = draft.parallel or tag[0].startswith("[P]")
        rest = rest[tag.end() :]
    draft.title = rest.strip()
    return draft


def _after(match: re.Match[str] | None) -> list[str]:
    """Return the ids of a dependency, or nothing when the words are a sentence."""
    if match is None:
        return []
    parts = [part.strip("`* ") for part in re.split(r",|\band\b", match[1].rstrip(". "))]
    return parts if all(re.fullmatch(KEY, part) for part in parts) else []


# --- TOML ----------------------------------------------------------------------------------------

_Place = tuple[str | int, ...]


def _read_toml(text: str, source: str) -> tuple[str, list[_Draft]]:
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        said, place = place_of_error(error, text)
        raise PlanError(
            f"This is not valid TOML: {said}.", where=source + place, fix="Correct it there or just before."
        ) from error
    table = _Table(values=values, place=(), lines=lines_of(text), source=source)
    table.only("title", "tasks")
    return table.string("title"), [_draft_of_table(task) for task in table.tables("tasks")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A TOML table that knows where it stands; what is not as it should be is a `PlanError` with the line."""

    values: Mapping[str, Any]
    place: _Place
    lines: Mapping[_Place, int]
    source: str

    def wrong(self, key: str, what: str, fix: str) -> PlanError:
        path = (*self.place, key) if key else self.place
        return PlanError(what, where=_at(self.source, nearest_line(self.lines, path)), fix=fix)

    def only(self, *keys: str) -> None:
        for key in self.values:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, 1, 0.5)
                advice = f"Did you mean '{near[0]}'?" if near else f"Possible here: {', '.join(keys)}."
                raise self.wrong(key, f"There is no '{key}' in a plan.", advice)

    def take(self, key: str, fits: Callable[[Any], bool], kind: str) -> Any:
        value = self.values.get(key)
        if value is not None and not fits(value):
            raise self.wrong(key, f"'{key}' must be {kind}.", "Correct it, or delete the line.")
        return value

    def string(self, key: str) -> str:
        return str(self.take(key, lambda value: isinstance(value, str), "text") or "").strip()

    def strings(self, key: str) -> list[str]:
        fits = self.take(key, lambda value: isinstance(value, list) and all(map(_is_text, value)), "a list of texts")
        return list(fits or [])

    def number(self, key: str, kind: type[int] | type[float]) -> Any:
        def fits(value: Any) -> bool:
            return isinstance(value, int | kind) and not isinstance(value, bool) and 0 < value < float("inf")

        return self.take(key, fits, "a whole number above 0" if kind is int else "a number above 0")

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key, lambda value: isinstance(value, bool), "true or false")
        return default if value is None else bool(value)

    def table(self, key: str) -> "_Table":
        value = self.take(key, lambda value: isinstance(value, dict), "a table") or {}
        return _Table(values=value, place=(*self.place, key), lines=self.lines, source=self.source)

    def tables(self, key: str) -> list["_Table"]:
        items = self.take(key, lambda value: isinstance(value, list) and all(map(_is_table, value)), "a list of tables")
        return [
            _Table(values=item, place=(*self.place, key, index), lines=self.lines, source=self.source)
            for index, item in enumerate(items or [])
        ]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _draft_of_table(table: _Table) -> _Draft:
    table.only("id", "title", "prompt", "acceptance", "depends_on", "checks", "budget")
    key, title = table.string("id"), table.string("title")
    if not title:
        raise table.wrong("title", "This task has no title.", "Write `title = …`: what is to be done.")
    if key and not re.fullmatch(KEY, key):
        raise table.wrong("id", f"'{key}' cannot be an id.", "Use letters, digits, '.', '-' and '_' only.")
    depends_line = nearest_line(table.lines, (*table.place, "depends_on"))
    return _Draft(
        line=nearest_line(table.lines, table.place),
        key=key,
        title=title,
        prompt=table.string("prompt"),
        acceptance=table.strings("acceptance"),
        depends_on=[(name.strip(), depends_line) for name in table.strings("depends_on")],
        checks=_checks(table),
        budget=_budget(table.table("budget")),
    )


def _checks(table: _Table) -> tuple[CheckSpec, ...]:
    given = table.values.get("checks")
    if isinstance(given, list) and given and all(map(_is_text, given)):
        return tuple(plan_check(name=run, run=run) for run in given)
    return tuple(_check_of_table(item) for item in table.tables("checks"))


def _check_of_table(table: _Table) -> CheckSpec:
    table.only("name", "run", "stage", "blocking", "timeout_s")
    run = table.string("run")
    if not run:
        raise table.wrong("run", "This check has no command.", "Write `run = …`: a command line.")
    stages = (Stage.SYNTAX.value, Stage.TESTING.value)
    stage = table.take("stage", lambda value: value in stages, " or ".join(f"'{name}'" for name in stages))
    return plan_check(
        name=table.string("name") or run,
        run=run,
        stage=Stage(stage or Stage.TESTING),
        blocking=table.flag("blocking", True),
        timeout_s=float(table.number("timeout_s", float) or 600.0),
    )


def plan_check(**fields: Any) -> CheckSpec:
    """Return a check that a plan asks for; it writes JUnit XML if its command names the place for it."""
    return CheckSpec(**fields, origin="plan", junit="$OBRA_JUNIT" in fields["run"])


def _budget(table: _Table) -> Budget:
    table.only("max_turns", "max_cost_usd", "max_seconds", "max_tokens")
    return Budget(
        max_turns=table.number("max_turns", int),
        max_cost_usd=table.number("max_cost_usd", float),
        max_seconds=table.number("max_seconds", float),
        max_tokens=table.number("max_tokens", int),
    )
