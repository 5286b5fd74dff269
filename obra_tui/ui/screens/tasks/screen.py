"""Tasks: the plan as a list, the highlighted task in full beside it, and every change of it by a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from obra_tui.core.events import Record
from obra_tui.ui.bindings import bindings
from obra_tui.ui.plain import plain, plain_text
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.tasks.plan_import import PlanImport
from obra_tui.ui.screens.tasks.rows import notes_text, status_of, task_detail, task_rows
from obra_tui.ui.screens.tasks.selection import TaskSelection
from obra_tui.ui.screens.tasks.task_keys import BlockKeys, ImportKeys, TaskKeys
from obra_tui.ui.view.format import plural
from widgets.lines import LogLine
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane

NARROW = 100
"""Below so many columns the panes lie one above the other."""


class TasksScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("tasks")

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[LogLine, ...] | None = None
        self._told: tuple[object, ...] = ()
        self._selection = TaskSelection(self)
        self._plan_import = PlanImport(self, self.draw_anew)
        self._task_keys = TaskKeys(self._selection)
        for part in (self._task_keys, BlockKeys(self._selection), ImportKeys(self._selection, self._plan_import)):
            self.add_part(part)

    def compose_body(self) -> ComposeResult:
        yield Static("", id="plan-notice")
        with Horizontal(id="tasks"):
            yield ChoiceList(id="list", wrap=False)
            yield LogPane(id="detail", follow=False)
        yield MessageLine(id="line")

    def on_mount(self) -> None:
        self.query_one("#list").focus()
        self._plan_import.look()

    def draw_anew(self) -> None:
        """Draw also what seems to be as it was."""
        self._rows = None
        if self.ready:
            self.draw(())

    def on_resize(self, event: events.Resize) -> None:
        if self.ready:
            self.draw(())

    # -- what is shown -------------------------------------------------------------------------

    def draw(self, records: Sequence[Record]) -> None:
        session, tasks = self._selection.session, self._selection.tasks
        self.show_status(*status_of(self.services.view, session))
        self._selection.marked &= {task.id for task in tasks}
        rows = task_rows(self.services.visible_view, tasks, self._selection.marked, self._list_width)
        if rows != self._rows:
            self._rows = rows
            self._selection.list.set_rows(rows or [LogLine(line, style="dim") for line in self._empty()])
        self._selection.list.border_title = plain(self._head())
        self._show_notice()
        self._tell_task()

    @property
    def _list_width(self) -> int:
        """As the style sheet divides the screen; the list itself may not be laid out yet."""
        width = self.size.width
        return (width if width < NARROW else width * 3 // 5) - 2

    def _head(self) -> str:
        watch = self.services.plan_file
        marked = f" · {len(self._selection.marked)} marked" if self._selection.marked else ""
        others = f" · {watch.others} more in {watch.source}" if watch.others else ""
        return f"Tasks{marked}{others}"

    def _empty(self) -> list[str]:
        key = self.services.key_label
        found = f" (found {', '.join(self._plan_import.files[:3])})" if self._plan_import.files else ""
        return [
            "No task yet.",
            "",
            f"{key('tasks.add_quick')}  write one in a line: Add a parser (after T001)",
            f"{key('tasks.add_full')}  write one with its prompt, criteria, checks and limits",
            f"{key('tasks.import_plan')}  import a list{found}",
            "",
            "obra run PLAN starts a list at once.",
        ]

    def _show_notice(self) -> None:
        watch, notice = self.services.plan_file, self.query_one("#plan-notice", Static)
        text = ""
        if watch.problem is not None:
            text = f"! The plan file cannot be read; the plan stays as it is. {watch.problem}"
        elif watch.conflicts:
            tasks = plural(len(watch.conflicts), "task was", "tasks were")
            key = self.services.key_label("tasks.settle")
            text = f"! {tasks} changed here and in {watch.source}. {key} shows both and asks"
        elif watch.notes:
            text = notes_text(watch.notes)
        notice.display = bool(text)
        notice.update(plain_text(text))

    def on_choice_list_highlighted(self, message: ChoiceList.Highlighted) -> None:
        self._tell_task()
        self.refresh_bindings()

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self._task_keys.action_open_task()

    def _tell_task(self) -> None:
        task, session = self._selection.picked, self._selection.session
        attempts = self.services.visible_view.attempts_of(task.id) if task else ()
        if (task, attempts) == self._told:
            return
        self._told = (task, attempts)
        pane = self.query_one("#detail", LogPane)
        pane.clear()
        pane.border_title = plain(task.spec.key if task else "Task")
        if task is not None:
            pane.extend(task_detail(task, attempts, session))

    def action_go_back(self) -> None:
        if self._selection.marked:
            self._selection.marked.clear()
            self.draw(())
        else:
            self.services.navigator.show("live")
