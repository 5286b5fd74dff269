"""What can be taken back of answers to gates: one that is still held is undone, accepted work is reverted."""

from __future__ import annotations

from obra_tui.ui.actions.confirm import Confirmations
from obra_tui.ui.host import Host, Services
from obra_tui.ui.state import TaskView
from obra_tui.ui.view.menus import Writing


class UndoActions:
    def __init__(self, host: Host, services: Services, confirm: Confirmations) -> None:
        self._host = host
        self._services = services
        self._confirm = confirm

    def undo_last(self) -> None:
        """Take back an answer to a gate that was not carried out yet: that of the gate on screen, else the last."""
        held = self._services.view.held_gates
        if held:
            shown = self._host.gate_shown
            self._services.commands.undo(next((gate.id for gate in held if gate.id == shown), held[0].id))

    @property
    def revertible(self) -> TaskView | None:
        """The task whose accepted work can be taken back: that of the gate on screen, else the last one."""
        view = self._services.view
        gate = view.gates.get(shown) if (shown := self._host.gate_shown) else None
        task = view.tasks.get(gate.task) if gate else view.revertible
        taken = task is not None and task.acceptance is not None and task.reverted is None
        return task if taken else None

    def ask_revert(self) -> None:
        """Let the person take accepted work back, with a reason."""
        task, view = self.revertible, self._services.view
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
        session, key = task.session, task.id
        self._confirm.write(writing, lambda text: self._services.commands.revert(session, key, text))
