"""One attempt: Claude's run, the diff, the checks, the judge, the score."""

from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.events import (
    AttemptStarted,
    AuditDrawn,
    CheckFinished,
    CheckPrinted,
    ChecksPlanned,
    CheckStarted,
    ClaudeActivity,
    ClaudeEnded,
    ClaudeStarted,
    DecisionMade,
    DiffTaken,
    Event,
    GateJudged,
    GateOpened,
    JudgePrompted,
    JudgeStarted,
    JudgeStreamed,
    JudgeWaiting,
    LimitReported,
    RetryScheduled,
    TextStreamed,
    ThinkingStreamed,
    ToolFinished,
    ToolStarted,
    UsageReported,
    VerdictReached,
    WorkAccepted,
)
from obra_tui.core.ids import AttemptId, ClaudeSessionId, GateId, SessionId, TaskId
from obra_tui.core.model import (
    CheckResult,
    CheckSpec,
    CheckStatus,
    ConversationReason,
    Decision,
    Diff,
    GateOutcome,
    ImplementResult,
    JudgeIdentity,
    QualityResult,
    SandboxLevel,
    Usage,
    Verdict,
)

Activity = Literal["", "running", "requires_action", "idle", "compacting"]


class CheckView(Struct, frozen=True, kw_only=True):
    """A check that is planned, runs or is done; the output itself is in the pane."""

    name: str
    command: str
    started_at: float | None = None
    result: CheckResult | None = None

    @property
    def running(self) -> bool:
        return self.started_at is not None and self.result is None


class JudgeView(Struct, frozen=True, kw_only=True):
    identity: JudgeIdentity
    parts: int
    hunks: int
    started_at: float
    part: int = 0
    waiting: str = ""
    """What is waited for: connecting, loading the model, first token; empty while it streams."""
    streamed_chars: int = 0
    streaming_since: float | None = None
    verdict: Verdict | None = None
    ended_at: float | None = None


class ToolTally(Struct, frozen=True, kw_only=True):
    calls: int = 0
    failed: int = 0
    open: tuple[tuple[str, str], ...] = ()
    """(call, tool) of what runs now."""


class AttemptView(Struct, frozen=True, kw_only=True):
    id: AttemptId
    task: TaskId
    session: SessionId
    number: int = 0
    counted: int = 0
    claude_session: ClaudeSessionId
    reason: ConversationReason = ConversationReason.FIRST
    started_at: float = 0.0
    model: str = ""
    claude_version: str = ""
    activity: Activity = ""
    tools: ToolTally = field(default_factory=ToolTally)
    retry: RetryScheduled | None = None
    """Claude Code waits before it asks the API again; gone with the next sign of life."""
    limit: LimitReported | None = None
    result: ImplementResult | None = None
    ended_at: float | None = None
    diff: Diff | None = None
    sandbox: SandboxLevel | None = None
    sandbox_note: str = ""
    checks: tuple[CheckView, ...] = ()
    checks_planned_at: float | None = None
    judge: JudgeView | None = None
    quality: QualityResult | None = None
    outcome: GateOutcome | None = None
    record: str = ""
    """What was known of the judge when the gate was judged."""
    is_audited: bool = False
    """The person looks at it as if nobody had judged it."""
    judged_at: float | None = None
    gate: GateId | None = None
    decision: Decision | None = None
    decided_at: float | None = None
    committed_at: float | None = None
    usage: Usage = field(default_factory=Usage)
    last_event_at: float = 0.0

    @property
    def claude_running(self) -> bool:
        return self.result is None

    @property
    def checks_done(self) -> bool:
        return self.checks_planned_at is not None and all(check.result for check in self.checks)

    @property
    def checks_passed(self) -> int:
        return sum(1 for check in self.checks if check.result and check.result.status is CheckStatus.PASSED)


def started_attempt(
    attempt: AttemptId, task: TaskId, session: SessionId, event: AttemptStarted, at: float
) -> AttemptView:
    return AttemptView(
        id=attempt,
        task=task,
        session=session,
        number=event.number,
        counted=event.counted,
        claude_session=event.claude_session,
        reason=event.reason,
        started_at=at,
        last_event_at=at,
    )


def apply_to_attempt(attempt: AttemptView, event: Event, at: float) -> AttemptView:
    seen = replace(attempt, last_event_at=max(at, attempt.last_event_at))
    return _evidence(_claude(seen, event, at), event, at)


