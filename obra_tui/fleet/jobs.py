"""What travels: a job is one stage of one attempt, as values that become text.

Logins are no part of a job: they stay on the host of the worker. Must not know how jobs are stored or delivered.
"""

from enum import StrEnum

from msgspec import Struct

from obra_tui.core.ids import AttemptId, TaskId
from obra_tui.core.model import (
    CheckSpec,
    ImplementRequest,
    JudgeRequest,
    PermissionAnswer,
    PermissionQuestion,
    TaskSpec,
)

PROTOCOL = 1
"""Raised when a coordinator and a worker of different versions would not understand each other any more."""


class StageKind(StrEnum):
    IMPLEMENT = "implement"
    CHECK = "check"
    JUDGE = "judge"


class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    """With a result of whoever held it last."""
    LOST = "lost"
    """Its worker died and it is not handed on: whoever asked decides what to do."""
    WITHDRAWN = "withdrawn"
    """Nobody wants it any more."""


class Happened(StrEnum):
    """What began or ended an epoch of a job."""

    PUT = "put"
    CLAIMED = "claimed"
    TAKEN_AWAY = "taken_away"
    GIVEN_BACK = "given_back"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


class Code(Struct, frozen=True, kw_only=True):
    """The files that a job is about: a tree on a commit that the worker may lack, too."""

    project: str
    """Names the project on every host alike."""
    base: str
    blob: str = ""
    """The bundle with the tree; empty = the base as it is."""
    commit: str = ""
    """The commit that the bundle holds."""
    left_out: tuple[str, ...] = ()
    """What the tree lacks of the place where it was taken."""
    ignored: tuple[str, ...] = ()
    """What git ignored there."""
    setup: tuple[str, ...] = ()
    """Commands that make what the project needs to run; each worker makes it by itself."""


class ImplementStage(Struct, frozen=True, kw_only=True):
    request: ImplementRequest
    opening: str
    """What the task's first conversation was told: who goes on in a new one must know it."""
    rules: tuple[str, ...] = ()
    """What a person allowed for the session so far."""


class CheckStage(Struct, frozen=True, kw_only=True):
    spec: CheckSpec
    task: TaskSpec


class JudgeStage(Struct, frozen=True, kw_only=True):
    request: JudgeRequest


class NewJob(Struct, frozen=True, kw_only=True):
    """A job as the coordinator puts it."""

    id: str
    kind: StageKind
    task: TaskId
    attempt: AttemptId
    stage: str
    """An `ImplementStage`, `CheckStage` or `JudgeStage` as text."""
    code: Code | None = None
    labels: tuple[str, ...] = ()
    """What a worker must offer to get it."""
    target: str = ""
    """The one worker that may have it; empty = any."""
    conversation: str = ""


class Claim(Struct, frozen=True, kw_only=True):
    """A job in the hands of one worker, and the epoch in which it holds it."""

    id: str
    epoch: int
    kind: StageKind
    task: TaskId
    stage: str
    code: Code | None
    claims: int
    """How often it was claimed, this time included."""
    conversation: str = ""


# --- messages within a job -----------------------------------------------------------------------


class LineKind(StrEnum):
    """What a worker writes beside events, which are named by their own type."""

    ASKED = ":asked"
    UNASKED = ":unasked"
    """Nobody waits for the answer any more."""
    USED = ":used"
    """A rule of the session allowed a call."""
    SENT = ":sent"
    """What became of a text."""


class MessageKind(StrEnum):
    """What the coordinator says to whoever holds a job."""

    TEXT = "text"
    ANSWER = "answer"
    RULES = "rules"
    INTERRUPT = "interrupt"
    STOP = "stop"


class RaisedQuestion(Struct, frozen=True, kw_only=True):
    question: PermissionQuestion


class Used(Struct, frozen=True, kw_only=True):
    pattern: str
    title: str


class TextForClaude(Struct, frozen=True, kw_only=True):
    id: str
    text: str


class Sent(Struct, frozen=True, kw_only=True):
    id: str
    was_taken: bool


class AnsweredQuestion(Struct, frozen=True, kw_only=True):
    question: str
    answer: PermissionAnswer


class AddedRules(Struct, frozen=True, kw_only=True):
    patterns: tuple[str, ...]


class Nothing(Struct, frozen=True, kw_only=True):
    """The body of a message that its kind says all of."""
