"""What the engine knows of a session: the events so far, folded into one value per task.

The running engine and the recovery after a crash use the same `apply`, so that
what is rebuilt is what was there.
"""

from collections.abc import Iterable
from types import MappingProxyType

from msgspec import Struct, field

from obra_tui.core.budget import Consumed
from obra_tui.core.events import (
    TALK,
    AttemptStarted,
    BudgetRenewed,
    CheckFinished,
    ChecksPlanned,
    ClaudeEnded,
    ClaudeStarted,
    ConflictFound,
    CopyPrepared,
    DecisionHeld,
    DecisionMade,
    DecisionUndone,
    DiffTaken,
    GateJudged,
    GateOpened,
    Paused,
    PromptHeld,
    PromptHoldAsked,
    PromptSent,
    PromptWithdrawn,
    Record,
    Resumed,
    RuleAllowed,
    RuleRevoked,
    RuleUsed,
    RunStarted,
    SessionClosed,
    SessionOpened,
    SteerDelivered,
    SteerQueued,
    TaskAdded,
    TaskEdited,
    TaskHeld,
    TaskMoved,
    TaskReleased,
    TaskRemoved,
    TasksOrdered,
    UsageReported,
    VerdictReached,
    WorkAccepted,
    WorkHandedBack,
    WorkMerged,
    WorkReverted,
    WorkTakenOver,
)
from obra_tui.core.gate import PreviousAttempt, remember
from obra_tui.core.ids import AttemptId, ClaudeSessionId, GateId, SessionId, TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import (
    Acceptance,
    CheckResult,
    Decision,
    DecisionKind,
    Diff,
    Finding,
    FindingSource,
    GateOutcome,
    ImplementResult,
    OpenGate,
    Outcome,
    QualityResult,
    Reversal,
    Severity,
    TaskSpec,
    Usage,
    Verdict,
    WorkCopy,
)
from obra_tui.core.permission_rules import Rules, apply_to_rules
from obra_tui.engine.prompts import by_hand_note


class TaskWork(Struct):
    """A task as the engine sees it. Changed by `apply` only."""

    spec: TaskSpec
    original: TaskSpec
    """As it was added, before anybody edited it."""
    position: int
    state: State
    authors: tuple[str, ...] = ()
    """Who asked for it, changed what is asked, or worked on it by hand."""
    held_back: bool = False
    """A person does not want it started yet."""
    removed: bool = False
    copy: WorkCopy | None = None
    number: int = 0
    """Attempts started."""
    counted: int = 0
    """Attempts of the allowance used up: completed runs that changed something."""
    attempt: AttemptId | None = None
    claude_session: ClaudeSessionId | None = None
    claude_ended: ImplementResult | None = None
    diff: Diff | None = None
    checks: tuple[CheckResult, ...] = ()
    verdict: Verdict | None = None
    quality: QualityResult | None = None
    outcome: GateOutcome | None = None
    earlier: tuple[PreviousAttempt, ...] = ()
    previous_findings: tuple[Finding, ...] = ()
    """Of the attempt before, by checks, judge and person: the judge is asked whether they are still there."""
    gate: OpenGate | None = None
    decision: Decision | None = None
    """The last answer to a gate; a request for changes stays here until its attempt started."""
    handed_back: str = ""
    """Who changed the work by hand; the next attempt only looks at it."""
    held: DecisionHeld | None = None
    """An answer to the gate that can still be undone."""
    notes: tuple[str, ...] = ()
    """Text of the person that waits for the next prompt."""
    unread: tuple[str, ...] = ()
    """Text that was handed to the running turn and that Claude has not read yet."""
    hold_next: bool = False
    """A person wants to see the next prompt before it is sent."""
    held_prompt: PromptHeld | None = None
    taken: WorkTakenOver | None = None
    """A person has the copy in their own hands."""
    usage: Usage = field(default_factory=Usage)
    spent: Consumed = field(default_factory=Consumed)
    """Since its budget began, or was renewed."""
    conflict: ConflictFound | None = None
    """The work met other accepted work; stays here until the prompt that says so was sent."""
    acceptance: Acceptance | None = None
    reversal: Reversal | None = None
    """The accepted work was taken back."""
    merged: WorkMerged | None = None
    """The work was merged with other accepted work; stays here until the next prompt was sent."""
    approved_checks: tuple[CheckResult, ...] = ()
    """What the checks had said when the work was approved."""
    prompted: bool = False
    """The present Claude session has received a prompt and can be resumed."""


