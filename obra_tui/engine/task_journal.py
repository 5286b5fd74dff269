"""One task's way into the journal: its place is filled in, its state moves by the table only.

Knows where an event belongs, not what it means.
"""

from collections.abc import Callable

from obra_tui.core.events import Event, TaskMoved
from obra_tui.core.ids import AttemptId
from obra_tui.core.lifecycle import Trigger, advance
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.work import SessionWork, TaskWork


class TaskJournal:
    """Writes the events of one task."""

    def __init__(self, outbox: Outbox, session: SessionWork, task: TaskWork) -> None:
        self._outbox = outbox
        self._session = session
        self._task = task

    def move(self, trigger: Trigger, reason: str = "") -> TaskMoved:
        """Return the move from where the task stands now; it is still to be written."""
        return moved(self._task, trigger, reason)

    def commit(self, *entries: tuple[AttemptId | None, Event]) -> None:
        task = self._task.spec.id
        self._outbox.commit(self._session.id, [(task, attempt, event) for attempt, event in entries])

    def commit_now(self, *events: Event) -> None:
        """Write events of the present attempt."""
        self.commit(*((self._task.attempt, event) for event in events))

    def tell_session(self, event: Event) -> None:
        self._outbox.commit(self._session.id, [(None, None, event)])

    def emit(self, attempt: AttemptId) -> Callable[[Event], None]:
        session, task = self._session.id, self._task.spec.id
        return lambda event: self._outbox.emit(session, task, attempt, event)


def moved(task: TaskWork, trigger: Trigger, reason: str = "") -> TaskMoved:
    before = task.state
    return TaskMoved(before=before, trigger=trigger, after=advance(before, trigger), reason=reason)
