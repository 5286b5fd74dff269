"""What has happened: past tense, frozen, complete in themselves.

The store derives every table row from these, the screen its whole state, and
a replay is the same events again. `Record` is an event with its place in the
journal. Events marked *streamed* may be joined with their neighbour and arrive
up to 50 ms late; all others are written before anybody hears of them.
"""

from dataclasses import dataclass
from typing import Literal

from obra_tui.core.ids import AttemptId, ClaudeSessionId, GateId, QuestionId, RuleId, SessionId, TaskId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import (
    Acceptance,
    Binding,
    CheckResult,
    CheckSpec,
    ConversationReason,
    Decision,
    Diff,
    GateOutcome,
    ImplementResult,
    JudgeIdentity,
    PermissionAnswer,
    PermissionQuestion,
    Policy,
    QualityResult,
    Reversal,
    SandboxLevel,
    SessionKind,
    TaskSpec,
    Usage,
    Verdict,
    WorkCopy,
)

# --- session -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    """First event of a session; sent before any of its tasks is added."""

    kind: SessionKind
    title: str
    project: str
    """Absolute path of the person's repository."""
    branch: str
    """`obra/<session>`."""
    base_commit: str
    policy: Policy
    threshold: float
    max_attempts: int
    rehearsal: str = ""
    """Name of the rehearsal scenario; empty = real models."""
    plan_source: str = ""
    versions: tuple[tuple[str, str], ...] = ()
    """(name, version) of what took part: obra, claude-agent-sdk, git, …"""
    type: Literal["session_opened"] = "session_opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed:
    """Last event of a session. Later work needs a new session."""

    reason: str = ""
    type: Literal["session_closed"] = "session_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """No new stage starts until `Resumed`; a running stage goes on."""

    by: str
    type: Literal["paused"] = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """The pause is over, or interrupted work was taken up again."""

    by: str
    type: Literal["resumed"] = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    """The run ends: `after_stage` lets running stages finish, `now` interrupts them."""

    mode: Literal["after_stage", "now"]
    by: str
    type: Literal["stop_requested"] = "stop_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The orchestrator began to work on the open tasks of the session."""

    type: Literal["run_started"] = "run_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """Nothing is left that could go on without a person. `waiting` gates may be open."""

    accepted: int
    rejected: int
    failed: int
    waiting: int
    interrupted: int
    blocked: int
    type: Literal["run_finished"] = "run_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemRaised:
    """Something outside the work needs the person: login, usage limit, judge gone, disk full."""

    code: str
    """`auth`, `limited`, `unreachable`, `judge`, `budget`, `disk`, …; one open problem per code."""
    text: str
    fix: str
    until: float | None = None
    """Epoch seconds when it ends by itself, if it does."""
    type: Literal["problem_raised"] = "problem_raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemCleared:
    """What this problem said is no longer so."""

    code: str
    type: Literal["problem_cleared"] = "problem_cleared"


# --- task ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAdded:
    """A task joined the session, at `position`; it is `blocked` if it waits for others."""

    spec: TaskSpec
    position: int
    state: State
    type: Literal["task_added"] = "task_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEdited:
    """A task that was not started says something else now."""

    spec: TaskSpec
    type: Literal["task_edited"] = "task_edited"


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksOrdered:
    """The plan has another order: all tasks of the session, first to last."""

    order: tuple[TaskId, ...]
    by: str
    type: Literal["tasks_ordered"] = "tasks_ordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskHeld:
    """The task does not start until `TaskReleased`."""

    by: str
    type: Literal["task_held"] = "task_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReleased:
    """The task may start again."""

    by: str
    type: Literal["task_released"] = "task_released"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRemoved:
    """The task was taken out of the plan before it was started; followed by its move to `cancelled`."""

    by: str
    type: Literal["task_removed"] = "task_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged:
    """The records just before this one are one change of the plan, made together and taken back together."""

    records: int
    """How many they are."""
    tasks: tuple[TaskId, ...]
    """What was changed."""
    by: str
    said: str = ""
    """What it is in a person's words."""
    undoes: int | None = None
    """`seq` of the earlier `PlanChanged` that this one takes back."""
    type: Literal["plan_changed"] = "plan_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMoved:
    """The only event that changes a task's state."""

    before: State
    trigger: Trigger
    after: State
    reason: str = ""
    type: Literal["task_moved"] = "task_moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPrepared:
    """The isolated copy is there; sent once per task, and again if it had to be made anew."""

    copy: WorkCopy
    type: Literal["copy_prepared"] = "copy_prepared"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRenewed:
    """A person went on although the budget of the task, or of the session, was used up: it begins anew."""

    by: str
    type: Literal["budget_renewed"] = "budget_renewed"