class SessionWork(Struct):
    id: SessionId
    opened: SessionOpened
    tasks: dict[TaskId, TaskWork] = field(default_factory=dict)
    paused: bool = False
    started: bool = False
    closed: bool = False
    spent: Consumed = field(default_factory=Consumed)
    """Since its budget began, or was renewed."""
    rules: Rules = field(default_factory=dict)
    """What a person allowed Claude for the session."""
    answered: dict[GateId, tuple[str, float]] = field(default_factory=dict)
    """Who answered a gate, and when (epoch seconds)."""

    def by_key(self) -> MappingProxyType[str, TaskWork]:
        return MappingProxyType({work.spec.key: work for work in self.tasks.values()})


NOT_FOLDED = (
    "text_finished", "text_dropped", "tool_started", "tool_finished", "claude_activity", "permission_asked",
    "permission_answered", "claude_noticed", "check_started", "judge_started", "judge_prompted", "judge_waiting",
)  # fmt: skip
"""Types of events that `apply` does nothing with: the most of a long session, and not read to rebuild it."""


def rebuild(session: SessionId, records: Iterable[Record]) -> SessionWork | None:
    """Return the session as its records tell it, or None without a `SessionOpened`."""
    work: SessionWork | None = None
    for record in records:
        if isinstance(record.event, SessionOpened):
            work = SessionWork(id=session, opened=record.event)
        elif work is not None:
            apply(work, record)
    return work


def apply(work: SessionWork, record: Record) -> None:
    if type(record.event) in TALK:  # compared with nothing else: there is too much of it
        return
    _count(work, record)
    match record.event:
        case Paused():
            work.paused = True
        case Resumed():
            work.paused = False
        case RunStarted():
            work.started = True
        case SessionClosed():
            work.closed = True
        case RuleAllowed() | RuleUsed() | RuleRevoked():
            work.rules = apply_to_rules(work.rules, record)
        case TaskAdded(spec=spec, position=position, state=state, by=by):
            authors = (by,) if by else ()
            work.tasks[spec.id] = TaskWork(spec=spec, original=spec, position=position, state=state, authors=authors)
        case TasksOrdered(order=order):
            for position, task in enumerate(order):
                work.tasks[task].position = position
        case _ if record.task is not None:
            _remember_answer(work, record)
            _apply_to_task(work.tasks[record.task], record)


def _count(work: SessionWork, record: Record) -> None:
    """Book what was consumed on the session and on the task."""
    task = work.tasks.get(record.task) if record.task else None
    owners: list[SessionWork | TaskWork] = [work] if task is None else [work, task]
    match record.event:
        case UsageReported(usage=usage):
            for owner in owners:
                owner.spent = owner.spent.used(usage)
        case ClaudeEnded(result=result):
            for owner in owners:
                owner.spent = owner.spent.worked(result)
        case BudgetRenewed():
            owners[-1].spent = Consumed()


def _remember_answer(work: SessionWork, record: Record) -> None:
    match record.event:
        case DecisionHeld(gate=gate, decision=decision):
            work.answered[gate] = (decision.by, record.at)
        case DecisionMade(gate=gate, decision=decision) if gate is not None:
            work.answered.setdefault(gate, (decision.by, record.at))
        case DecisionUndone(gate=gate):
            work.answered.pop(gate, None)


def _apply_to_task(task: TaskWork, record: Record) -> None:
    match record.event:
        case TaskMoved(after=after):
            task.state = after
            task.held = None
        case TaskEdited(spec=spec, by=by):
            task.spec = spec
            _note_author(task, by)
        case TaskHeld() | TaskReleased():
            task.held_back = isinstance(record.event, TaskHeld)
        case TaskRemoved():
            task.removed = True
        case DecisionHeld() as held:
            task.held = held
        case DecisionUndone():
            task.held = None
        case GateOpened() | DecisionMade() | WorkAccepted() | WorkReverted():
            _apply_gate(task, record)
        case _:
            _apply_to_copy(task, record)


def _apply_to_copy(task: TaskWork, record: Record) -> None:
    """What happened to the work outside of Claude's runs."""
    match record.event:
        case CopyPrepared(copy=copy):
            task.copy = copy
        case ConflictFound() as conflict:
            task.conflict = conflict
        case WorkMerged() as merged:
            task.merged = merged
        case WorkTakenOver() as taken:
            task.taken = taken
        case WorkHandedBack() as back:
            _hand_back(task, back)
        case SteerQueued() | SteerDelivered() | PromptHoldAsked() | PromptHeld() | PromptWithdrawn():
            _apply_steering(task, record)
        case _:
            _apply_to_attempt(task, record)


