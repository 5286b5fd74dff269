"""Changes to a plan that is already in a session: what each one leads to, as events. Pure; refuses what cannot be.

Only tasks that no attempt was made at can be changed: what Claude has been told stays as it was told.
"""

import copy
from collections.abc import Sequence
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core import commands as do
from obra_tui.core.errors import NotAllowed, PlanError, UnknownId
from obra_tui.core.events import (
    Event,
    Record,
    TaskAdded,
    TaskEdited,
    TaskHeld,
    TaskMoved,
    TaskReleased,
    TaskRemoved,
    TasksOrdered,
)
from obra_tui.core.ids import TaskId
from obra_tui.core.lifecycle import FINAL, State, Trigger, advance
from obra_tui.core.model import TaskSpec
from obra_tui.core.plans.parse import order
from obra_tui.engine.work import SessionWork, TaskWork, apply

PlanCommand = do.PlanChange | do.RunFrom
Placed = tuple[TaskId | None, Event]


def replanned(work: SessionWork, command: PlanCommand) -> tuple[Placed, ...]:
    """Return the events of a change. Raises `NotAllowed`, `PlanError` or `UnknownId` with what stands in its way."""
    if isinstance(command, do.AddTasks):
        return _added(work, command.tasks, command.by)
    task = _task_of(work, command.task)
    match command:
        case do.EditTask(spec=spec, by=by):
            return _edited(work, task, spec, by)
        case do.MoveTask(position=position, by=by):
            return ((None, TasksOrdered(order=moved(work, task, position), by=by)),)
        case do.HoldTask(by=by):
            _refuse_started(task, "held back")
            return () if task.held_back else ((task.spec.id, TaskHeld(by=by)),)
        case do.ReleaseTask(by=by):
            return ((task.spec.id, TaskReleased(by=by)),) if task.held_back else ()
        case do.RemoveTask(by=by):
            return _removed(work, task, by)
        case do.RunFrom(by=by):
            return _run_from(work, task, by)
        case _:
            assert_never(command)


def replanned_together(work: SessionWork, changes: Sequence[do.PlanChange]) -> tuple[Placed, ...]:
    """Return the events of several changes, each made to the plan that those before it leave behind."""
    return drafted(work, changes)[1]


def drafted(work: SessionWork, changes: Sequence[do.PlanChange]) -> tuple[SessionWork, tuple[Placed, ...]]:
    """Return the plan as it would be after these changes, too. The one given stays as it is."""
    draft = replace(work, tasks={key: copy.copy(task) for key, task in work.tasks.items()})
    events: list[Placed] = []
    for change in changes:
        for owner, event in replanned(draft, change):
            events.append((owner, event))
            apply(draft, Record(seq=0, at=0.0, session=work.id, task=owner, attempt=None, event=event))
    return draft, tuple(events)


def _task_of(work: SessionWork, task: TaskId) -> TaskWork:
    if task not in work.tasks:
        raise UnknownId(f"There is no task {task} in session {work.id}.", fix="`obra task list` lists them.")
    return work.tasks[task]


def _added(work: SessionWork, tasks: Sequence[TaskSpec], by: str) -> tuple[Placed, ...]:
    if tasks and all(task.id in work.tasks and not work.tasks[task.id].removed for task in tasks):
        return ()  # asked for again by whoever never heard that they are there
    known = {item.spec.key for item in work.tasks.values() if not item.removed}
    fresh = [task.key for task in tasks]
    for task in tasks:
        if task.key in known or fresh.count(task.key) > 1:
            raise PlanError(f"Task {task.key} is there twice.", where=task.source, fix="Give it another id.")
        missing = [key for key in task.depends_on if key not in known and key not in fresh]
        if missing:
            raise PlanError(
                f"Task {task.key} waits for {', '.join(missing)}, which is no task of this session.",
                where=task.source,
                fix="Name the ids of tasks in the plan.",
            )
    order(tasks)  # refuses a circle
    first = len(work.tasks)
    return tuple((task.id, _joined(task, first + index, by)) for index, task in enumerate(tasks))


def _joined(task: TaskSpec, position: int, by: str) -> TaskAdded:
    return TaskAdded(spec=task, position=position, state=State.BLOCKED if task.depends_on else State.QUEUED, by=by)