# --- attempt: Claude Code ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """Sent, with the Claude session id that was chosen, before any process is started."""

    number: int
    """1, 2, … within the task: every start counts here."""
    counted: int
    """How many attempts of the allowance were used up before this one."""
    claude_session: ClaudeSessionId
    reason: ConversationReason
    type: Literal["attempt_started"] = "attempt_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSent:
    """A prompt as Claude Code received it, word for word."""

    text: str
    kind: Literal["task", "retry", "steer"]
    by: str = "obra"
    type: Literal["prompt_sent"] = "prompt_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptHoldAsked:
    """A person wants to see the next prompt of the task before it is sent, or (`on` is false) no longer."""

    on: bool
    by: str
    type: Literal["prompt_hold_asked"] = "prompt_hold_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptHeld:
    """A prompt, as Obra built it, waits for a person: `PromptSent` says what became of it, or `PromptWithdrawn`."""

    text: str
    kind: Literal["task", "retry"]
    type: Literal["prompt_held"] = "prompt_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptWithdrawn:
    """The held prompt was not sent: its run ended first."""

    type: Literal["prompt_withdrawn"] = "prompt_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaudeStarted:
    """Claude Code reported itself; once per turn of the process."""

    claude_session: ClaudeSessionId
    model: str
    version: str
    pid: int | None
    permission_mode: str
    cwd: str
    type: Literal["claude_started"] = "claude_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaudeActivity:
    """What Claude Code says it is doing."""

    state: Literal["running", "requires_action", "idle", "compacting"]
    type: Literal["claude_activity"] = "claude_activity"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStreamed:
    """Streamed. A piece of Claude's text; `block` is unique within the attempt."""

    block: str
    text: str
    type: Literal["text_streamed"] = "text_streamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDropped:
    """The connection broke: what was streamed of `block` will be said again under another one."""

    block: str
    type: Literal["text_dropped"] = "text_dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFinished:
    """The complete text of a block; stands also for a block that was never streamed."""

    block: str
    text: str
    type: Literal["text_finished"] = "text_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingStreamed:
    """Streamed. A piece of Claude's thinking."""

    block: str
    text: str
    type: Literal["thinking_streamed"] = "thinking_streamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted:
    """Claude Code began a tool call."""

    call: str
    tool: str
    title: str
    """What it acts on, one line: `calculator.py`, `pytest -q`."""
    input_json: str
    parent: str = ""
    """Tool call of the subagent that made this one; empty for the main conversation."""
    type: Literal["tool_started"] = "tool_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished:
    """A tool call ended; `output` is what Claude was told, and may be cut."""

    call: str
    is_error: bool
    output: str
    patch: str = ""
    """Unified diff of an edit, from Claude Code's structured patch."""
    added: int = 0
    removed: int = 0
    duration_s: float = 0.0
    type: Literal["tool_finished"] = "tool_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionAsked:
    """Claude Code stands still until `PermissionAnswered` with the same question id."""

    question: PermissionQuestion
    type: Literal["permission_asked"] = "permission_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionAnswered:
    """A question was answered, by a person, by a rule, or because nobody was there."""

    question_id: QuestionId
    title: str
    answer: PermissionAnswer
    type: Literal["permission_answered"] = "permission_answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAllowed:
    """A person allowed this for the rest of the session; it holds until `RuleRevoked` or the session's end."""

    rule: RuleId
    pattern: str
    """Such as `Bash(pytest:*)`."""
    by: str
    title: str
    """What was asked when it was allowed."""
    type: Literal["rule_allowed"] = "rule_allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleUsed:
    """A call was not asked about because of a rule of the session."""

    rule: RuleId
    title: str
    type: Literal["rule_used"] = "rule_used"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRevoked:
    """A person took a rule of the session back; what it allowed is asked again from the next call on."""

    rule: RuleId
    by: str
    type: Literal["rule_revoked"] = "rule_revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled:
    """Claude Code itself tries the API again in `delay_s`."""

    attempt: int
    max_retries: int
    delay_s: float
    status: int | None
    error: str
    type: Literal["retry_scheduled"] = "retry_scheduled"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReported:
    """State of a subscription's usage window."""

    status: str
    window: str
    resets_at: float | None
    utilization: float | None
    type: Literal["limit_reported"] = "limit_reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReported:
    """What was consumed since the last report: add up, never replace."""

    usage: Usage
    model: str = ""
    type: Literal["usage_reported"] = "usage_reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaudeNoticed:
    """A message of the program itself: stderr, notification, unknown event type."""

    level: Literal["info", "warning", "error"]
    text: str
    raw_json: str = ""
    type: Literal["claude_noticed"] = "claude_noticed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SteerQueued:
    """The person's text was handed to the running turn, or waits for the next prompt."""

    text: str
    by: str
    delivered: bool
    type: Literal["steer_queued"] = "steer_queued"


@dataclass(frozen=True, slots=True, kw_only=True)
class SteerDelivered:
    """Claude has read what was queued for its running turn. Text that was not read goes into the next prompt."""

    text: str
    type: Literal["steer_delivered"] = "steer_delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaudeEnded:
    """The run of Claude Code is over and no process of it is left; exactly once per started attempt."""

    result: ImplementResult
    type: Literal["claude_ended"] = "claude_ended"