def _note_author(task: TaskWork, by: str) -> None:
    if by and by not in task.authors:
        task.authors = (*task.authors, by)


def _hand_back(task: TaskWork, back: WorkHandedBack) -> None:
    task.gate = task.taken = None
    if back.files or back.then == "check":
        _note_author(task, back.by)
    if back.then == "check":
        task.handed_back = back.by
    elif back.files:
        task.notes = (*task.notes, by_hand_note(back.files))


def _apply_steering(task: TaskWork, record: Record) -> None:
    match record.event:
        case SteerQueued(delivered=False, text=text):
            task.notes = (*task.notes, text)
        case SteerQueued(text=text):
            task.unread = (*task.unread, text)
        case SteerDelivered(text=text) if text in task.unread:
            index = task.unread.index(text)
            task.unread = (*task.unread[:index], *task.unread[index + 1 :])
        case PromptHoldAsked(on=on):
            task.hold_next = on
        case PromptHeld() as held:
            task.held_prompt = held
        case PromptWithdrawn():
            task.held_prompt = None


def _apply_to_attempt(task: TaskWork, record: Record) -> None:
    match record.event:
        case AttemptStarted() as event:
            _begin_attempt(task, record.attempt, event)
        case PromptSent(kind="task" | "retry"):
            task.prompted = True
            task.held_prompt, task.hold_next = None, False
            task.notes = ()
            task.decision = None
            task.conflict = None
            task.merged = None
        case ClaudeStarted(claude_session=claude_session):
            task.claude_session = claude_session
        case UsageReported(usage=usage):
            task.usage = task.usage + usage
        case ClaudeEnded(result=result):
            task.claude_ended = result
            # What Claude did not come to read is not lost.
            task.notes, task.unread = (*task.notes, *task.unread), ()
        case DiffTaken(diff=diff):
            _take_diff(task, diff)
        case ChecksPlanned():
            task.checks = ()
        case CheckFinished(result=check):
            task.checks = (*task.checks, check)
        case VerdictReached(verdict=verdict):
            task.verdict = verdict
        case GateJudged(quality=quality, outcome=outcome):
            task.quality, task.outcome = quality, outcome
            task.handed_back = ""


def _begin_attempt(task: TaskWork, attempt: AttemptId | None, event: AttemptStarted) -> None:
    if task.quality is not None and task.diff is not None:
        task.earlier = (*task.earlier, remember(task.quality, task.diff))
        task.previous_findings = _found_before(task.quality, task.decision)
    if task.claude_session != event.claude_session:
        task.prompted = False
    task.number = event.number
    task.attempt = attempt
    task.claude_session = event.claude_session
    task.claude_ended = task.diff = task.verdict = task.quality = task.outcome = None
    task.checks = ()


def _found_before(quality: QualityResult, decision: Decision | None) -> tuple[Finding, ...]:
    """Return what the attempt before was found to lack; the words of the person who sent it back with it."""
    asked = decision.chosen if decision is not None else ()
    if decision is not None and decision.note.strip():
        asked = (Finding(severity=Severity.MAJOR, message=decision.note, source=FindingSource.PERSON), *asked)
    return tuple({finding.fingerprint: finding for finding in (*quality.findings, *asked)}.values())


def _take_diff(task: TaskWork, diff: Diff) -> None:
    again, task.diff = task.diff is not None, diff
    ended = task.claude_ended
    if not again and ended is not None and ended.outcome is Outcome.COMPLETED and not diff.empty:
        task.counted += 1


def _apply_gate(task: TaskWork, record: Record) -> None:
    match record.event:
        case GateOpened(gate=gate, binding=binding, reasons=reasons):
            task.gate = OpenGate(
                id=gate,
                session=record.session,
                task=task.spec.id,
                binding=binding,
                reasons=reasons,
                opened_at=record.at,
            )
        case DecisionMade(decision=decision):
            task.gate = None
            task.decision = decision if decision.kind is DecisionKind.CHANGES else None
            if decision.kind is DecisionKind.APPROVE:
                task.approved_checks = task.checks
        case WorkAccepted(acceptance=acceptance):
            task.acceptance = acceptance
        case WorkReverted(reversal=reversal):
            task.reversal = reversal
