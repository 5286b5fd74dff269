"""Keys of the Tasks screen: what is done to one task, to several at once, and how new ones come in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from obra_tui.core import commands as c
from obra_tui.core.ids import TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import TaskSpec
from obra_tui.core.plans.fields import TaskFields, fields_of
from obra_tui.core.plans.order import moves_to
from obra_tui.core.plans.parse import order
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.screens.tasks.adding import NewTasks
from obra_tui.ui.screens.tasks.plan_import import PlanImport
from obra_tui.ui.screens.tasks.selection import TaskSelection
from obra_tui.ui.state import TaskView
from obra_tui.ui.view.menus import remove_choices


class TaskKeys(ScreenPart):
    """One task: watch, run, cancel, edit; and new ones."""

    def __init__(self, selection: TaskSelection) -> None:
        self._selection = selection

    def check_action(self, action: str) -> bool | None:
        task = self._selection.picked
        match action:
            case "open_task":
                return task is not None
            case "cancel_task":
                return task is not None and not task.over
            case "edit_task" | "edit_outside" | "depend" | "run_from":
                return task is not None and task.changeable
            case "run_again":
                return task is not None and task.state is State.INTERRUPTED
            case _:
                return True

    def action_open_task(self) -> None:
        task = self._selection.picked
        if task is not None:
            self._selection.services.navigator.watch_task(TaskId(task.id))

    def action_run_again(self) -> None:
        task = self._selection.picked
        if task is not None:
            self._selection.services.commands.resume(task.session)

    def action_run_from(self) -> None:
        task = self._selection.picked
        if task is not None:
            self._selection.services.commands.run_from(task.id)

    def action_cancel_task(self) -> None:
        task = self._selection.picked
        if task is not None:
            self._selection.services.confirm.cancel(task)

    # -- the form ------------------------------------------------------------------------------

    def action_edit_task(self, *, outside: bool = False) -> None:
        from obra_tui.ui.screens.tasks.form import TaskForm

        task = self._selection.picked
        if task is None:
            return
        others = [item.spec for item in self._selection.tasks if item.id != task.id]
        form = TaskForm(
            f"Edit {task.spec.key}", task.spec, fields_of(task.spec), others, self._picking(task.spec), outside=outside
        )
        self._selection.screen.app.push_screen(form, lambda spec: self._edited(task.spec, spec))

    def action_edit_outside(self) -> None:
        self.action_edit_task(outside=True)

    def _edited(self, before: TaskSpec, spec: TaskSpec | None) -> None:
        if spec is not None and spec != before:
            by = self._selection.services.launch.person
            self._selection.change([c.EditTask(task=spec.id, spec=spec, by=by)], f"{spec.key} was changed.")

    def action_depend(self) -> None:
        task = self._selection.picked
        if task is not None:
            self._picking(task.spec)(task.spec.depends_on, lambda keys: self._depend(task.spec, keys))

    def _depend(self, spec: TaskSpec, keys: tuple[str, ...]) -> None:
        self._edited(spec, replace(spec, depends_on=keys))

    def _picking(self, spec: TaskSpec) -> Callable[[tuple[str, ...], Callable[[tuple[str, ...]], None]], None]:
        def pick(keys: tuple[str, ...], take: Callable[[tuple[str, ...]], None]) -> None:
            from obra_tui.ui.screens.tasks.picker import TaskPicker

            others = [item.spec for item in self._selection.tasks if item.id != spec.id]
            picker = TaskPicker(f"{spec.key} starts when these are accepted", spec.key, others, keys)
            self._selection.screen.app.push_screen(picker, lambda keys: take(keys) if keys is not None else None)

        return pick

    # -- new ones ------------------------------------------------------------------------------

    @property
    def _adding(self) -> NewTasks:
        return NewTasks(self._selection.services, self._show_new)

    def _show_new(self, title: str, spec: TaskSpec, fields: TaskFields) -> None:
        from obra_tui.ui.screens.tasks.form import TaskForm

        form = TaskForm(title, spec, fields, [task.spec for task in self._selection.tasks], self._picking(spec))
        self._selection.screen.app.push_screen(
            form, lambda written: self._adding.add(written) if written is not None else None
        )

    def action_add_quick(self) -> None:
        self._adding.ask_line(self._selection.screen.query_one(MessageLine))

    def action_add_full(self) -> None:
        self._adding.ask_form()


class BlockKeys(ScreenPart):
    """The marked tasks, or the one under the cursor: mark, hold, move, remove."""

    def __init__(self, selection: TaskSelection) -> None:
        self._selection = selection

    def check_action(self, action: str) -> bool | None:
        selection = self._selection
        if not selection.screen.ready:
            return False
        match action:
            case "mark":
                task = selection.picked
                return task is not None and task.changeable and selection.list.has_focus
            case "hold" | "release":
                held = [item.held_back for item in selection.subjects]
                return bool(held) and all(held) is (action == "release")
            case _:
                return bool(selection.subjects)

    @property
    def _by(self) -> str:
        return self._selection.services.launch.person

    def action_mark(self) -> None:
        task = self._selection.picked
        if task is not None:
            self._selection.marked ^= {task.id}
            self._selection.screen.draw(())
            self._selection.list.scroller.line(1)
            self._selection.screen.refresh_bindings()

    def action_hold(self) -> None:
        tasks = [task for task in self._selection.subjects if not task.held_back]
        said = f"{_named(tasks)} held: not started until you release it."
        self._selection.change([c.HoldTask(task=task.id, by=self._by) for task in tasks], said)

    def action_release(self) -> None:
        tasks = self._selection.subjects
        changes = [c.ReleaseTask(task=task.id, by=self._by) for task in tasks]
        self._selection.change(changes, f"{_named(tasks)} released.")

    def action_remove_task(self) -> None:
        from obra_tui.ui.screens.dialogs.questions import ChoiceDialog

        tasks = self._selection.subjects
        choices = remove_choices(_named(tasks))

        def answered(answer: str | None) -> None:
            if answer == "remove":
                ordered = reversed(order([task.spec for task in tasks]))
                removals = [c.RemoveTask(task=spec.id, by=self._by) for spec in ordered]
                self._selection.change(removals, f"{_named(tasks)} taken out of the plan.")

        dialog = ChoiceDialog(f"Take {_named(tasks)} out?", choices, first=choices[0].id)
        self._selection.screen.app.push_screen(dialog, answered)

    def action_move_up(self) -> None:
        self._move(-1)

    def action_move_down(self) -> None:
        self._move(1)

    def _move(self, step: int) -> None:
        subjects = self._selection.subjects
        plan, block = [task.id for task in self._selection.tasks], [task.id for task in subjects]
        before = [task for task in plan[: plan.index(block[0])] if task not in block] if block else []
        moves = moves_to(plan, block, len(before) + step)
        changes = [c.MoveTask(task=task, position=place, by=self._by) for task, place in moves]
        self._selection.change(changes, f"{_named(subjects)} moved.")


class ImportKeys(ScreenPart):
    """What comes from plan files, and the way back of a change."""

    def __init__(self, selection: TaskSelection, plan_import: PlanImport) -> None:
        self._selection = selection
        self._plan_import = plan_import

    def check_action(self, action: str) -> bool | None:
        services = self._selection.services
        if not self._selection.screen.ready:
            return False
        match action:
            case "import_plan":
                return self._plan_import.plans is not None
            case "settle":
                return bool(services.plan_file.conflicts)
            case _:
                return services.plan_changes.can_undo(self._selection.session)

    def action_import_plan(self) -> None:
        self._plan_import.choose()

    def action_settle(self) -> None:
        self._plan_import.settle()

    def action_undo_plan(self) -> None:
        session = self._selection.session
        if session is not None:
            self._selection.services.plan_changes.undo(session)


def _named(tasks: Sequence[TaskView]) -> str:
    keys = [task.spec.key for task in tasks]
    return ", ".join(keys) if len(keys) <= 3 else f"{len(keys)} tasks"
