"""Questions that more than one screen asks the person: each choice says what becomes of the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from obra_tui.core.ids import SessionId
from obra_tui.ui.host import Host, Services
from obra_tui.ui.ports import OpenBackend
from obra_tui.ui.state import TaskView
from obra_tui.ui.view.menus import Choice, Writing, cancel_choices, quit_choices, stop_choices, take_over_choices

Check = Callable[[str], str]


class Confirmations:
    def __init__(self, host: Host, services: Services) -> None:
        self._host = host
        self._services = services
        self._quitting = False

    def choose(self, title: str, choices: Sequence[Choice], on_answer: Callable[[str], None]) -> None:
        """Let the person choose; an empty answer is none."""
        self._host.open_screen("choice", title, choices, on_result=lambda answer: on_answer(answer or ""))

    def write(self, writing: Writing, on_text: Callable[[str], None], check: Check = lambda text: "") -> None:
        """Let the person write; `check` says why a text is not enough. Cancelled, nothing is called."""

        def on_result(text: str | None) -> None:
            if text is not None:
                on_text(text)

        self._host.open_screen("write", writing, check, on_result=on_result)

    def new_task(self) -> None:
        """Let the person write a task and run it in a session of its own."""
        writing = Writing(
            title="New task",
            explanation="What shall Claude do? The first line becomes the title. It works in a copy of the project.",
            send_label="Start it",
            placeholder="Add a --verbose flag to the command line…",
        )
        self.write(writing, self._services.commands.new_task)

    def cancel(self, task: TaskView) -> None:
        def on_answer(answer: str) -> None:
            if answer == "task":
                self._services.commands.cancel_task(task.id)

        self.choose(f"Cancel {task.spec.key}?", cancel_choices(task), on_answer)

    def stop(self, session: SessionId, task: TaskView | None) -> None:
        """Ways to stop, with what becomes of the work; the focus is on none of them."""
        commands = self._services.commands

        def on_answer(answer: str) -> None:
            match answer:
                case "after_stage":
                    commands.stop_run(session, "after_stage")
                case "now":
                    commands.stop_run(session, "now")
                case "task" if task is not None:
                    commands.cancel_task(task.id)
                case _:
                    pass

        self.choose("Stop this run?", stop_choices(task), on_answer)

    def take_over_engine(self, open_backend: OpenBackend) -> None:
        """The other Obra has ended: its work can be taken over, or looked at as it is."""

        def on_answer(answer: str) -> None:
            if answer == "take_over":
                self._services.view_store.reset()
                self._services.open(open_backend)

        self.choose("The other Obra has ended", take_over_choices(), on_answer)

    # -- leaving -------------------------------------------------------------------------------

    def quit(self) -> None:
        """Quit at once when nothing is at work; else ask, with the focus on staying."""
        backend = self._services.backend
        if self._quitting or not self._services.is_working or (backend is not None and backend.viewer_of):
            self._host.leave()
        else:
            self.choose("A run is active", quit_choices(), self._quit_as)

    def leave_when_done(self) -> None:
        """Leave if the person wanted to after the current stage, and that is over."""
        if self._quitting and not self._services.is_working:
            self._host.leave()

    def _quit_as(self, answer: str) -> None:
        running = [session.id for session in self._services.view.sessions.values() if session.running]
        match answer:
            case "after_stage":
                self._quitting = True
                self._services.notify("Obra quits when the current stage is done; ctrl+q quits at once.")
                for session in running:
                    self._services.commands.stop_run(session, "after_stage")
            case "now":
                for session in running:
                    self._services.commands.stop_run(session, "now")
                self._host.leave()
            case _:
                pass
