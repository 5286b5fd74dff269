"""Which task the Live screen shows: the one at work, unless the person picked one. Pure."""

from msgspec import Struct

from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.lifecycle import State
from obra_tui.ui.state import AttemptView, SessionView, TaskView, ViewState


class ShownTask(Struct, frozen=True, kw_only=True):
    session: SessionView | None = None
    task: TaskView | None = None
    attempt: AttemptView | None = None


def task_to_show(
    view: ViewState, *, session: SessionId | None = None, pinned: TaskId | None = None, before: TaskId | None = None
) -> ShownTask:
    """Return what to show: the pinned task, else the work, staying with `before` as long as it is at work."""
    task = view.tasks.get(pinned) if pinned else None
    if task is None:
        task = _followed(view, session, before)
    owner = view.sessions.get(task.session) if task else _session(view, session)
    attempt = view.attempts.get(task.latest) if task and task.latest else None
    return ShownTask(session=owner, task=task, attempt=attempt)


def neighbour(view: ViewState, task: TaskView, step: int) -> TaskView:
    """Return the task before or after in its session, around the end."""
    tasks = view.tasks_of(task.session)
    index = next((i for i, item in enumerate(tasks) if item.id == task.id), 0)
    return tasks[(index + step) % len(tasks)] if tasks else task


def _session(view: ViewState, wanted: SessionId | None) -> SessionView | None:
    return view.sessions[wanted] if wanted is not None and wanted in view.sessions else view.newest_session


def _followed(view: ViewState, session: SessionId | None, before: TaskId | None) -> TaskView | None:
    owner = view.sessions.get(session) if session else None
    tasks = view.tasks_of(owner.id) if owner else tuple(view.tasks.values())
    present = view.tasks.get(before) if before else None
    if present is not None and present.working:
        return present
    working = [task for task in tasks if task.working]
    if working:
        return max(working, key=lambda task: task.since)
    if present is not None:
        return present
    return max(tasks, key=_interest, default=None)


def _interest(task: TaskView) -> tuple[bool, bool, bool, float]:
    waits = task.state is State.AWAITING_HUMAN
    return waits, task.state is State.INTERRUPTED, bool(task.attempts), task.since
