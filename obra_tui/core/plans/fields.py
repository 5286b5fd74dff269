"""A task as the fields of a form: plain text in every one of them, whatever a person has typed so far.

Also says what is wrong with it while it is typed. Pure; knows no screen.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.errors import PlanError
from obra_tui.core.model import Budget, CheckSpec, TaskSpec
from obra_tui.core.plans.draft import KEY, plan_check
from obra_tui.core.plans.markdown import task_line
from obra_tui.core.plans.parse import order
from obra_tui.core.text import closest_match

FieldName = Literal["key", "title", "prompt", "acceptance", "after", "checks", "turns", "cost", "seconds", "tokens"]

LIMITS: tuple[FieldName, ...] = ("turns", "cost", "seconds", "tokens")
_KINDS: dict[str, type[int] | type[float]] = {"turns": int, "cost": float, "seconds": float, "tokens": int}


class TaskFields(Struct, frozen=True, kw_only=True):
    key: str = ""
    title: str = ""
    prompt: str = ""
    acceptance: str = ""
    """A criterion per line; an indented line goes on with the one before it."""
    after: str = ""
    """Keys, separated by commas or blanks."""
    checks: str = ""
    """A command per line."""
    turns: str = ""
    cost: str = ""
    seconds: str = ""
    tokens: str = ""


class Remark(Struct, frozen=True, kw_only=True):
    """What is to be said about a field; what blocks must be mended before the task can be kept."""

    field: FieldName
    text: str
    blocks: bool = True


def fields_of(spec: TaskSpec) -> TaskFields:
    budget = spec.budget
    return TaskFields(
        key=spec.key,
        title=spec.title,
        prompt=spec.prompt,
        acceptance="\n".join(spec.acceptance),
        after=", ".join(spec.depends_on),
        checks="\n".join(check.run for check in spec.checks),
        turns=_shown(budget.max_turns),
        cost=_shown(budget.max_cost_usd),
        seconds=_shown(budget.max_seconds),
        tokens=_shown(budget.max_tokens),
    )


def quick_fields(text: str, taken: Sequence[str]) -> TaskFields:
    """Return the fields of a task that was typed as one line of a checklist: `T004 Title (after T001)`."""
    key, title, after = task_line(" ".join(text.split()))
    return TaskFields(key=key or free_key(taken), title=title, after=", ".join(after))


def spec_of(fields: TaskFields, spec: TaskSpec) -> TaskSpec:
    """Return `spec` as the fields say it. Raises `PlanError` with the first thing that stands in the way."""
    wrong = next((remark for remark in _alone(fields) if remark.blocks), None)
    if wrong is not None:
        raise PlanError(wrong.text, where=spec.source, fix=f"Correct the {wrong.field}.")
    return replace(
        spec,
        key=fields.key.strip() or spec.key,
        title=fields.title.strip(),
        prompt=fields.prompt.strip(),
        acceptance=_criteria(fields.acceptance),
        depends_on=keys_in(fields.after),
        checks=_checks(fields.checks, spec.checks),
        budget=Budget(
            max_turns=_number(fields.turns, int),
            max_cost_usd=_number(fields.cost, float),
            max_seconds=_number(fields.seconds, float),
            max_tokens=_number(fields.tokens, int),
        ),
    )


def remarks_on(fields: TaskFields, spec: TaskSpec, others: Sequence[TaskSpec]) -> tuple[Remark, ...]:
    """Return what is to be said, what blocks first. `others` are the other tasks of the plan."""
    found = [*_alone(fields), *_among(fields, spec, others)]
    return tuple(sorted(found, key=lambda remark: not remark.blocks))


def keys_in(text: str) -> tuple[str, ...]:
    """Return the keys of a list such as `T001, T002`, each once."""
    return tuple(dict.fromkeys(part for part in re.split(r"[,\s]+", text) if part))


def free_key(taken: Sequence[str]) -> str:
    """Return the next `T…` that no task has."""
    number = len(taken) + 1
    while f"T{number:03}" in taken:
        number += 1
    return f"T{number:03}"


def _alone(fields: TaskFields) -> list[Remark]:
    found = []
    if not fields.title.strip():
        found.append(Remark(field="title", text="The task has no title."))
    key = fields.key.strip()
    if key and not re.fullmatch(KEY, key):
        found.append(Remark(field="key", text=f"'{key}' cannot be an id: letters, digits, '.', '-' and '_' only."))
    for name in LIMITS:
        text = getattr(fields, name)
        try:
            _number(text, _KINDS[name])
        except ValueError:
            kind = "a whole number" if _KINDS[name] is int else "a number"
            found.append(Remark(field=name, text=f"{name}: '{text.strip()}' is not {kind} above 0."))
    if not _criteria(fields.acceptance):
        found.append(Remark(field="acceptance", text="No line says when it is done.", blocks=False))
    return found


def _among(fields: TaskFields, spec: TaskSpec, others: Sequence[TaskSpec]) -> list[Remark]:
    found = []
    known = [task.key for task in others]
    key = fields.key.strip() or spec.key
    if key in known:
        found.append(Remark(field="key", text=f"There is a task {key} already."))
    wanted = keys_in(fields.after)
    if key in wanted:
        found.append(Remark(field="after", text=f"{key} cannot wait for itself."))
    for name in wanted:
        if name not in known and name != key:
            near = closest_match(name, known)
            hint = f" Did you mean {near}?" if near else ""
            found.append(Remark(field="after", text=f"There is no task {name}.{hint}"))
    return found or _circle(replace(spec, key=key, depends_on=wanted), others)


def _circle(spec: TaskSpec, others: Sequence[TaskSpec]) -> list[Remark]:
    try:
        order([*others, spec])
    except PlanError as circle:
        return [Remark(field="after", text=circle.what)]
    return []


def _criteria(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for line in text.split("\n"):
        if found and line.startswith((" ", "\t")) and line.strip():
            found[-1] += f"\n{line.rstrip()}"
        elif line.strip():
            found.append(line.strip().removeprefix("- "))
    return tuple(found)


def _checks(text: str, known: Sequence[CheckSpec]) -> tuple[CheckSpec, ...]:
    """A command that was there keeps its name, stage and time limit."""
    by_run = {check.run: check for check in known}
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return tuple(by_run.get(run) or plan_check(name=run, run=run) for run in lines)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if value < 1e6 else str(int(value))


def _number(text: str, kind: Callable[[str], float]) -> "int | None":
    """None = no limit. Raises `ValueError`. Typed as the narrower of both kinds."""
    if not text.strip():
        return None
    value = kind(text.strip().replace("_", ""))
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value  # type: ignore[return-value]
