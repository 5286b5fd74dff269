"""Tasks: the plan as a list, the highlighted task in full beside it, and every change of it by a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from obra_tui.core import commands as c
from obra_tui.core.events import Record
from obra_tui.core.ids import TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import TaskSpec
from obra_tui.core.plans.fields import TaskFields, fields_of
from obra_tui.core.plans.order import moves_to
from obra_tui.core.plans.parse import order
from obra_tui.ui.actions.plan_changes import plan_session
from obra_tui.ui.bindings import bindings
from obra_tui.ui.plain import plain, plain_text
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.tasks.adding import NewTasks
from obra_tui.ui.screens.tasks.plan_import import PlanImport
from obra_tui.ui.screens.tasks.rows import notes_text, status_of, task_detail, task_rows
from obra_tui.ui.state import SessionView, TaskView
from obra_tui.ui.view.format import plural
from obra_tui.ui.view.menus import remove_choices
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
        self._marked: set[TaskId] = set()

    def compose_body(self) -> ComposeResult:
        yield Static("", id="plan-notice")
        with Horizontal(id="tasks"):
            yield ChoiceList(id="list", wrap=False)
            yield LogPane(id="detail", follow=False)
        yield MessageLine(id="line")

    def on_mount(self) -> None:
        self.query_one("#list").focus()
        self._plan_import = PlanImport(self, self.services, self.draw_anew)
        self._plan_import.look()

    def draw_anew(self) -> None:
        """Draw also what seems to be as it was."""
        self._rows = None
        if self.ready:
            self.draw(())

    def on_resize(self, event: events.Resize) -> None:
        if self.ready:
            self.draw(())

    @property
    def _list(self) -> ChoiceList:
        return self.query_one("#list", ChoiceList)

    # -- what is shown -------------------------------------------------------------------------

    @property
    def _session(self) -> SessionView | None:
        return plan_session(self.services.view, self.services.session)

    @property
    def _tasks(self) -> tuple[TaskView, ...]:
        session = self._session
        return self.services.view.tasks_of(session.id) if session else ()

    def draw(self, records: Sequence[Record]) -> None:
        session, tasks = self._session, self._tasks
        self.show_status(*status_of(self.services.view, session))
        self._marked &= {task.id for task in tasks}
        rows = task_rows(self.services.visible_view, tasks, self._marked, self._list_width)
        if rows != self._rows:
            self._rows = rows
            self._list.set_rows(rows or [LogLine(line, style="dim") for line in self._empty()])
        self._list.border_title = plain(self._head())
        self._show_notice()
        self._tell_task()

    @property
    def _list_width(self) -> int:
        """As the style sheet divides the screen; the list itself may not be laid out yet."""
        width = self.size.width
        return (width if width < NARROW else width * 3 // 5) - 2

    def _head(self) -> str:
        watch = self.services.plan_file
        marked = f" · {len(self._marked)} marked" if self._marked else ""
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
        self.action_open_task()

    @property
    def _picked(self) -> TaskView | None:
        return next((task for task in self._tasks if task.id == self._list.highlighted), None)

    def _tell_task(self) -> None:
        task, session = self._picked, self._session
        attempts = self.services.visible_view.attempts_of(task.id) if task else ()
        if (task, attempts) == self._told:
            return
        self._told = (task, attempts)
        pane = self.query_one("#detail", LogPane)
        pane.clear()
        pane.border_title = plain(task.spec.key if task else "Task")
        if task is not None:
            pane.extend(task_detail(task, attempts, session))

    # -- which keys there are ------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        task = self._picked if self.ready else None
        match action:
            case "open_task":
                return task is not None
            case "cancel_task":
                return task is not None and not task.over
            case "hold" | "release":
                held = [item.held_back for item in self._subjects] if self.ready else []
                return bool(held) and all(held) is (action == "release")
            case "edit_task" | "edit_outside" | "depend" | "run_from":
                return task is not None and task.changeable
            case "remove_task" | "move_up" | "move_down":
                return self.ready and bool(self._subjects)
            case "mark":
                return task is not None and task.changeable and self._list.has_focus
            case "run_again":
                return task is not None and task.state is State.INTERRUPTED
            case "import_plan":
                return self.ready and self._plan_import.plans is not None
            case "undo_plan":
                return self.ready and self.services.plan_changes.can_undo(self._session)
            case "settle":
                return self.ready and bool(self.services.plan_file.conflicts)
            case _:
                return True

    @property
    def _subjects(self) -> tuple[TaskView, ...]:
        """The tasks that a key is about: the marked ones, else the one under the cursor."""
        picked = self._picked
        wanted = self._marked or ({picked.id} if picked else set())
        return tuple(task for task in self._tasks if task.id in wanted and task.changeable)

    @property
    def _adding(self) -> NewTasks:
        return NewTasks(self.services, self._show_new)

    def _show_new(self, title: str, spec: TaskSpec, fields: TaskFields) -> None:
        from obra_tui.ui.screens.tasks.form import TaskForm

        form = TaskForm(title, spec, fields, [task.spec for task in self._tasks], self._picking(spec))
        self.app.push_screen(form, lambda written: self._adding.add(written) if written is not None else None)

    @property
    def _by(self) -> str:
        return self.services.launch.person

    def _change(self, changes: Sequence[c.PlanChange], said: str) -> None:
        session = self._session
        if session is not None:
            self.services.plan_changes.make(session.id, changes, said)

    # -- one task ------------------------------------------------------------------------------

    def action_open_task(self) -> None:
        if self._picked is not None:
            self.services.navigator.watch_task(TaskId(self._picked.id))

    def action_run_again(self) -> None:
        if self._picked is not None:
            self.services.commands.resume(self._picked.session)

    def action_run_from(self) -> None:
        if self._picked is not None:
            self.services.commands.run_from(self._picked.id)

    def action_cancel_task(self) -> None:
        if self._picked is not None:
            self.services.confirm.cancel(self._picked)

    def action_edit_task(self, *, outside: bool = False) -> None:
        from obra_tui.ui.screens.tasks.form import TaskForm

        task = self._picked
        if task is None:
            return
        others = [item.spec for item in self._tasks if item.id != task.id]
        form = TaskForm(
            f"Edit {task.spec.key}", task.spec, fields_of(task.spec), others, self._picking(task.spec), outside=outside
        )
        self.app.push_screen(form, lambda spec: self._edited(task.spec, spec))

    def action_edit_outside(self) -> None:
        self.action_edit_task(outside=True)

    def _edited(self, before: TaskSpec, spec: TaskSpec | None) -> None:
        if spec is not None and spec != before:
            self._change([c.EditTask(task=spec.id, spec=spec, by=self._by)], f"{spec.key} was changed.")

    def action_depend(self) -> None:
        task = self._picked
        if task is not None:
            self._picking(task.spec)(task.spec.depends_on, lambda keys: self._depend(task.spec, keys))

    def _depend(self, spec: TaskSpec, keys: tuple[str, ...]) -> None:
        self._edited(spec, replace(spec, depends_on=keys))

    def _picking(self, spec: TaskSpec) -> Callable[[tuple[str, ...], Callable[[tuple[str, ...]], None]], None]:
        def pick(keys: tuple[str, ...], take: Callable[[tuple[str, ...]], None]) -> None:
            from obra_tui.ui.screens.tasks.picker import TaskPicker

            others = [item.spec for item in self._tasks if item.id != spec.id]
            picker = TaskPicker(f"{spec.key} starts when these are accepted", spec.key, others, keys)
            self.app.push_screen(picker, lambda picked: take(picked) if picked is not None else None)

        return pick

    # -- several tasks -------------------------------------------------------------------------

    def action_mark(self) -> None:
        task = self._picked
        if task is not None:
            self._marked ^= {task.id}
            self.draw(())
            self._list.scroller.line(1)
            self.refresh_bindings()

    def action_hold(self) -> None:
        tasks = [task for task in self._subjects if not task.held_back]
        said = f"{_named(tasks)} held: not started until you release it."
        self._change([c.HoldTask(task=task.id, by=self._by) for task in tasks], said)

    def action_release(self) -> None:
        tasks = self._subjects
        self._change([c.ReleaseTask(task=task.id, by=self._by) for task in tasks], f"{_named(tasks)} released.")

    def action_remove_task(self) -> None:
        from obra_tui.ui.screens.dialogs.questions import ChoiceDialog

        tasks = self._subjects
        choices = remove_choices(_named(tasks))

        def answered(answer: str | None) -> None:
            if answer == "remove":
                ordered = reversed(order([task.spec for task in tasks]))
                removals = [c.RemoveTask(task=spec.id, by=self._by) for spec in ordered]
                self._change(removals, f"{_named(tasks)} taken out of the plan.")

        self.app.push_screen(ChoiceDialog(f"Take {_named(tasks)} out?", choices, first=choices[0].id), answered)

    def action_move_up(self) -> None:
        self._move(-1)

    def action_move_down(self) -> None:
        self._move(1)

    def _move(self, step: int) -> None:
        plan, block = [task.id for task in self._tasks], [task.id for task in self._subjects]
        before = [task for task in plan[: plan.index(block[0])] if task not in block] if block else []
        moves = moves_to(plan, block, len(before) + step)
        self._change(
            [c.MoveTask(task=task, position=place, by=self._by) for task, place in moves],
            f"{_named(self._subjects)} moved.",
        )

    # -- what comes in -------------------------------------------------------------------------

    def action_add_quick(self) -> None:
        self._adding.ask_line(self.query_one(MessageLine))

    def action_add_full(self) -> None:
        self._adding.ask_form()

    def action_import_plan(self) -> None:
        self._plan_import.choose()

    def action_settle(self) -> None:
        self._plan_import.settle()

    # -- the rest ------------------------------------------------------------------------------

    def action_undo_plan(self) -> None:
        if self._session is not None:
            self.services.plan_changes.undo(self._session)

    def action_go_back(self) -> None:
        if self._marked:
            self._marked.clear()
            self.draw(())
        else:
            self.services.navigator.show("live")


def _named(tasks: Sequence[TaskView]) -> str:
    keys = [task.spec.key for task in tasks]
    return ", ".join(keys) if len(keys) <= 3 else f"{len(keys)} tasks"
