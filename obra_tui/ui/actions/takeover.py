"""The person works in the copy of a task themselves: in a shell or in their editor, beside Claude or instead of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from obra_tui.ui.actions.confirm import Confirmations
from obra_tui.ui.actions.suspend import edit_file, run_in_terminal
from obra_tui.ui.host import Host, Services
from obra_tui.ui.state import TaskView
from obra_tui.ui.view.menus import by_hand_choices, open_choices, taken_choices

_PROGRAMS = ("shell", "editor")


class TakeoverActions:
    def __init__(self, host: Host, services: Services, confirm: Confirmations) -> None:
        self._host = host
        self._services = services
        self._confirm = confirm
        self.run_in_terminal = run_in_terminal
        self.edit_file = edit_file

    def take_over(self, task: TaskView) -> None:
        """Let the person work in the copy themselves, and say what becomes of it."""
        if task.taken_by:
            self._ask_back(f"{task.spec.key} is in your hands", task)
            return

        def on_answer(answer: str) -> None:
            if answer in _PROGRAMS:
                self._services.commands.take_over(task.id, lambda: self._work_there(task, answer))

        self._confirm.choose(f"Take {task.spec.key} over?", by_hand_choices(), on_answer)

    def open_copy(self, task: TaskView, back: Callable[[], None]) -> None:
        """Let the person work in the copy of a task; `back` is called when they come back."""

        def on_answer(answer: str) -> None:
            if answer in _PROGRAMS and self._go_there(task, answer):
                back()

        self._confirm.choose(f"Open the copy of {task.spec.key}", open_choices(task.copy_path), on_answer)

    def open_file(self, task: TaskView, path: str, line: int, back: Callable[[], None]) -> None:
        """Open a file of the copy at a line in the person's editor; `back` is called when they come back."""
        copy = Path(task.copy_path).resolve()
        file = copy / path
        if not file.resolve().is_relative_to(copy) or not file.is_file():
            self._services.notify(f"{path} is not a file in the copy of {task.spec.key}.", problem=True)
            return
        problem = self.edit_file(self._host, str(file), line)
        if problem:
            self._services.notify(problem, problem=True)
        else:
            back()

    def _ask_back(self, title: str, task: TaskView) -> None:
        self._confirm.choose(title, taken_choices(task.spec.key), partial(self._taken, task))

    def _taken(self, task: TaskView, answer: str) -> None:
        match answer:
            case "check" | "claude":
                self._services.commands.give_back(task.id, answer)
            case "shell" | "editor":
                self._work_there(task, answer)
            case _:
                pass

    def _work_there(self, task: TaskView, where: str) -> None:
        self._go_there(task, where)
        self._ask_back(f"Back from {task.spec.key}", task)

    def _go_there(self, task: TaskView, where: str) -> bool:
        """Return whether the program could be opened; else the person is told why not."""
        problem = self.run_in_terminal(self._host, "shell" if where == "shell" else "editor", task.copy_path)
        if problem:
            self._services.notify(problem, problem=True)
        return not problem
