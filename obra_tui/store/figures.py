"""The figures of the metrics screen, counted over the attempts that a filter lets through."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from obra_tui.core.history import Agreement, DayFigures, HistoryFilter, Metrics
from obra_tui.core.model import DecisionKind, Usage
from obra_tui.store import tables as t
from obra_tui.store.lists import matching_attempts
from obra_tui.store.rows import USAGE, usage_of

_PERSON = "person"

_ATTEMPT_COLUMNS = ("id", "task", "number", "started_at", "score", "passes", *USAGE)


def figures(connection: Connection, wanted: HistoryFilter) -> Metrics:
    """Return the figures; rehearsals count only if the filter asks for them."""
    wanted = replace(wanted, rehearsal=bool(wanted.rehearsal))
    verdicts = connection.scalars(_verdicts(wanted)).all()
    return replace(
        _of_attempts(connection.execute(_attempts(wanted)).all()),
        verdicts=len(verdicts),
        unjudged=sum(1 for reason in verdicts if reason),
        median_wait_s=_median(connection.scalars(_waits(wanted)).all()),
        agreement=_agreement(connection.execute(_decisions(wanted)).all()),
    )


def _matching(query: Select[Any], wanted: HistoryFilter) -> Select[Any]:
    """Add to a query on `attempt` the tables that the filter needs, and its conditions."""
    joined = query.join(t.task, t.task.c.id == t.attempt.c.task).join(t.session, t.session.c.id == t.attempt.c.session)
    return joined.where(*matching_attempts(wanted))


def _attempts(wanted: HistoryFilter) -> Select[Any]:
    columns = (t.attempt.c[name] for name in _ATTEMPT_COLUMNS)
    query = select(*columns, t.acceptance.c.task.label("accepted")).select_from(t.attempt)
    query = query.outerjoin(t.acceptance, t.acceptance.c.attempt == t.attempt.c.id)
    return _matching(query, wanted).order_by(t.attempt.c.started_at)


def _verdicts(wanted: HistoryFilter) -> Select[Any]:
    query = select(t.verdict.c.unjudged).select_from(t.attempt)
    return _matching(query.join(t.verdict, t.verdict.c.attempt == t.attempt.c.id), wanted)


def _waits(wanted: HistoryFilter) -> Select[Any]:
    query = select(t.decision.c.at - t.gate.c.opened_at).select_from(t.attempt)
    query = query.join(t.gate, t.gate.c.attempt == t.attempt.c.id)
    return _matching(query.join(t.decision, t.decision.c.gate == t.gate.c.id), wanted)


def _decisions(wanted: HistoryFilter) -> Select[Any]:
    query = select(t.attempt.c.passes, t.decision.c.kind).select_from(t.attempt)
    query = query.join(t.decision, t.decision.c.attempt == t.attempt.c.id)
    return _matching(query, wanted).where(t.decision.c.by.startswith(_PERSON), t.attempt.c.passes.is_not(None))


def _of_attempts(found: Sequence[Row[Any]]) -> Metrics:
    scores = [row.score for row in found if row.score is not None]
    accepted = [row for row in found if row.accepted is not None]
    return Metrics(
        attempts=len(found),
        scored=len(scores),
        passed=sum(1 for row in found if row.passes),
        tasks=len({row.task for row in found}),
        accepted_tasks=len(accepted),
        accepted_at_first=sum(1 for row in accepted if row.number == 1),
        median_score=_median(scores),
        usage=sum((usage_of(row) for row in found), Usage()),
        days=_days(found),
    )


def _days(found: Sequence[Row[Any]]) -> tuple[DayFigures, ...]:
    by_day = groupby(found, key=lambda row: datetime.fromtimestamp(row.started_at).date().isoformat())
    return tuple(_day(day, list(group)) for day, group in by_day)


def _day(day: str, group: list[Row[Any]]) -> DayFigures:
    scores = [row.score for row in group if row.score is not None]
    return DayFigures(
        day=day,
        attempts=len(group),
        scored=len(scores),
        passed=sum(1 for row in group if row.passes),
        median_score=_median(scores),
        cost_usd=sum(row.cost_usd for row in group),
    )


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _agreement(found: Iterable[Row[Any]]) -> Agreement:
    pairs = [(bool(row.passes), row.kind == DecisionKind.APPROVE.value) for row in found]
    return Agreement(
        both_yes=pairs.count((True, True)),
        both_no=pairs.count((False, False)),
        only_gate=pairs.count((True, False)),
        only_person=pairs.count((False, True)),
    )
