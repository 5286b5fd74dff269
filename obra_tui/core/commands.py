"""What a person or a script asks for: imperative, frozen.

A command is handed to the orchestrator's thread and answered by a value or by
one of `core.errors`; what it changed is told by events.
"""

from typing import Literal

from msgspec import Struct

from obra_tui.core.events.judging import Judging
from obra_tui.core.ids import GateId, QuestionId, RuleId, SessionId, TaskId
from obra_tui.core.model import Binding, Decision, PermissionAnswer, SessionKind, TaskSpec, Usage


class OpenSession(Struct, frozen=True, kw_only=True):
    """Answered with the new `SessionId`. A second open milestone session of a project is refused."""

    kind: SessionKind
    title: str
    plan_source: str = ""
    project: str = ""
    """Refused if the engine works on another project; empty = whichever it works on."""


class CloseSession(Struct, frozen=True, kw_only=True):
    """Refused while work of the session is running."""

    session: SessionId
    reason: str = ""


class AddTasks(Struct, frozen=True, kw_only=True):
    """Answered with the tuple of new `TaskId`s; refused as a whole if keys or dependencies are wrong."""

    session: SessionId
    tasks: tuple[TaskSpec, ...]
    by: str = ""
    """Who asks for them; empty = not said, as by older callers."""


class EditTask(Struct, frozen=True, kw_only=True):
    """Change a task that no attempt was made at; its id and its key stay. Refused as a whole if it cannot be."""

    task: TaskId
    spec: TaskSpec
    by: str


class MoveTask(Struct, frozen=True, kw_only=True):
    """Give a task that was not started another place in the plan, counted from 0."""

    task: TaskId
    position: int
    by: str


class HoldTask(Struct, frozen=True, kw_only=True):
    """Do not start this task until it is released."""

    task: TaskId
    by: str


class ReleaseTask(Struct, frozen=True, kw_only=True):
    """Let a task that was held back start again."""

    task: TaskId
    by: str


class RemoveTask(Struct, frozen=True, kw_only=True):
    """Take a task that was not started out of the plan. Refused while others wait for it."""

    task: TaskId
    by: str


PlanChange = AddTasks | EditTask | MoveTask | HoldTask | ReleaseTask | RemoveTask
"""What can be changed about a plan."""


class ChangePlan(Struct, frozen=True, kw_only=True):
    """Several changes to the plan of one session, each made after the one before; all of them, or none."""

    session: SessionId
    changes: tuple[PlanChange, ...]
    said: str = ""
    """What it is in a person's words, such as `T003 was added.`"""
    by: str = ""


class UndoPlanChange(Struct, frozen=True, kw_only=True):
    """Take back the last `ChangePlan` of the session that was not taken back yet. Answered with what it was in words.

    Refused when there is none, or a task that it was about was started since.
    """

    session: SessionId
    by: str


class RunFrom(Struct, frozen=True, kw_only=True):
    """Hold back the tasks before this one, release the others, and start the run."""

    task: TaskId
    by: str


class StartRun(Struct, frozen=True, kw_only=True):
    """Work on all open tasks of the session; answered at once, the run goes on in the background."""

    session: SessionId
    close_when_done: bool = False
    """Close the session when every task is in a final state."""
    tasks: tuple[TaskSpec, ...] = ()
    """Added before the start, as by `AddTasks`; those that the session has already are left as they are."""
    by: str = ""
    """Who adds them."""


class Pause(Struct, frozen=True, kw_only=True):
    """Start no new stage; a running one goes on to its end."""

    session: SessionId
    by: str


class Resume(Struct, frozen=True, kw_only=True):
    """Go on after a pause, and take up the session's interrupted tasks again."""

    session: SessionId
    by: str
    fork: bool = False
    """Interrupted tasks go on in a fork of their conversation with Claude; the old one stays as it was."""


