"""What is read back for people: the values of the history and review screens, and the role that gives them.

Everything here is a snapshot: it does not change when work goes on. Who shows
live work follows `History.records` from the last number it knows.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, Literal, Protocol, TypeVar

from msgspec import Struct, field

from obra_tui.core.events import ChecksPlanned, DecisionMade, JudgePrompted, PromptSent, Record, WorkKept, WorkReverted
from obra_tui.core.ids import AttemptId, ClaudeSessionId, GateId, QuestionId, SessionId, TaskId
from obra_tui.core.judging.authority import JudgeRecord
from obra_tui.core.judging.book import CaseBook, PastWork
from obra_tui.core.judging.standing import LIMIT
from obra_tui.core.lifecycle import State
from obra_tui.core.model import (
    Acceptance,
    Binding,
    CheckResult,
    ConversationReason,
    DecisionKind,
    Diff,
    GateDecision,
    GateOutcome,
    ImplementResult,
    Outcome,
    PermissionVerdict,
    Policy,
    QualityResult,
    SessionKind,
    TaskSpec,
    Usage,
    Verdict,
)
from obra_tui.core.records.metrics import MetricsReport, Scope
from obra_tui.core.records.search import Query

Row = TypeVar("Row")


# --- pages ---------------------------------------------------------------------------------------


class PageCursor(Struct, frozen=True, kw_only=True):
    """Where a page ended: time and id of its last row."""

    at: float
    id: str


class Page(Struct, Generic[Row], frozen=True, kw_only=True):
    """Rows, newest first; `next` starts the page after it and is `None` on the last one."""

    rows: tuple[Row, ...]
    next: PageCursor | None = None


# --- rows ----------------------------------------------------------------------------------------


class SessionSummary(Struct, frozen=True, kw_only=True):
    id: SessionId
    kind: SessionKind
    title: str
    project: str
    policy: Policy
    rehearsal: str
    """Name of the rehearsal scenario; empty = real models."""
    opened_at: float
    closed_at: float | None
    states: tuple[tuple[State, int], ...] = ()
    """How many tasks are in each state; states without a task are left out."""
    attempts: int = 0
    waiting: int = 0
    """Gates that wait for a person."""
    reverted: int = 0
    """Of how many accepted tasks the work was taken back."""
    score: float | None = None
    """Mean over the tasks of the score that each got last."""
    usage: Usage = field(default_factory=Usage)

    @property
    def tasks(self) -> int:
        return sum(count for _, count in self.states)

    def in_state(self, state: State) -> int:
        return dict(self.states).get(state, 0)


class TaskSummary(Struct, frozen=True, kw_only=True):
    id: TaskId
    session: SessionId
    key: str
    title: str
    position: int
    state: State
    reason: str
    """Why it is in this state, if something was said."""
    changed_at: float
    attempts: int
    score: float | None
    """Of the last attempt that has one."""
    commit: str
    """Commit that took the work in; empty if none did."""
    reverted: str = ""
    """Commit that took it back later; the state stays `accepted`."""


class AttemptSummary(Struct, frozen=True, kw_only=True):
    id: AttemptId
    session: SessionId
    task: TaskId
    task_key: str
    task_title: str
    task_state: State
    number: int
    counted: int
    started_at: float
    ended_at: float | None
    outcome: Outcome | None
    """How Claude Code's run ended; `None` while it runs, or if it was cut off."""
    detail: str
    score: float | None
    passes: bool | None
    gate_decision: GateDecision | None
    decision: DecisionKind | None
    decided_by: str
    accepted: bool
    waiting: GateId | None
    """The gate of this attempt that waits for a person."""
    claude_model: str
    judge_model: str
    usage: Usage
    reverted: str = ""
    """Commit that took the accepted work back."""

    @property
    def seconds(self) -> float | None:
        return None if self.ended_at is None else self.ended_at - self.started_at


class GateSummary(Struct, frozen=True, kw_only=True):
    """A gate that waits for a person, with what a list shows of it."""

    id: GateId
    session: SessionId
    session_title: str
    project: str
    task: TaskId
    task_key: str
    task_title: str
    attempt: AttemptId
    number: int
    opened_at: float
    score: float | None
    passes: bool | None


class StoredConversation(Struct, frozen=True, kw_only=True):
    """A conversation of Claude Code that took part in an attempt."""

    id: ClaudeSessionId
    reason: ConversationReason
    reported: bool
    """Claude Code itself reported this id; otherwise it was only asked for."""
    model: str
    version: str


class PermissionEntry(Struct, frozen=True, kw_only=True):
    id: QuestionId
    tool: str
    title: str
    asked_at: float
    answered_at: float | None
    verdict: PermissionVerdict | None
    by: str
    note: str


class SearchHit(Struct, frozen=True, kw_only=True):
    """A record that holds the words that were searched for."""

    session: SessionId
    session_title: str
    task: TaskId | None
    task_title: str
    attempt: AttemptId | None
    seq: int
    at: float
    kind: str
    """Type of the event: `prompt_sent`, `diff_taken`, …"""
    line: str
    """One line of its text around the first match."""
    marks: tuple[tuple[int, int], ...]
    """Where the words stand in `line`: start and end."""


