"""Questions to the person that more than one screen asks: each way out is named with what becomes of the work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from obra_tui.core.ids import SessionId
from obra_tui.ui.ports import OpenBackend
from obra_tui.ui.state import TaskView
from obra_tui.ui.view.menus import Choice, cancel_choices, quit_choices, stop_choices, take_over_choices

if TYPE_CHECKING:
    from obra_tui.ui.app import ObraApp
    from obra_tui.ui.services import Desk


class Asking:
    def __init__(self, app: ObraApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk
        self._quitting = False

    def choose(self, title: str, choices: list[Choice], answered: Callable[[str], None]) -> None:
        """Let the person choose; an empty answer is none."""
        from obra_tui.ui.screens.dialogs import ChoiceDialog

        self._app.push_screen(ChoiceDialog(title, choices, first=choices[0].id), lambda answer: answered(answer or ""))

    def new_task(self) -> None:
        """Let the person write a task and run it in a session of its own."""
        from obra_tui.ui.screens.dialogs import WriteDialog, Writing

        writing = Writing(
            title="New task",
            explanation="What shall Claude do? The first line becomes the title. It works in a copy of the project.",
            send_label="Start it",
            placeholder="Add a --verbose flag to the command line…",
        )
        requests = self._desk.requests

        def written(text: str | None) -> None:
            if text and text.strip():
                requests.new_task(text)

        self._app.push_screen(WriteDialog(writing), written)

    def cancel(self, task: TaskView) -> None:
        def answered(answer: str) -> None:
            if answer == "task":
                self._desk.requests.cancel_task(task.id)

        self.choose(f"Cancel {task.spec.key}?", cancel_choices(task), answered)

    def stop(self, session: SessionId, task: TaskView | None) -> None:
        """Ways to stop, with what becomes of the work; the focus is on none of them."""
        requests = self._desk.requests

        def answered(answer: str) -> None:
            match answer:
                case "after_stage":
                    requests.stop_run(session, "after_stage")
                case "now":
                    requests.stop_run(session, "now")
                case "task" if task is not None:
                    requests.cancel_task(task.id)
                case _:
                    pass

        self.choose("Stop this run?", stop_choices(task), answered)

    def take_over_engine(self, open_backend: OpenBackend) -> None:
        """The other Obra has ended: its work can be taken over, or looked at as it is."""

        def answered(answer: str) -> None:
            if answer == "take_over":
                self._desk.hub.forget()
                self._desk.open(open_backend)

        self.choose("The other Obra has ended", take_over_choices(), answered)

    # -- leaving -------------------------------------------------------------------------------

    def quit(self) -> None:
        """Quit at once when nothing is at work; else ask, with the focus on staying."""
        backend = self._desk.backend
        if self._quitting or not self._desk.works or (backend is not None and backend.viewer_of):
            self._app.leave()
        else:
            self.choose("A run is active", quit_choices(), self._quit_as)

    def leave_when_done(self) -> None:
        """Leave if the person wanted to after the present stage, and that is over."""
        if self._quitting and not self._desk.works:
            self._app.leave()

    def _quit_as(self, answer: str) -> None:
        running = [session.id for session in self._desk.hub.view.sessions.values() if session.running]
        match answer:
            case "after_stage":
                self._quitting = True
                self._desk.tell("Obra quits when the present stage is done; ctrl+q quits at once.")
                for session in running:
                    self._desk.requests.stop_run(session, "after_stage")
            case "now":
                for session in running:
                    self._desk.requests.stop_run(session, "now")
                self._app.leave()
            case _:
                pass
