"""Where the keys of more than one screen lead: to another screen, and there to what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obra_tui.core.ids import GateId, QuestionId, TaskId
from obra_tui.ui.state import TaskView

if TYPE_CHECKING:
    from obra_tui.ui.app import ObraApp
    from obra_tui.ui.services import Desk


class Going:
    def __init__(self, app: ObraApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    def show(self, name: str) -> None:
        self._app.show(name)

    def watch_task(self, task: TaskId) -> None:
        """Go to Live and stay with this task."""
        from obra_tui.ui.screens.live import LiveScreen

        def pin() -> None:
            if isinstance(self._app.screen, LiveScreen):
                self._app.screen.pin(task)

        self.show("live")
        self._app.call_after_refresh(pin)

    def search_history(self, line: str, *, write: bool = False) -> None:
        """Go to History and show what this line finds; with `write` the person goes on writing it."""
        from obra_tui.ui.screens.history import HistoryScreen

        def search() -> None:
            screen = self._app.screen
            if isinstance(screen, HistoryScreen):
                (screen.search_for if write else screen.search)(line)

        self.show("history")
        self._app.call_after_refresh(search)

    def review_oldest(self) -> None:
        """Open the gate that waits longest; only ever because somebody asked for it."""
        waiting = self._desk.hub.view.waiting_gates
        if waiting:
            self.review(waiting[0].id)

    def review(self, gate: GateId) -> None:
        from obra_tui.ui.screens.review import ReviewScreen

        self._app.push_screen(ReviewScreen(gate))

    def answer_next(self, after: QuestionId | None = None) -> None:
        """Open the oldest question of Claude; only ever because somebody asked for it."""
        from obra_tui.ui.screens.permission import PermissionScreen

        asked = sorted(self._desk.hub.view.permissions.values(), key=lambda item: item.asked_at)
        first = next((item for item in asked if item.id != after), None)
        if first is not None and not isinstance(self._app.screen, PermissionScreen):
            self._app.push_screen(PermissionScreen(first))

    def edit_prompt(self, task: TaskView | None) -> None:
        """Show the prompt that waits; without one, ask for the next one of this task to wait, or no longer."""
        from obra_tui.ui.screens.prompt import PromptScreen

        desk = self._desk
        waiting = sorted((item for item in desk.hub.view.tasks.values() if item.held_prompt is not None), key=_since)
        held = task if task is not None and task.held_prompt is not None else next(iter(waiting), None)
        if held is not None and held.held_prompt is not None:
            self._app.push_screen(PromptScreen(held.id, held.held_prompt, desk.prompt_drafts.get(held.id)))
        elif task is not None:
            desk.requests.hold_prompt(task.id, on=not task.hold_next)

    def show_rules(self) -> None:
        """List what was allowed for the session."""
        from obra_tui.ui.screens.rules import RulesScreen

        self._app.push_screen(RulesScreen())

    def start_demo(self) -> None:
        """Leave the present engine and rehearse in the same screen."""
        desk = self._desk
        if desk.open_demo is None or desk.works:
            desk.tell("Stop the present run first.", problem=True)
            return
        desk.hub.forget()
        desk.phase = "starting the rehearsal…"
        desk.open(desk.open_demo)
        self.show("live")


def _since(task: TaskView) -> float:
    return task.held_since