class SearchResult(Struct, frozen=True, kw_only=True):
    """One answer to a search line: an attempt, or a record that holds the words."""

    at: float
    session: SessionId
    session_title: str
    kind: SessionKind
    rehearsal: str
    attempt: AttemptSummary | None
    """None for a record of a session that belongs to no attempt."""
    hit: SearchHit | None = None
    """The record, when words were asked for."""


# --- details -------------------------------------------------------------------------------------


class SessionDetail(Struct, frozen=True, kw_only=True):
    summary: SessionSummary
    branch: str
    base_commit: str
    threshold: float
    max_attempts: int
    plan_source: str
    close_reason: str
    versions: tuple[tuple[str, str], ...]
    tasks: tuple[TaskSummary, ...]
    attempts: tuple[AttemptSummary, ...]
    """Oldest first."""


class StoredGate(Struct, frozen=True, kw_only=True):
    """A gate, open or answered."""

    id: GateId
    binding: Binding
    reasons: tuple[str, ...]
    opened_at: float
    closed_at: float | None

    @property
    def open(self) -> bool:
        return self.closed_at is None


class AttemptDetail(Struct, frozen=True, kw_only=True):
    """Everything that is known of an attempt but its transcript, which `attempt_records` gives."""

    summary: AttemptSummary
    spec: TaskSpec
    conversations: tuple[StoredConversation, ...] = ()
    prompts: tuple[PromptSent, ...] = ()
    permissions: tuple[PermissionEntry, ...] = ()
    result: ImplementResult | None = None
    diff: Diff | None = None
    planned: ChecksPlanned | None = None
    checks: tuple[CheckResult, ...] = ()
    judge_prompts: tuple[JudgePrompted, ...] = ()
    verdict: Verdict | None = None
    quality: QualityResult | None = None
    outcome: GateOutcome | None = None
    record: str = ""
    """What was known of the judge when the gate was judged."""
    is_audited: bool = False
    """It was drawn to be looked at as if nobody had judged it."""
    gate: StoredGate | None = None
    decision: DecisionMade | None = None
    acceptance: Acceptance | None = None
    reverted: WorkReverted | None = None
    kept: WorkKept | None = None


class GateDetail(Struct, frozen=True, kw_only=True):
    """What a person needs to answer a gate."""

    gate: StoredGate
    session: SessionSummary
    attempt: AttemptDetail
    earlier: tuple[AttemptSummary, ...]
    """The task's attempts before this one, oldest first."""


# --- the role ------------------------------------------------------------------------------------

IdKind = Literal["session", "task", "attempt", "gate"]


class History(Protocol):
    """Reading for people. Never blocks the writer; safe from any thread, never call it on the screen's.

    Raises `UnknownId` for an id that is not there and `StoreError` when the database cannot be read.
    """

    def sessions(self, after: PageCursor | None = None, limit: int = 50, *, project: str = "") -> Page[SessionSummary]:
        """All sessions, or those of the repository at the absolute path `project`."""
        ...

    def attempts(self, after: PageCursor | None = None, limit: int = 50) -> Page[AttemptSummary]: ...

    def session(self, session: SessionId) -> SessionDetail: ...

    def attempt(self, attempt: AttemptId) -> AttemptDetail: ...

    def gates(self) -> tuple[GateSummary, ...]:
        """Gates that wait for a person, oldest first."""
        ...

    def gate(self, gate: GateId) -> GateDetail:
        """A gate, open or answered, with all of its evidence."""
        ...

    def records(self, session: SessionId, after: int = 0, limit: int = 500) -> Sequence[Record]:
        """The records that follow number `after`, streamed ones included, in order: for replay and live viewing."""
        ...

    def attempt_records(self, attempt: AttemptId, after: int = 0, limit: int = 500) -> Sequence[Record]:
        """Records of one attempt without the streamed ones, in order: its transcript."""
        ...

    def last_seq(self, session: SessionId) -> int: ...

    def resolve(self, prefix: str, *kinds: IdKind) -> tuple[IdKind, str]:
        """Return the one id that begins with `prefix`, looking at all kinds if none is named.

        Raises `UnknownId` when there is none, or more than one, naming some of them.
        """
        ...

    def find(self, query: Query, after: PageCursor | None = None, limit: int = 50) -> Page[SearchResult]:
        """Answer a search line, newest first: attempts, or with words the records that hold them all.

        A search that another thread ended by `stop_finding` raises `StoreError`.
        """
        ...

    def stop_finding(self) -> None:
        """End the searches that are under way; from any thread."""
        ...

    def known_names(self) -> Mapping[str, tuple[str, ...]]:
        """Names that occur, by field of the search line: what its clauses are completed with."""
        ...

    def judge_records(
        self, project: str = "", *, rehearsal: bool = False, limit: float = LIMIT
    ) -> tuple[JudgeRecord, ...]:
        """The record of each judge of a project, or of all; the one that was asked last comes first."""
        ...

    def judge_book(self, project: str = "", *, rehearsal: bool = False) -> CaseBook:
        """All that was written about the judges of a project: cases, trials, labels, changes of authority."""
        ...

    def past_work(self, project: str = "", *, rehearsal: bool = False) -> tuple[PastWork, ...]:
        """All attempts of a project with what is known of their worth, oldest first."""
        ...

    def measure(self, scope: Scope) -> MetricsReport:
        """Every figure of `core.measures` for a window of time, as one group or several."""
        ...