# --- attempt: evidence ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffTaken:
    """The work as the supervisor's own git saw it; everything that follows in the attempt is about this tree."""

    diff: Diff
    type: Literal["diff_taken"] = "diff_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksPlanned:
    """Which checks will run, and how well they are kept away from the machine."""

    checks: tuple[CheckSpec, ...]
    sandbox: SandboxLevel
    note: str = ""
    """Why the sandbox is not the best one, or why there is no check."""
    type: Literal["checks_planned"] = "checks_planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStarted:
    """A check began."""

    name: str
    command: str
    type: Literal["check_started"] = "check_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPrinted:
    """Streamed. Output of a running check."""

    name: str
    text: str
    type: Literal["check_printed"] = "check_printed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFinished:
    """A check ended, timed out, or could not be run at all."""

    result: CheckResult
    type: Literal["check_finished"] = "check_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeStarted:
    """The judge was asked; the diff was cut into `parts` that hold all `hunks`."""

    identity: JudgeIdentity
    parts: int
    hunks: int
    type: Literal["judge_started"] = "judge_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePrompted:
    """The prompt of one part as the judge received it."""

    part: int
    text: str
    token_estimate: int
    repair: bool = False
    type: Literal["judge_prompted"] = "judge_prompted"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeWaiting:
    """Nothing has come yet: `loading` the model, or waiting for the first token."""

    state: Literal["connecting", "loading", "reading", "retrying"]
    text: str
    type: Literal["judge_waiting"] = "judge_waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeStreamed:
    """Streamed. A piece of the judge's raw answer."""

    part: int
    text: str
    type: Literal["judge_streamed"] = "judge_streamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictReached:
    """The review is over, with a verdict or with the reason why there is none."""

    verdict: Verdict
    type: Literal["verdict_reached"] = "verdict_reached"


# --- gate ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GateJudged:
    """The gate was computed from the evidence of this attempt."""

    quality: QualityResult
    outcome: GateOutcome
    number: int
    type: Literal["gate_judged"] = "gate_judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpened:
    """A person must answer; others go on meanwhile."""

    gate: GateId
    binding: Binding
    reasons: tuple[str, ...]
    type: Literal["gate_opened"] = "gate_opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTakenOver:
    """A person took the copy into their own hands; nothing works on the task until `WorkHandedBack`."""

    by: str
    diff: Diff
    """The work as it was then."""
    type: Literal["work_taken_over"] = "work_taken_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkHandedBack:
    """A person changed the work by hand, at a gate or after they took it over."""

    gate: GateId | None = None
    """The gate that is gone with it; none after `WorkTakenOver`."""
    by: str
    then: Literal["check", "claude"] = "check"
    """`check`: the next attempt is the person's and is only looked at; `claude`: Claude goes on from there."""
    files: tuple[str, ...] = ()
    """What the person changed after they took it over."""
    type: Literal["work_handed_back"] = "work_handed_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionHeld:
    """The first answer to a gate; it is carried out at `until` and can be undone until then."""

    gate: GateId
    binding: Binding
    decision: Decision
    until: float
    """Epoch seconds."""
    type: Literal["decision_held"] = "decision_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionUndone:
    """A held answer was taken back, or what it was about had changed: the gate waits again."""

    gate: GateId
    by: str
    reason: str = ""
    type: Literal["decision_undone"] = "decision_undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade:
    """The first answer to a gate; there is no second. `gate` is empty when the policy decided."""

    gate: GateId | None
    binding: Binding
    decision: Decision
    type: Literal["decision_made"] = "decision_made"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkAccepted:
    """The commit that takes the work in is there."""

    acceptance: Acceptance
    type: Literal["work_accepted"] = "work_accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkReverted:
    """A person took accepted work back: the session's branch has a commit that undoes it. The task stays accepted.

    The only event that may come after `SessionClosed`.
    """

    reversal: Reversal
    by: str
    note: str
    type: Literal["work_reverted"] = "work_reverted"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkMerged:
    """Other work was accepted first, and both fit together. What comes out is new: it is checked before it is taken in.

    The checks that follow are about the merged tree, and so is the next `DiffTaken`.
    """

    tip: str
    """Commit of the session's branch that the work was merged onto."""
    type: Literal["work_merged"] = "work_merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictFound:
    """Accepted work met other accepted work in the same lines; the task is done again from `tip` on."""

    files: tuple[str, ...]
    tip: str
    """Commit of the session's branch that the next attempt starts from."""
    type: Literal["conflict_found"] = "conflict_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkKept:
    """Work that was not accepted stays reachable under this ref of the supervisor's own repository."""

    ref: str
    commit: str
    type: Literal["work_kept"] = "work_kept"


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
)

STREAMED = (TextStreamed, ThinkingStreamed, CheckPrinted, JudgeStreamed)
"""Event classes that may be joined with their neighbour of the same key."""

TALK = frozenset((TextStreamed, ThinkingStreamed, TextFinished, ToolStarted, ToolFinished))
"""What Claude says and does: nearly all of a journal, and nothing that a later step depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An event with its place: `seq` grows by one per session without gaps, `at` is epoch seconds."""

    seq: int
    at: float
    session: SessionId
    task: TaskId | None
    attempt: AttemptId | None
    event: Event
