"""Changes of a plan with the way back: what was done last can be undone, step by step.

The ways back are made from the view before the change, are pure values, and are forgotten with the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from obra_tui.core.commands import (
    AddTasks,
    ChangePlan,
    EditTask,
    HoldTask,
    MoveTask,
    PlanChange,
    ReleaseTask,
    RemoveTask,
)
from obra_tui.core.ids import GateId, SessionId, TaskId, new_task_id
from obra_tui.core.plan_order import moves_into
from obra_tui.ui.state import TaskView, ViewState

if TYPE_CHECKING:
    from obra_tui.ui.desk import Desk

_DEPTH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change that was made, and how it is taken back."""

    session: SessionId
    said: str
    back: tuple[PlanChange, ...]
    held: frozenset[GateId]
    """Gates whose answer could be undone at that time."""


class PlanChanges:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._steps: list[Step] = []

    def make(self, session: SessionId, changes: Sequence[PlanChange], said: str) -> None:
        """Send all of them as one; when they were made, `said` is told and can be undone."""
        if not changes:
            return
        view = self._desk.hub.view
        held = frozenset(gate.id for gate in view.held_gates)
        back, _ = way_back(view, session, changes, self._desk.launch.person)
        step = Step(session=session, said=said, back=back, held=held)
        self._desk.requests.send(ChangePlan(session=session, changes=tuple(changes)), lambda _: self._made(step))

    @property
    def can_undo(self) -> bool:
        """Whether the last thing that can be undone is a change of the plan, not an answer to a gate."""
        answers = {gate.id for gate in self._desk.hub.view.held_gates}
        return bool(self._steps) and answers <= self._steps[-1].held

    def undo(self) -> None:
        """Take the last change back."""
        if not self._steps:
            return
        step = self._steps.pop()
        back, renamed = _anew(step.back)

        def undone(_: object) -> None:
            self._steps = [replace(item, back=with_ids(item.back, renamed)) for item in self._steps]
            self._desk.tell(f"Undone: {step.said}")

        self._desk.requests.send(ChangePlan(session=step.session, changes=back), undone)

    def _made(self, step: Step) -> None:
        self._steps = [*self._steps[-_DEPTH:], step]
        self._desk.tell(f"{step.said} {self._desk.key_shown('tasks.undo_plan')} undoes it.")


def way_back(
    view: ViewState, session: SessionId, changes: Sequence[PlanChange], by: str
) -> tuple[tuple[PlanChange, ...], tuple[TaskId, ...]]:
    """Return what undoes the changes, and the tasks that it puts back into the plan."""
    back: list[PlanChange] = []
    removed: list[TaskView] = []
    for change in reversed(changes):
        match change:
            case AddTasks(tasks=tasks):
                back += [RemoveTask(task=spec.id, by=by) for spec in reversed(tasks)]
            case EditTask(task=task):
                back.append(EditTask(task=task, spec=view.tasks[task].spec, by=by))
            case HoldTask(task=task) if not view.tasks[task].held_back:
                back.append(ReleaseTask(task=task, by=by))
            case ReleaseTask(task=task) if view.tasks[task].held_back:
                back.append(HoldTask(task=task, by=by))
            case RemoveTask(task=task):
                removed.append(view.tasks[task])
            case HoldTask() | ReleaseTask() | MoveTask():
                pass
            case _:
                assert_never(change)
    ids = view.sessions[session].tasks if session in view.sessions else ()
    again = sorted(removed, key=lambda task: ids.index(task.id))
    if again:
        back.append(AddTasks(session=session, tasks=tuple(task.spec for task in again)))
        back += [HoldTask(task=task.id, by=by) for task in again if task.held_back]
    moved = [change.task for change in changes if isinstance(change, MoveTask) and change.task in ids]
    return (*back, *_moves_back(ids, changes, [*moved, *(task.id for task in again)], by)), tuple(
        task.id for task in again
    )


def _moves_back(
    before: Sequence[TaskId], changes: Sequence[PlanChange], movable: Sequence[TaskId], by: str
) -> Iterable[PlanChange]:
    """Return the moves that bring back the order, from the one that stands when all else is undone."""
    if not movable:
        return ()
    now = list(before)
    for change in changes:
        if isinstance(change, MoveTask) and change.task in now:
            now.remove(change.task)
            now.insert(change.position, change.task)
    removed = [change.task for change in changes if isinstance(change, RemoveTask)]
    now = [*(task for task in now if task not in removed), *(task for task in before if task in removed)]
    return [MoveTask(task=task, position=place, by=by) for task, place in moves_into(now, before, movable)]


def _anew(changes: Sequence[PlanChange]) -> tuple[tuple[PlanChange, ...], Mapping[TaskId, TaskId]]:
    """A task that was taken out comes back under another id: the old one stays in the history as cancelled."""
    ids = {spec.id: new_task_id() for item in changes if isinstance(item, AddTasks) for spec in item.tasks}
    return with_ids(changes, ids), ids


def with_ids(changes: Sequence[PlanChange], ids: Mapping[TaskId, TaskId]) -> tuple[PlanChange, ...]:
    """Return the changes with other ids in them."""
    return tuple(_with_ids(change, ids) for change in changes)


def _with_ids(change: PlanChange, ids: Mapping[TaskId, TaskId]) -> PlanChange:
    match change:
        case AddTasks(tasks=tasks):
            return replace(change, tasks=tuple(replace(spec, id=ids.get(spec.id, spec.id)) for spec in tasks))
        case EditTask(task=task, spec=spec):
            return replace(change, task=ids.get(task, task), spec=replace(spec, id=ids.get(spec.id, spec.id)))
        case _:
            return replace(change, task=ids.get(change.task, change.task))
