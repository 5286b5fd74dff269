"""What a person or a script asks for: imperative, frozen.

A command is handed to the orchestrator's thread and answered by a value or by
one of `core.errors`; what it changed is told by events.
"""

from dataclasses import dataclass
from typing import Literal

from obra_tui.core.ids import GateId, QuestionId, RuleId, SessionId, TaskId
from obra_tui.core.model import Binding, Decision, PermissionAnswer, SessionKind, TaskSpec, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """Answered with the new `SessionId`. A second open milestone session of a project is refused."""

    kind: SessionKind
    title: str
    plan_source: str = ""
    project: str = ""
    """Refused if the engine works on another project; empty = whichever it works on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSession:
    """Refused while work of the session is running."""

    session: SessionId
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTasks:
    """Answered with the tuple of new `TaskId`s; refused as a whole if keys or dependencies are wrong."""

    session: SessionId
    tasks: tuple[TaskSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditTask:
    """Change a task that no attempt was made at; its id and its key stay. Refused as a whole if it cannot be."""

    task: TaskId
    spec: TaskSpec
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveTask:
    """Give a task that was not started another place in the plan, counted from 0."""

    task: TaskId
    position: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldTask:
    """Do not start this task until it is released."""

    task: TaskId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseTask:
    """Let a task that was held back start again."""

    task: TaskId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTask:
    """Take a task that was not started out of the plan. Refused while others wait for it."""

    task: TaskId
    by: str


PlanChange = AddTasks | EditTask | MoveTask | HoldTask | ReleaseTask | RemoveTask
"""What can be changed about a plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan:
    """Several changes to the plan of one session, each made after the one before; all of them, or none."""

    session: SessionId
    changes: tuple[PlanChange, ...]
    said: str = ""
    """What it is in a person's words, such as `T003 was added.`"""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPlanChange:
    """Take back the last `ChangePlan` of the session that was not taken back yet. Answered with what it was in words.

    Refused when there is none, or a task that it was about was started since.
    """

    session: SessionId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFrom:
    """Hold back the tasks before this one, release the others, and start the run."""

    task: TaskId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRun:
    """Work on all open tasks of the session; answered at once, the run goes on in the background."""

    session: SessionId
    close_when_done: bool = False
    """Close the session when every task is in a final state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Start no new stage; a running one goes on to its end."""

    session: SessionId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Go on after a pause, and take up the session's interrupted tasks again."""

    session: SessionId
    by: str
    fork: bool = False
    """Interrupted tasks go on in a fork of their conversation with Claude; the old one stays as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRun:
    """End the run: `after_stage` lets running stages finish, `now` interrupts them. Work is kept in both cases."""

    session: SessionId
    mode: Literal["after_stage", "now"]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTask:
    """End the task for good; what was done is kept. Refused while its commit is being made."""

    task: TaskId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptClaude:
    """Stop the present turn; the conversation is kept and goes on with the next text or attempt."""

    task: TaskId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendText:
    """Text for Claude: into the running turn, or into the next prompt if none runs."""

    task: TaskId
    text: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPrompt:
    """Show the next prompt of the task to a person before it is sent; `on=False` takes the wish back."""

    task: TaskId
    by: str
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPrompt:
    """Send the held prompt of the task, exactly as it is here. Refused when none is held, or it is empty."""

    task: TaskId
    text: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """Interrupt what works on the task and leave its copy to the person. Refused where there is no copy."""

    task: TaskId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBack:
    """End a take-over. Answered with the files that the person changed.

    The work is checked and judged as the person's (`check`), or Claude goes on from there (`claude`).
    """

    task: TaskId
    by: str
    then: Literal["check", "claude"] = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPermission:
    """Answer a question that Claude Code waits with; refused if it is answered or gone."""

    question: QuestionId
    answer: PermissionAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRule:
    """Take back what was allowed for the session; refused if the rule does not hold."""

    session: SessionId
    rule: RuleId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """Answer a gate. Refused if somebody was first or the content is not `binding` any more."""

    gate: GateId
    binding: Binding
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoDecision:
    """Take back an answer that is still held. Refused when it was carried out already, or there is none."""

    gate: GateId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertWork:
    """Take accepted work back by a commit on the session's branch. Answered with the id of that commit.

    Possible for closed sessions, too. Refused when later work on the branch changed the same lines.
    """

    session: SessionId
    task: TaskId
    by: str
    note: str
    """Why; not empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandBack:
    """The person worked in the copy of this gate's task themselves. Answered with whether anything was changed.

    If so, the gate is gone and the work is checked and judged anew as an attempt of the person's.
    """

    gate: GateId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUsage:
    """Book usage on a session that was caused outside of its attempts."""

    session: SessionId
    usage: Usage


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
)
