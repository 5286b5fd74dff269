"""Changes of a plan by the person: made as one, taken back as one.

What can be taken back is in the records, so it may have been made elsewhere, or before the program was started.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from obra_tui.core.commands import ChangePlan, PlanChange, UndoPlanChange
from obra_tui.core.ids import SessionId
from obra_tui.ui.state import PlanStep, SessionView, ViewState

if TYPE_CHECKING:
    from obra_tui.ui.services import Desk


class PlanChanges:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def make(self, session: SessionId, changes: Sequence[PlanChange], said: str) -> None:
        """Send all of them as one; when they were made, `said` is told and can be undone."""
        if not changes:
            return
        by = self._desk.launch.person
        change = ChangePlan(session=session, changes=tuple(changes), said=said, by=by)
        self._desk.requests.send(change, lambda _: self._made(said))

    def can_undo(self, session: SessionView | None) -> bool:
        """Whether the last thing that can be undone is a change of this plan, not an answer to a gate."""
        return session is not None and undoable(self._desk.hub.view, session) is not None

    def undo(self, session: SessionView) -> None:
        """Take the last change back, and say that the one before it is next."""
        command = UndoPlanChange(session=session.id, by=self._desk.launch.person)
        key = self._desk.key_shown("tasks.undo_plan")
        more = f" {key} undoes the change before it." if undoable(self._desk.hub.view, session, 1) else ""
        self._desk.requests.send(command, lambda said: self._desk.tell(f"Undone: {said}{more}"))

    def _made(self, said: str) -> None:
        self._desk.tell(f"{said} {self._desk.key_shown('tasks.undo_plan')} undoes it.")


def undoable(view: ViewState, session: SessionView, before: int = 0) -> PlanStep | None:
    """Return the last change if it can be taken back: nobody was told of it, and no gate was answered since.

    Or one of those `before` it, which come next.
    """
    steps = session.plan_steps[: len(session.plan_steps) - before]
    step = steps[-1] if steps and session.closed_at is None else None
    if step is None or not {gate.id for gate in view.held_gates} <= step.held:
        return None
    tasks = [view.tasks[task] for task in step.tasks if task in session.tasks]
    return step if all(task.changeable for task in tasks) else None