def _claude(attempt: AttemptView, event: Event, at: float) -> AttemptView:
    match event:
        case ClaudeStarted(claude_session=session, model=model, version=version):
            return replace(attempt, claude_session=session, model=model, claude_version=version, activity="running")
        case ClaudeActivity(state=state):
            return replace(attempt, activity=state)
        case TextStreamed() | ThinkingStreamed() if attempt.retry is not None:
            return replace(attempt, retry=None)
        case ToolStarted(call=call, tool=tool):
            return replace(attempt, retry=None, tools=_opened(attempt.tools, call, tool))
        case ToolFinished(call=call, is_error=is_error):
            return replace(attempt, tools=_closed(attempt.tools, call, is_error))
        case RetryScheduled():
            return replace(attempt, retry=event)
        case LimitReported():
            return replace(attempt, limit=event)
        case UsageReported(usage=usage, model=model):
            return replace(attempt, usage=attempt.usage + usage, model=attempt.model or model)
        case ClaudeEnded(result=result):
            return replace(attempt, result=result, ended_at=at, activity="", retry=None)
        case _:
            return attempt


def _evidence(attempt: AttemptView, event: Event, at: float) -> AttemptView:
    match event:
        case DiffTaken(diff=diff):
            return replace(attempt, diff=diff)
        case ChecksPlanned():
            return _planned(attempt, event, at)
        case CheckStarted() | CheckPrinted() | CheckFinished():
            return replace(attempt, checks=_checks(attempt.checks, event, at))
        case JudgeStarted() | JudgeWaiting() | JudgePrompted() | JudgeStreamed() | VerdictReached():
            return replace(attempt, judge=_judge(attempt.judge, event, at))
        case GateJudged(quality=quality, outcome=outcome, record=record):
            return replace(attempt, quality=quality, outcome=outcome, record=record, judged_at=at)
        case AuditDrawn():
            return replace(attempt, is_audited=True)
        case GateOpened(gate=gate):
            return replace(attempt, gate=gate)
        case DecisionMade(decision=decision):
            return replace(attempt, decision=decision, decided_at=at)
        case WorkAccepted():
            return replace(attempt, committed_at=at)
        case _:
            return attempt


def _opened(tally: ToolTally, call: str, tool: str) -> ToolTally:
    return replace(tally, calls=tally.calls + 1, open=(*tally.open, (call, tool)))


def _closed(tally: ToolTally, call: str, is_error: bool) -> ToolTally:
    still = tuple(item for item in tally.open if item[0] != call)
    return replace(tally, open=still, failed=tally.failed + is_error)


def _planned(attempt: AttemptView, event: ChecksPlanned, at: float) -> AttemptView:
    return replace(
        attempt,
        sandbox=event.sandbox,
        sandbox_note=event.note,
        checks=tuple(_planned_check(spec) for spec in event.checks),
        checks_planned_at=at,
    )


def _planned_check(spec: CheckSpec) -> CheckView:
    return CheckView(name=spec.name, command=spec.run)


def _checks(
    checks: tuple[CheckView, ...], event: CheckStarted | CheckPrinted | CheckFinished, at: float
) -> tuple[CheckView, ...]:
    match event:
        case CheckStarted(name=name, command=command):
            return _put(checks, CheckView(name=name, command=command, started_at=at))
        case CheckFinished(result=result):
            old = next((check for check in checks if check.name == result.spec.name), None)
            started = old.started_at if old and old.started_at is not None else at - result.duration_s
            return _put(
                checks,
                CheckView(name=result.spec.name, command=result.spec.run, started_at=started, result=result),
            )
        case CheckPrinted():
            return checks


def _put(checks: tuple[CheckView, ...], new: CheckView) -> tuple[CheckView, ...]:
    if any(check.name == new.name for check in checks):
        return tuple(new if check.name == new.name else check for check in checks)
    return (*checks, new)


def _judge(
    judge: JudgeView | None,
    event: JudgeStarted | JudgeWaiting | JudgePrompted | JudgeStreamed | VerdictReached,
    at: float,
) -> JudgeView | None:
    match event:
        case JudgeStarted(identity=identity, parts=parts, hunks=hunks):
            return JudgeView(identity=identity, parts=parts, hunks=hunks, started_at=at)
        case VerdictReached(verdict=verdict):
            known = judge or JudgeView(identity=verdict.identity, parts=0, hunks=0, started_at=at)
            return replace(known, verdict=verdict, waiting="", ended_at=at)
    if judge is None:
        return None
    match event:
        case JudgeWaiting(text=text):
            return replace(judge, waiting=text)
        case JudgePrompted(part=part):
            return replace(judge, part=part)
        case JudgeStreamed(part=part, text=text):
            since = at if judge.streaming_since is None else judge.streaming_since
            chars = judge.streamed_chars + len(text)
            return replace(judge, part=part, waiting="", streamed_chars=chars, streaming_since=since)
