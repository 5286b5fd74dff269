"""What is shown while the judge's number is kept back: views, rows and records without it. Pure.

Of work that a person may still be asked about; everything before it stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core import events as e
from obra_tui.core.events import Record
from obra_tui.core.ids import AttemptId, GateId, SessionId, TaskId
from obra_tui.core.records.history import AttemptDetail, AttemptSummary, SearchResult, SessionDetail, SessionSummary
from obra_tui.core.records.metrics import Metric, MetricsReport
from obra_tui.core.records.search import Clause, Query
from obra_tui.ui.state import TaskView, ViewState
from obra_tui.ui.view.review_draft import ReviewDraft

TELLING = (e.JudgeStreamed, e.VerdictReached, e.GateJudged, e.GateOpened)
"""Records that hold the number, or words that give it away."""


class Blinded(Struct, frozen=True, kw_only=True):
    """Whose numbers nobody is to see yet."""

    attempts: frozenset[AttemptId] = frozenset()
    tasks: frozenset[TaskId] = frozenset()
    sessions: frozenset[SessionId] = frozenset()


NOTHING = Blinded()


def blinded_by(view: ViewState, drafts: Mapping[GateId, ReviewDraft]) -> Blinded:
    """Return what blind mode hides: the last attempt of each task that is neither over, answered nor scored."""
    return _of_tasks([task for task in view.tasks.values() if _may_be_asked(view, task, drafts)])


def blinded_by_audits(view: ViewState) -> Blinded:
    """Return what is hidden in any case: work that was drawn for an audit, until it is answered."""
    if not any(attempt.is_audited for attempt in view.attempts.values()):
        return NOTHING
    return _of_tasks([task for task in view.tasks.values() if _is_audited(view, task)])


def _is_audited(view: ViewState, task: TaskView) -> bool:
    attempt = view.attempts.get(task.latest) if task.latest else None
    return attempt is not None and attempt.is_audited and _may_be_asked(view, task, {})


def _of_tasks(tasks: Sequence[TaskView]) -> Blinded:
    return Blinded(
        attempts=frozenset(task.latest for task in tasks if task.latest is not None),
        tasks=frozenset(task.id for task in tasks),
        sessions=frozenset(task.session for task in tasks),
    )


def _may_be_asked(view: ViewState, task: TaskView, drafts: Mapping[GateId, ReviewDraft]) -> bool:
    attempt = view.attempts.get(task.latest) if task.latest else None
    if attempt is None or task.over or attempt.decision is not None:
        return False
    gates = [gate for gate in view.gates.values() if gate.attempt == attempt.id]
    scored = (draft.own_score for gate in gates if (draft := drafts.get(gate.id)) is not None)
    return not any(gate.held for gate in gates) and all(score is None for score in scored)


def redact_view(view: ViewState, kept: Blinded) -> ViewState:
    """Return the view as if nothing had been scored yet."""
    if not kept.attempts:
        return view
    bare = {
        key: replace(item, quality=None, outcome=None) for key, item in view.attempts.items() if key in kept.attempts
    }
    return replace(view, attempts={**view.attempts, **bare})


def told(records: Iterable[Record], kept: Blinded) -> tuple[Record, ...]:
    return tuple(
        record for record in records if record.attempt not in kept.attempts or not isinstance(record.event, TELLING)
    )


# --- what was measured and searched for -----------------------------------------------------------

FIGURES = frozenset(("pass_rate", "score", "unjudged"))
"""Figures that an undecided attempt has a part in by what the judge said of it."""


def redact_metrics(measured: MetricsReport, kept: Blinded) -> MetricsReport:
    """A mean that has a part of the one number is kept back as a whole."""
    if not kept.attempts:
        return measured
    groups = tuple(replace(group, figures=tuple(map(_redact_metric, group.figures))) for group in measured.groups)
    return replace(measured, groups=groups)


def _redact_metric(figure: Metric) -> Metric:
    if figure.name not in FIGURES:
        return figure
    # Made anew, not replaced: whatever else is known of it goes, too.
    return Metric(name=figure.name, title=figure.title, unit=figure.unit, value=None, of=0)


def asks_for_scores(query: Query) -> bool:
    """To be found by such a line says something of the number."""
    return any(map(_is_telling, query.clauses))


def _is_telling(clause: Clause) -> bool:
    match clause.field:
        case "score" | "verdict":
            return True
        case "is":
            return clause.text == "unjudged"
        case "figure":
            return clause.text in FIGURES
        case _:
            return False


# --- what was read from the history --------------------------------------------------------------


def redact_attempt(detail: AttemptDetail, kept: Blinded) -> AttemptDetail:
    if detail.summary.id not in kept.attempts:
        return detail
    summary = _summary(detail.summary, kept)
    return replace(detail, summary=summary, quality=None, verdict=None, outcome=None)


def redact_session(detail: SessionDetail, kept: Blinded) -> SessionDetail:
    tasks = (replace(task, score=None) if task.id in kept.tasks else task for task in detail.tasks)
    return replace(
        detail,
        summary=redact_row(detail.summary, kept),
        tasks=tuple(tasks),
        attempts=tuple(_summary(attempt, kept) for attempt in detail.attempts),
    )


def redact_row(session: SessionSummary, kept: Blinded) -> SessionSummary:
    """A mean over several tasks gives the one number away."""
    return replace(session, score=None) if session.id in kept.sessions else session


def redact_result(found: SearchResult, kept: Blinded) -> SearchResult:
    attempt = _summary(found.attempt, kept) if found.attempt else None
    telling = found.hit is not None and found.hit.kind in _TELLING_KINDS and attempt != found.attempt
    hit = replace(found.hit, line="hidden in blind mode", marks=()) if found.hit and telling else found.hit
    return replace(found, attempt=attempt, hit=hit)


_TELLING_KINDS = frozenset(("judge_streamed", "verdict_reached", "gate_judged", "gate_opened"))


def _summary(attempt: AttemptSummary, kept: Blinded) -> AttemptSummary:
    if attempt.id not in kept.attempts:
        return attempt
    return replace(attempt, score=None, passes=None, gate_decision=None)
