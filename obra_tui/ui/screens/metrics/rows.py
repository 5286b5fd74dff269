"""Figures as rows, as curves and as a table: plain functions of what was measured."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from obra_tui.core.records.metrics import (
    DEFINITIONS,
    SMALL,
    Definition,
    Metric,
    MetricsGroup,
    MetricsReport,
    basis,
    change,
    rows_line,
    shown,
)
from widgets.bars.score_bars import sparkline
from widgets.lines import LogLine, Span

if TYPE_CHECKING:
    from widgets.plot import Curve

TITLES = {definition.name: definition for definition in DEFINITIONS}
_TITLE, _VALUE, _MOVED = 28, 9, 10
_SPARKS = 12
_TICKS = 4
_FIXED_TOP = frozenset({"share", "score"})
_MOST_POINTS = 120
HIDDEN = "hidden in blind mode"
GAP = "\x1f"
"""Between the group and the figure in the key of a line."""


def hidden_row(figure: Metric) -> LogLine:
    """A figure that says nothing as long as its number would give another one away."""
    return LogLine(f"{TITLES[figure.name].title:<{_TITLE}}{HIDDEN}", style="dim", key=figure.name)


def figure_row(figure: Metric, before: Metric | None, points: Sequence[Metric], *, sparks: bool) -> LogLine:
    """One figure: its name, its value, how it moved, what it rests on, and its course where there is no plot."""
    definition = TITLES[figure.name]
    moved = change(figure, before) if before is not None else ""
    course = spark(points) if sparks else ""
    few = "few" if is_few(figure) else ""
    begin = _TITLE + max(_VALUE, len(shown(figure))) + 1
    head = f"{definition.title:<{_TITLE}}{shown(figure):>{_VALUE}} {moved:<{_MOVED}}"
    span = Span(begin, begin + len(moved), tone(definition, moved)) if moved else None
    text = f"{head}{course:<{_SPARKS + 1}}{basis(figure)}" if course else f"{head}{basis(figure)}"
    return LogLine(text, spans=(span,) if span else (), aside=few, key=figure.name)


def is_few(figure: Metric) -> bool:
    """Too few cases to say more than that there are some; sums and counts need none."""
    return figure.value is not None and figure.of < SMALL and figure.unit not in ("count", "usd", "seconds")


def tone(definition: Definition, moved: str) -> str:
    """The arrow says up or down; the colour only adds which of them is better."""
    if not definition.good or moved[:1] not in "▲▼":
        return "dim"
    return "ok" if (moved[0] == "▲") == (definition.good == "up") else "warn"


def spark(points: Sequence[Metric]) -> str:
    """The newest groups in a few cells, from 0 to the highest; a dot for few cases or none."""
    newest = points[-_SPARKS:]
    top = _top(newest)
    return sparkline([None if item.value is None or is_few(item) else item.value / top for item in newest])


def _top(points: Sequence[Metric]) -> float:
    if points and points[0].unit in _FIXED_TOP:
        return 1.0
    return max((item.value or 0.0 for item in points), default=0.0) or 1.0


def curve_of(measured: MetricsReport, name: str) -> Curve:
    """A figure over its groups: a line for a share over time, bars for all else; both begin at 0."""
    from widgets.plot import Curve, Point

    over_time = measured.scope.by in ("day", "week")
    groups = list(_over_time(measured) if over_time else ((group.name or "all", group) for group in measured.groups))
    points = [(label, group[name] if group else None) for label, group in groups[-_MOST_POINTS:]]
    figures = [figure for _, figure in points if figure is not None]
    top = _top(figures)
    unit = TITLES[name].unit
    return Curve(
        tuple(
            Point(label, figure.value if figure else None, few=bool(figure and is_few(figure)))
            for label, figure in points
        ),
        kind="line" if over_time and unit in _FIXED_TOP else "bars",
        top=top,
        threshold=measured.threshold if name == "score" else None,
        ticks=tuple(_tick(name, top * step / _TICKS) for step in range(_TICKS + 1)),
    )


def _over_time(measured: MetricsReport) -> Iterator[tuple[str, MetricsGroup | None]]:
    """Every day or week from the first to the last, also those in which nothing happened."""
    known = {date.fromisoformat(group.name): group for group in measured.groups if group.name}
    step = timedelta(days=1 if measured.scope.by == "day" else 7)
    at = min(known, default=None)
    while at is not None and at <= max(known):
        yield at.strftime("%m-%d"), known.get(at)
        at += step


def _tick(name: str, value: float) -> tuple[float, str]:
    return value, shown(Metric(name=name, title="", unit=TITLES[name].unit, value=value, of=1))


def rows_of_table(measured: MetricsReport, hidden: Collection[str] = ()) -> Iterator[LogLine]:
    """The same numbers as plain lines, group by group; every line can be opened."""
    for group in measured.groups:
        yield LogLine(group.name or "all", style="heading", key=f"{group.name}{GAP}")
        for figure in group.figures:
            few = "few" if is_few(figure) else ""
            says = HIDDEN if figure.name in hidden else f"{shown(figure):>{_VALUE}}   {basis(figure)}"
            text = f"  {TITLES[figure.name].title:<{_TITLE}}{says}"
            yield LogLine(text, aside=few, key=f"{group.name}{GAP}{figure.name}")


def meaning(
    measured: MetricsReport, group: str, figure: Metric, window: str, *, with_sql: bool, hidden: bool = False
) -> Iterator[LogLine]:
    """What a figure means, what it rests on, and how to come to its rows."""
    definition = TITLES[figure.name]
    of = f" of {group}" if group else ""
    says = HIDDEN if hidden else f"{shown(figure)}, {basis(figure)}"
    yield LogLine(f"{definition.title}{of}: {says}, {window}", style="strong")
    yield LogLine(definition.text)
    yield LogLine(f"its rows: {rows_line(measured.scope, group, figure)}", style="dim", hang="          ")
    if with_sql:
        for line in measured.sql.get(figure.name, "").splitlines():
            yield LogLine(line, style="dim")