class TaskStanding(Struct, frozen=True, kw_only=True):
    """A task of the plan as it stands now."""

    spec: TaskSpec
    original: TaskSpec
    """As it was added."""
    state: State
    held_back: bool
    attempts: int
    changeable: bool
    reverted: str = ""
    """Commit that took the accepted work back."""

    @property
    def over(self) -> bool:
        return self.state in FINAL


def standing(work: SessionWork) -> tuple[TaskStanding, ...]:
    """Return the tasks in the order of the plan, removed ones left out."""
    return tuple(
        TaskStanding(
            spec=item.spec,
            original=item.original,
            state=item.state,
            held_back=item.held_back,
            attempts=item.number,
            changeable=not_started(item),
            reverted=item.reversal.commit if item.reversal else "",
        )
        for item in in_order(work)
        if not item.removed
    )


def in_order(work: SessionWork) -> list[TaskWork]:
    return sorted(work.tasks.values(), key=lambda item: item.position)


def not_started(task: TaskWork) -> bool:
    return task.number == 0 and task.state in (State.QUEUED, State.BLOCKED)


def moved(work: SessionWork, task: TaskWork, position: int) -> tuple[TaskId, ...]:
    """Return all tasks in their new order, the task at `position` counted from 0."""
    _refuse_started(task, "moved")
    others = [item.spec.id for item in in_order(work) if item is not task and not item.removed]
    gone = [item.spec.id for item in in_order(work) if item is not task and item.removed]
    place = max(0, min(position, len(others)))
    return (*others[:place], task.spec.id, *others[place:], *gone)


def _edited(work: SessionWork, task: TaskWork, spec: TaskSpec, by: str) -> tuple[Placed, ...]:
    _refuse_started(task, "edited")
    if (spec.id, spec.key) != (task.spec.id, task.spec.key):
        raise PlanError(f"{task.spec.key} keeps its id.", where=spec.source, fix="Remove it and add another task.")
    if not spec.title.strip():
        raise PlanError(f"{task.spec.key} has no title.", where=spec.source, fix="Write what is to be done.")
    known = work.by_key()
    missing = [key for key in spec.depends_on if key not in known or known[key].removed]
    if missing:
        raise PlanError(
            f"{spec.key} would wait for {', '.join(missing)}, which is no task of this session.",
            where=spec.source,
            fix=f"The tasks are {', '.join(key for key, item in known.items() if not item.removed)}.",
        )
    plan = [spec if item is task else item.spec for item in in_order(work) if not item.removed]
    order(plan)  # refuses a circle
    events: list[Placed] = [(spec.id, TaskEdited(spec=spec, by=by))]
    if task.state is State.QUEUED and any(known[key].state is not State.ACCEPTED for key in spec.depends_on):
        after = advance(State.QUEUED, Trigger.BLOCK)
        events.append((spec.id, TaskMoved(before=State.QUEUED, trigger=Trigger.BLOCK, after=after)))
    return tuple(events)


def _removed(work: SessionWork, task: TaskWork, by: str) -> tuple[Placed, ...]:
    _refuse_started(task, "removed")
    waiting = [item.spec.key for item in work.tasks.values() if _waits_for(item, task.spec.key)]
    if waiting:
        raise NotAllowed(
            f"{task.spec.key} cannot be removed: {', '.join(waiting)} waits for it.",
            fix="Change what those wait for first, or remove them too.",
        )
    after = advance(task.state, Trigger.CANCEL)
    gone = TaskMoved(before=task.state, trigger=Trigger.CANCEL, after=after, reason=f"Removed from the plan by {by}.")
    return ((task.spec.id, TaskRemoved(by=by)), (task.spec.id, gone))


def _run_from(work: SessionWork, task: TaskWork, by: str) -> tuple[Placed, ...]:
    """Hold back what comes before the task and release what comes from it on."""
    events: list[Placed] = []
    for item in in_order(work):
        before = item.position < task.position
        if before and not_started(item) and not item.held_back:
            events.append((item.spec.id, TaskHeld(by=by)))
        elif not before and item.held_back:
            events.append((item.spec.id, TaskReleased(by=by)))
    return tuple(events)


def _waits_for(item: TaskWork, key: str) -> bool:
    return item.state not in FINAL and key in item.spec.depends_on


def _refuse_started(task: TaskWork, what: str) -> None:
    if not not_started(task):
        raise NotAllowed(
            f"{task.spec.key} is {task.state} and cannot be {what} any more.",
            fix="Write to Claude, ask for changes at its gate, or cancel it and add another task.",
        )
