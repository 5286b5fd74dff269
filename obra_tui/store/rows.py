"""Database rows as the values of `core.records.history`, and an attempt folded from its records.

Takes anything with named columns, so that no SQL library is needed here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from obra_tui.core import events as e
from obra_tui.core.ids import AttemptId, ClaudeSessionId, GateId, QuestionId, SessionId, TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import (
    ConversationReason,
    DecisionKind,
    GateDecision,
    Outcome,
    PermissionVerdict,
    Policy,
    SessionKind,
    Usage,
)
from obra_tui.core.records.history import (
    AttemptDetail,
    AttemptSummary,
    GateSummary,
    PermissionEntry,
    SessionDetail,
    SessionSummary,
    StoredConversation,
    TaskSummary,
)

DETAIL_TYPES = (
    "prompt_sent",
    "claude_ended",
    "diff_taken",
    "checks_planned",
    "check_finished",
    "judge_prompted",
    "verdict_reached",
    "gate_judged",
    "audit_drawn",
    "decision_made",
    "work_accepted",
    "work_reverted",
    "work_kept",
)
"""The events that `fold_attempt` understands."""


def fold_attempt(detail: AttemptDetail, records: Iterable[e.Record]) -> AttemptDetail:
    """Return `detail` with what the records of the attempt, in order, add to it."""
    for record in records:
        detail = _with(detail, record.event)
    return detail


def _with(detail: AttemptDetail, event: e.Event) -> AttemptDetail:
    match event:
        case e.PromptSent():
            return replace(detail, prompts=(*detail.prompts, event))
        case e.ClaudeEnded(result=result):
            return replace(detail, result=result)
        case e.DiffTaken(diff=diff):
            return replace(detail, diff=diff, checks=(), judge_prompts=(), verdict=None)
        case e.ChecksPlanned():
            return replace(detail, planned=event, checks=())
        case e.CheckFinished(result=result):
            return replace(detail, checks=(*detail.checks, result))
        case e.JudgePrompted():
            return replace(detail, judge_prompts=(*detail.judge_prompts, event))
        case e.VerdictReached(verdict=verdict):
            return replace(detail, verdict=verdict)
        case e.GateJudged(quality=quality, outcome=outcome, record=record):
            return replace(detail, quality=quality, outcome=outcome, record=record)
        case e.AuditDrawn():
            return replace(detail, is_audited=True)
        case _:
            return _answered(detail, event)


def _answered(detail: AttemptDetail, event: e.Event) -> AttemptDetail:
    """What became of the work."""
    match event:
        case e.DecisionMade():
            return replace(detail, decision=event)
        case e.WorkAccepted(acceptance=acceptance):
            return replace(detail, acceptance=acceptance)
        case e.WorkReverted():
            return replace(detail, reverted=event)
        case e.WorkKept():
            return replace(detail, kept=event)
        case _:
            return detail


_COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "turns")
USAGE = (*_COUNTS, "cost_usd")


def usage_of(row: Any) -> Usage:
    """Return the usage in the columns of a row; some databases give sums as decimals."""
    return Usage(**{name: int(getattr(row, name)) for name in _COUNTS}, cost_usd=float(row.cost_usd))


def session_summaries(
    found: Sequence[Any], states: Iterable[Any], totals: Iterable[Any], scores: Iterable[Any], waiting: Iterable[Any]
) -> tuple[SessionSummary, ...]:
    """Put rows of `session` together with what was counted of them, each list with a column `session`."""
    by_session: dict[str, list[tuple[State, int]]] = {}
    reverted: Counter[str] = Counter()
    for row in states:
        by_session.setdefault(row.session, []).append((State(row.state), row.tasks))
        reverted[row.session] += int(row.reverted)
    sums, means, gates = _by_session(totals), _by_session(scores), _by_session(waiting)
    return tuple(
        replace(
            session_summary(row, by_session.get(row.id, []), sums.get(row.id), means.get(row.id), gates.get(row.id)),
            reverted=reverted[row.id],
        )
        for row in found
    )


def _by_session(found: Iterable[Any]) -> Mapping[str, Any]:
    return {row.session: row for row in found}


_ORDER = {state: position for position, state in enumerate(State)}


def session_summary(
    row: Any, states: list[tuple[State, int]], totals: Any | None, score: Any | None, waiting: Any | None
) -> SessionSummary:
    return SessionSummary(
        id=SessionId(row.id),
        kind=SessionKind(row.kind),
        title=row.title,
        project=row.project,
        policy=Policy(row.policy),
        rehearsal=row.rehearsal,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        states=tuple(sorted(states, key=lambda item: _ORDER[item[0]])),
        attempts=int(totals.attempts) if totals else 0,
        waiting=waiting.waiting if waiting else 0,
        score=score.score if score else None,
        usage=usage_of(totals) if totals else Usage(),
    )


def task_summary(row: Any) -> TaskSummary:
    return TaskSummary(
        id=TaskId(row.id),
        session=SessionId(row.session),
        key=row.key,
        title=row.title,
        position=row.position,
        state=State(row.state),
        reason=row.reason,
        changed_at=row.changed_at,
        attempts=row.attempts,
        score=row.score,
        commit=row.commit or "",
        reverted=row.reverted or "",
    )


def attempt_summary(row: Any) -> AttemptSummary:
    return AttemptSummary(
        id=AttemptId(row.id),
        session=SessionId(row.session),
        task=TaskId(row.task),
        task_key=row.task_key,
        task_title=row.task_title,
        task_state=State(row.task_state),
        number=row.number,
        counted=row.counted,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        detail=row.detail,
        score=row.score,
        passes=row.passes,
        gate_decision=None if row.gate_decision is None else GateDecision(row.gate_decision),
        decision=None if row.decision is None else DecisionKind(row.decision),
        decided_by=row.decided_by,
        accepted=row.commit is not None,
        reverted=row.reverted or "",
        waiting=None if row.waiting is None else GateId(row.waiting),
        claude_model=row.claude_model,
        judge_model=row.judge_model,
        usage=usage_of(row),
    )


def gate_summary(row: Any) -> GateSummary:
    return GateSummary(
        id=GateId(row.id),
        session=SessionId(row.session),
        session_title=row.session_title,
        project=row.project,
        task=TaskId(row.task),
        task_key=row.task_key,
        task_title=row.task_title,
        attempt=AttemptId(row.attempt),
        number=row.number,
        opened_at=row.opened_at,
        score=row.score,
        passes=row.passes,
    )


def conversation(row: Any) -> StoredConversation:
    return StoredConversation(
        id=ClaudeSessionId(row.id),
        reason=ConversationReason(row.reason),
        reported=row.reported,
        model=row.model,
        version=row.version,
    )


def permission(row: Any) -> PermissionEntry:
    return PermissionEntry(
        id=QuestionId(row.id),
        tool=row.tool,
        title=row.title,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        verdict=None if row.verdict is None else PermissionVerdict(row.verdict),
        by=row.by,
        note=row.note,
    )


def session_detail(
    row: Any, summary: SessionSummary, versions: Iterable[Any], tasks: Iterable[Any], attempts: Iterable[Any]
) -> SessionDetail:
    return SessionDetail(
        summary=summary,
        branch=row.branch,
        base_commit=row.base_commit,
        threshold=row.threshold,
        max_attempts=row.max_attempts,
        plan_source=row.plan_source,
        close_reason=row.close_reason,
        versions=tuple((item.name, item.version) for item in versions),
        tasks=tuple(map(task_summary, tasks)),
        attempts=tuple(map(attempt_summary, attempts)),
    )
