"""What can be taken back of answers to gates: one that is still held is undone, accepted work is reverted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obra_tui.core.ids import GateId
from obra_tui.ui.state import TaskView

if TYPE_CHECKING:
    from obra_tui.ui.app import ObraApp
    from obra_tui.ui.services import Desk


class TakingBack:
    def __init__(self, app: ObraApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    def undo_last(self) -> None:
        """Take back an answer to a gate that was not carried out yet: that of the gate on screen, else the last."""
        held = self._desk.hub.view.held_gates
        if held:
            shown = self._gate_shown
            self._desk.requests.undo(next((gate.id for gate in held if gate.id == shown), held[0].id))

    @property
    def _gate_shown(self) -> GateId | None:
        from obra_tui.ui.screens.base import ObraScreen

        screen = self._app.screen
        return screen.gate_shown if isinstance(screen, ObraScreen) else None

    @property
    def revertible(self) -> TaskView | None:
        """The task whose accepted work can be taken back: that of the gate on screen, else the last one."""
        view = self._desk.hub.view
        gate = view.gates.get(shown) if (shown := self._gate_shown) else None
        task = view.tasks.get(gate.task) if gate else view.revertible
        taken = task is not None and task.acceptance is not None and task.reverted is None
        return task if taken else None

    def ask_revert(self) -> None:
        """Let the person take accepted work back, with a reason."""
        from obra_tui.ui.screens.dialogs import WriteDialog, Writing

        task, view = self.revertible, self._desk.hub.view
        if task is None or task.acceptance is None:
            return
        taken = task.acceptance
        later = [other.spec.key for other in view.tasks_of(task.session) if task.spec.key in other.spec.depends_on]
        built = f" {', '.join(later)} may build on it." if later else ""
        writing = Writing(
            title=f"Revert {task.spec.key}",
            explanation=f"It was taken in as {taken.commit[:12]} on {taken.branch}. One more commit there undoes it; "
            f"nothing else is touched, and the task stays accepted in the history.{built}",
            send_label="Revert the commit",
            placeholder="Why is it not wanted any more?",
        )

        def written(text: str | None) -> None:
            if text is not None:
                self._desk.requests.revert(task.session, task.id, text)

        self._app.push_screen(WriteDialog(writing), written)
