"""Plans as TOML; what is not as it should be is told with its line."""

import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from obra_tui.core.errors import PlanError
from obra_tui.core.model import Budget, CheckSpec, Stage
from obra_tui.core.plans.draft import KEY, Draft, at, plan_check
from obra_tui.core.plans.toml_places import lines_of, nearest_line, place_of_error
from obra_tui.core.text import closest_match

_Place = tuple[str | int, ...]


def read_toml(text: str, source: str) -> tuple[str, list[Draft]]:
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of too many digits
        said, place = place_of_error(error, text)
        raise PlanError(
            f"This is not valid TOML: {said}.", where=source + place, fix="Correct it there or just before."
        ) from error
    table = _Table(values=values, place=(), lines=lines_of(text), source=source)
    table.only("title", "tasks")
    return table.string("title"), [_draft_of_table(task) for task in table.tables("tasks")]


class _Table(Struct, frozen=True, kw_only=True):
    """A TOML table that knows where it stands; what is not as it should be is a `PlanError` with the line."""

    values: Mapping[str, Any]
    place: _Place
    lines: Mapping[_Place, int]
    source: str

    def wrong(self, key: str, what: str, fix: str) -> PlanError:
        path = (*self.place, key) if key else self.place
        return PlanError(what, where=at(self.source, nearest_line(self.lines, path)), fix=fix)

    def only(self, *keys: str) -> None:
        for key in self.values:
            if key not in keys:
                near = closest_match(key, keys, 0.5)
                advice = f"Did you mean '{near}'?" if near else f"Possible here: {', '.join(keys)}."
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


def _draft_of_table(table: _Table) -> Draft:
    table.only("id", "title", "prompt", "acceptance", "depends_on", "checks", "budget")
    key, title = table.string("id"), table.string("title")
    if not title:
        raise table.wrong("title", "This task has no title.", "Write `title = …`: what is to be done.")
    if key and not re.fullmatch(KEY, key):
        raise table.wrong("id", f"'{key}' cannot be an id.", "Use letters, digits, '.', '-' and '_' only.")
    depends_line = nearest_line(table.lines, (*table.place, "depends_on"))
    return Draft(
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


def _budget(table: _Table) -> Budget:
    table.only("max_turns", "max_cost_usd", "max_seconds", "max_tokens")
    return Budget(
        max_turns=table.number("max_turns", int),
        max_cost_usd=table.number("max_cost_usd", float),
        max_seconds=table.number("max_seconds", float),
        max_tokens=table.number("max_tokens", int),
    )
