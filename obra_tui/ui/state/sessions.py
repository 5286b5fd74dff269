"""The session: what was asked for, whether it runs, what it has cost so far."""

from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.events import (
    Event,
    Paused,
    PlanChanged,
    Resumed,
    RunFinished,
    RunStarted,
    SessionClosed,
    SessionOpened,
    StopRequested,
    TasksOrdered,
    UsageReported,
)
from obra_tui.core.ids import GateId, SessionId, TaskId
from obra_tui.core.model import Policy, SessionKind, Usage


class PlanStep(Struct, frozen=True, kw_only=True):
    """A change of the plan that was not taken back."""

    seq: int
    tasks: tuple[TaskId, ...]
    """What it was about."""
    held: frozenset[GateId]
    """Gates whose answer could be undone at that time."""


class SessionView(Struct, frozen=True, kw_only=True):
    id: SessionId
    kind: SessionKind = SessionKind.MILESTONE
    title: str = ""
    project: str = ""
    branch: str = ""
    base_commit: str = ""
    policy: Policy = Policy.SUPERVISED
    threshold: float = 0.7
    max_attempts: int = 0
    rehearsal: str = ""
    plan_source: str = ""
    versions: tuple[tuple[str, str], ...] = ()
    opened_at: float = 0.0
    closed_at: float | None = None
    running: bool = False
    finished: RunFinished | None = None
    paused_by: str = ""
    stopping: Literal["", "after_stage", "now"] = ""
    usage: Usage = field(default_factory=Usage)
    tasks: tuple[TaskId, ...] = ()
    """In the order of the plan."""
    plan_steps: tuple[PlanStep, ...] = ()
    """Oldest first."""
    last_fact: int = 0
    """Highest `seq` of an event that was not streamed: the same records told again change nothing."""


def apply_to_session(session: SessionView, event: Event, at: float) -> SessionView:
    match event:
        case SessionOpened():
            return _opened(session, event, at)
        case SessionClosed():
            return replace(session, closed_at=at, running=False)
        case Paused(by=by):
            return replace(session, paused_by=by)
        case Resumed():
            return replace(session, paused_by="")
        case StopRequested(mode=mode):
            return replace(session, stopping=mode)
        case RunStarted():
            return replace(session, running=True, finished=None, stopping="")
        case RunFinished():
            return replace(session, running=False, finished=event, stopping="")
        case TasksOrdered(order=order):
            kept = set(session.tasks)
            return replace(session, tasks=tuple(task for task in order if task in kept))
        case UsageReported(usage=usage):
            return replace(session, usage=session.usage + usage)
        case _:
            return session


def after_plan_change(session: SessionView, event: PlanChanged, seq: int, held: frozenset[GateId]) -> SessionView:
    if event.undoes is not None:
        return replace(session, plan_steps=tuple(step for step in session.plan_steps if step.seq != event.undoes))
    return replace(session, plan_steps=(*session.plan_steps, PlanStep(seq=seq, tasks=event.tasks, held=held)))


def _opened(session: SessionView, event: SessionOpened, at: float) -> SessionView:
    return replace(
        session,
        kind=event.kind,
        title=event.title,
        project=event.project,
        branch=event.branch,
        base_commit=event.base_commit,
        policy=event.policy,
        threshold=event.threshold,
        max_attempts=event.max_attempts,
        rehearsal=event.rehearsal,
        plan_source=event.plan_source,
        versions=event.versions,
        opened_at=at,
    )
