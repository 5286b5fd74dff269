"""One task: its state, since when, and the attempts made at it."""

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.events import (
    AttemptStarted,
    CopyPrepared,
    Event,
    PromptHeld,
    PromptHoldAsked,
    PromptSent,
    PromptWithdrawn,
    SteerQueued,
    TaskAdded,
    TaskEdited,
    TaskHeld,
    TaskMoved,
    TaskReleased,
    UsageReported,
    WorkAccepted,
    WorkHandedBack,
    WorkKept,
    WorkReverted,
    WorkTakenOver,
)
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.lifecycle import FINAL, WORKING, State
from obra_tui.core.model import Acceptance, TaskSpec, Usage


class TaskView(Struct, frozen=True, kw_only=True):
    id: TaskId
    session: SessionId
    spec: TaskSpec
    original: TaskSpec
    """As it was added, before anybody edited it."""
    position: int
    state: State
    since: float
    reason: str = ""
    """Why it came into this state, if somebody said so."""
    held_back: bool = False
    """A person does not want it started yet."""
    attempts: tuple[AttemptId, ...] = ()
    copy_path: str = ""
    acceptance: Acceptance | None = None
    reverted: WorkReverted | None = None
    """The accepted work was taken back."""
    kept_ref: str = ""
    waiting_text: tuple[str, ...] = ()
    """What the person wrote while no turn ran; goes into the next prompt."""
    hold_next: bool = False
    """The next prompt is to be shown before it is sent."""
    held_prompt: str | None = None
    """A prompt that waits for the person, as it was built."""
    held_since: float = 0.0
    taken_by: str = ""
    """Who has the copy in their own hands."""
    usage: Usage = field(default_factory=Usage)

    @property
    def working(self) -> bool:
        return self.state in WORKING or self.state is State.ACCEPTING

    @property
    def changeable(self) -> bool:
        """Nobody was told of it yet: what Claude has been told stays as it was told."""
        return not self.attempts and self.state in (State.QUEUED, State.BLOCKED)

    @property
    def over(self) -> bool:
        return self.state in FINAL

    @property
    def latest(self) -> AttemptId | None:
        return self.attempts[-1] if self.attempts else None


def added_task(session: SessionId, task: TaskId, event: TaskAdded, at: float) -> TaskView:
    return TaskView(
        id=task,
        session=session,
        spec=event.spec,
        original=event.spec,
        position=event.position,
        state=event.state,
        since=at,
    )


def apply_to_task(task: TaskView, event: Event, at: float, attempt: AttemptId | None) -> TaskView:
    match event:
        case TaskMoved(after=after, reason=reason):
            return replace(task, state=after, since=at, reason=reason)
        case TaskEdited(spec=spec):
            return replace(task, spec=spec)
        case TaskHeld() | TaskReleased():
            return replace(task, held_back=isinstance(event, TaskHeld))
        case AttemptStarted() if attempt is not None and attempt not in task.attempts:
            return replace(task, attempts=(*task.attempts, attempt))
        case CopyPrepared(copy=copy):
            return replace(task, copy_path=copy.path)
        case WorkAccepted(acceptance=acceptance):
            return replace(task, acceptance=acceptance)
        case WorkReverted():
            return replace(task, reverted=event)
        case WorkKept(ref=ref):
            return replace(task, kept_ref=ref)
        case UsageReported(usage=usage):
            return replace(task, usage=task.usage + usage)
        case _:
            return _steered(task, event, at)


def _steered(task: TaskView, event: Event, at: float) -> TaskView:
    """What a person does to the next prompt and to the copy."""
    match event:
        case PromptSent(kind="retry" | "task"):
            return replace(task, waiting_text=(), held_prompt=None, hold_next=False)
        case SteerQueued(text=text, delivered=False):
            return replace(task, waiting_text=(*task.waiting_text, text))
        case PromptHoldAsked(on=on):
            return replace(task, hold_next=on)
        case PromptHeld(text=text):
            return replace(task, held_prompt=text, held_since=at)
        case PromptWithdrawn():
            return replace(task, held_prompt=None)
        case WorkTakenOver(by=by):
            return replace(task, taken_by=by, since=at)
        case WorkHandedBack():
            return replace(task, taken_by="")
        case _:
            return task