class StopRun(Struct, frozen=True, kw_only=True):
    """End the run: `after_stage` lets running stages finish, `now` interrupts them. Work is kept in both cases."""

    session: SessionId
    mode: Literal["after_stage", "now"]
    by: str


class CancelTask(Struct, frozen=True, kw_only=True):
    """End the task for good; what was done is kept. Refused while its commit is being made."""

    task: TaskId
    by: str


class InterruptClaude(Struct, frozen=True, kw_only=True):
    """Stop the present turn; the conversation is kept and goes on with the next text or attempt."""

    task: TaskId
    by: str


class SendText(Struct, frozen=True, kw_only=True):
    """Text for Claude: into the running turn, or into the next prompt if none runs."""

    task: TaskId
    text: str
    by: str


class HoldPrompt(Struct, frozen=True, kw_only=True):
    """Show the next prompt of the task to a person before it is sent; `on=False` takes the wish back."""

    task: TaskId
    by: str
    on: bool = True


class SendPrompt(Struct, frozen=True, kw_only=True):
    """Send the held prompt of the task, exactly as it is here. Refused when none is held, or it is empty."""

    task: TaskId
    text: str
    by: str


class TakeOver(Struct, frozen=True, kw_only=True):
    """Interrupt what works on the task and leave its copy to the person. Refused where there is no copy."""

    task: TaskId
    by: str


class GiveBack(Struct, frozen=True, kw_only=True):
    """End a take-over. Answered with the files that the person changed.

    The work is checked and judged as the person's (`check`), or Claude goes on from there (`claude`).
    """

    task: TaskId
    by: str
    then: Literal["check", "claude"] = "check"


class AnswerPermission(Struct, frozen=True, kw_only=True):
    """Answer a question that Claude Code waits with; refused if it is answered or gone."""

    question: QuestionId
    answer: PermissionAnswer


class RevokeRule(Struct, frozen=True, kw_only=True):
    """Take back what was allowed for the session; refused if the rule does not hold."""

    session: SessionId
    rule: RuleId
    by: str


class Decide(Struct, frozen=True, kw_only=True):
    """Answer a gate. Refused if somebody was first or the content is not `binding` any more."""

    gate: GateId
    binding: Binding
    decision: Decision


class UndoDecision(Struct, frozen=True, kw_only=True):
    """Take back an answer that is still held. Refused when it was carried out already, or there is none."""

    gate: GateId
    by: str


class RevertWork(Struct, frozen=True, kw_only=True):
    """Take accepted work back by a commit on the session's branch. Answered with the id of that commit.

    Possible for closed sessions, too. Refused when later work on the branch changed the same lines.
    """

    session: SessionId
    task: TaskId
    by: str
    note: str
    """Why; not empty."""


class HandBack(Struct, frozen=True, kw_only=True):
    """The person worked in the copy of this gate's task themselves. Answered with whether anything was changed.

    If so, the gate is gone and the work is checked and judged anew as an attempt of the person's.
    """

    gate: GateId
    by: str


class RecordUsage(Struct, frozen=True, kw_only=True):
    """Book usage on a session that was caused outside of its attempts."""

    session: SessionId
    usage: Usage


class RecordJudging(Struct, frozen=True, kw_only=True):
    """Write what was found out about the judge: cases, trials, labels. Answered with the session that holds it."""

    title: str
    events: tuple[Judging, ...]
    rehearsal: str = ""


Command = (
    OpenSession
    | CloseSession
    | AddTasks
    | EditTask
    | MoveTask
    | HoldTask
    | ReleaseTask
    | RemoveTask
    | ChangePlan
    | UndoPlanChange
    | RunFrom
    | StartRun
    | Pause
    | Resume
    | StopRun
    | CancelTask
    | InterruptClaude
    | SendText
    | HoldPrompt
    | SendPrompt
    | TakeOver
    | GiveBack
    | AnswerPermission
    | RevokeRule
    | Decide
    | UndoDecision
    | RevertWork
    | HandBack
    | RecordUsage
    | RecordJudging
)
