"""What has happened: past tense, frozen, complete in themselves.

The store derives every table row from these, the screen its whole state, and
a replay is the same events again. `Record` is an event with its place in the
journal. Events marked *streamed* may be joined with their neighbour and arrive
up to 50 ms late; all others are written before anybody hears of them.
"""

from msgspec import Struct

from obra_tui.core.events.attempt import (
    AttemptStarted,
    ClaudeActivity,
    ClaudeEnded,
    ClaudeNoticed,
    ClaudeStarted,
    LimitReported,
    PromptHeld,
    PromptHoldAsked,
    PromptSent,
    PromptWithdrawn,
    RetryScheduled,
    SteerDelivered,
    SteerQueued,
    TextDropped,
    TextFinished,
    TextStreamed,
    ThinkingStreamed,
    ToolFinished,
    ToolStarted,
    UsageReported,
)
from obra_tui.core.events.evidence import (
    CheckFinished,
    CheckPrinted,
    ChecksPlanned,
    CheckStarted,
    DiffTaken,
    JudgePrompted,
    JudgeStarted,
    JudgeStreamed,
    JudgeWaiting,
    VerdictReached,
)
from obra_tui.core.events.gate import (
    ConflictFound,
    DecisionHeld,
    DecisionMade,
    DecisionUndone,
    GateJudged,
    GateOpened,
    WorkAccepted,
    WorkHandedBack,
    WorkKept,
    WorkMerged,
    WorkReverted,
    WorkTakenOver,
)
from obra_tui.core.events.judging import (
    AuditDrawn,
    CaseKept,
    CaseRetired,
    JudgeAcknowledged,
    Judging,
    StandingChanged,
    TrialDone,
    WorkLabelled,
)
from obra_tui.core.events.permission import (
    PermissionAnswered,
    PermissionAsked,
    RuleAllowed,
    RuleRevoked,
    RuleUsed,
)
from obra_tui.core.events.plan import (
    BudgetRenewed,
    CopyPrepared,
    PlanChanged,
    TaskAdded,
    TaskEdited,
    TaskHeld,
    TaskMoved,
    TaskReleased,
    TaskRemoved,
    TasksOrdered,
)
from obra_tui.core.events.session import (
    Paused,
    ProblemCleared,
    ProblemRaised,
    Resumed,
    RunFinished,
    RunStarted,
    SessionClosed,
    SessionOpened,
    StopRequested,
)
from obra_tui.core.events.streams import STREAMED, Streamed
from obra_tui.core.ids import AttemptId, SessionId, TaskId

Event = (
    SessionOpened
    | SessionClosed
    | Paused
    | Resumed
    | StopRequested
    | RunStarted
    | RunFinished
    | ProblemRaised
    | ProblemCleared
    | TaskAdded
    | TaskEdited
    | TasksOrdered
    | TaskHeld
    | TaskReleased
    | TaskRemoved
    | PlanChanged
    | TaskMoved
    | CopyPrepared
    | BudgetRenewed
    | AttemptStarted
    | PromptSent
    | PromptHoldAsked
    | PromptHeld
    | PromptWithdrawn
    | ClaudeStarted
    | ClaudeActivity
    | TextStreamed
    | TextDropped
    | TextFinished
    | ThinkingStreamed
    | ToolStarted
    | ToolFinished
    | PermissionAsked
    | PermissionAnswered
    | RuleAllowed
    | RuleUsed
    | RuleRevoked
    | RetryScheduled
    | LimitReported
    | UsageReported
    | ClaudeNoticed
    | SteerQueued
    | SteerDelivered
    | ClaudeEnded
    | DiffTaken
    | ChecksPlanned
    | CheckStarted
    | CheckPrinted
    | CheckFinished
    | JudgeStarted
    | JudgePrompted
    | JudgeWaiting
    | JudgeStreamed
    | VerdictReached
    | GateJudged
    | GateOpened
    | WorkTakenOver
    | WorkHandedBack
    | DecisionHeld
    | DecisionUndone
    | DecisionMade
    | WorkAccepted
    | WorkReverted
    | WorkMerged
    | ConflictFound
    | WorkKept
    | AuditDrawn
    | StandingChanged
    | CaseKept
    | CaseRetired
    | TrialDone
    | WorkLabelled
    | JudgeAcknowledged
)

TALK = frozenset((TextStreamed, ThinkingStreamed, TextFinished, ToolStarted, ToolFinished))
"""What Claude says and does: nearly all of a journal, and nothing that a later step depends on."""


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """An event with its place: `seq` grows by one per session without gaps, `at` is epoch seconds."""

    seq: int
    at: float
    session: SessionId
    task: TaskId | None
    attempt: AttemptId | None
    event: Event


__all__ = [
    "STREAMED",
    "TALK",
    "AttemptStarted",
    "AuditDrawn",
    "BudgetRenewed",
    "CaseKept",
    "CaseRetired",
    "CheckFinished",
    "CheckPrinted",
    "CheckStarted",
    "ChecksPlanned",
    "ClaudeActivity",
    "ClaudeEnded",
    "ClaudeNoticed",
    "ClaudeStarted",
    "ConflictFound",
    "CopyPrepared",
    "DecisionHeld",
    "DecisionMade",
    "DecisionUndone",
    "DiffTaken",
    "Event",
    "GateJudged",
    "GateOpened",
    "JudgeAcknowledged",
    "JudgePrompted",
    "JudgeStarted",
    "JudgeStreamed",
    "JudgeWaiting",
    "Judging",
    "LimitReported",
    "Paused",
    "PermissionAnswered",
    "PermissionAsked",
    "PlanChanged",
    "ProblemCleared",
    "ProblemRaised",
    "PromptHeld",
    "PromptHoldAsked",
    "PromptSent",
    "PromptWithdrawn",
    "Record",
    "Resumed",
    "RetryScheduled",
    "RuleAllowed",
    "RuleRevoked",
    "RuleUsed",
    "RunFinished",
    "RunStarted",
    "SessionClosed",
    "SessionOpened",
    "StandingChanged",
    "SteerDelivered",
    "SteerQueued",
    "StopRequested",
    "Streamed",
    "TaskAdded",
    "TaskEdited",
    "TaskHeld",
    "TaskMoved",
    "TaskReleased",
    "TaskRemoved",
    "TasksOrdered",
    "TextDropped",
    "TextFinished",
    "TextStreamed",
    "ThinkingStreamed",
    "ToolFinished",
    "ToolStarted",
    "TrialDone",
    "UsageReported",
    "VerdictReached",
    "WorkAccepted",
    "WorkHandedBack",
    "WorkKept",
    "WorkLabelled",
    "WorkMerged",
    "WorkReverted",
    "WorkTakenOver",
]
