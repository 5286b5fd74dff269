"""The way back from changes of a plan, made from the session's records: so it is still there after a restart. Pure.

Each event of a change has one that is its opposite. Taken in reverse, every plan on the way is one that was there
before, so nothing stands in the way but what was begun since.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core import commands as do
from obra_tui.core.errors import NotAllowed, PlanError
from obra_tui.core.events import (
    PlanChanged,
    Record,
    TaskAdded,
    TaskEdited,
    TaskHeld,
    TaskReleased,
    TaskRemoved,
    TasksOrdered,
)
from obra_tui.core.ids import TaskId, new_task_id
from obra_tui.core.model import TaskSpec
from obra_tui.core.plans.order import moves_into
from obra_tui.engine.replanning import Placed, drafted, in_order, not_started
from obra_tui.engine.work import SessionWork, apply, rebuild


def marked(events: Sequence[Placed], command: do.ChangePlan, undoes: int | None = None) -> tuple[Placed, ...]:
    """Return the events of a change with the one that says that they belong together."""
    if not events and undoes is None:
        return ()
    changed = [task for change in command.changes for task in _about(change)]
    step = PlanChanged(
        records=len(events), tasks=tuple(dict.fromkeys(changed)), by=command.by, said=command.said, undoes=undoes
    )
    return (*events, (None, step))


def _about(change: do.PlanChange) -> tuple[TaskId, ...]:
    return tuple(spec.id for spec in change.tasks) if isinstance(change, do.AddTasks) else (change.task,)


def taken_back(work: SessionWork, records: Sequence[Record], by: str) -> tuple[str, tuple[Placed, ...]]:
    """Return what the last change was, and the events that take it back. Raises `NotAllowed` when nothing can be."""
    step = _last_step(records)
    if step is None:
        raise NotAllowed(
            "No change of this plan is left that could be undone.",
            fix="Change the plan itself: `obra task --help` says how.",
        )
    changed, seq = step
    said = changed.said or "The last change"
    try:
        back = _way_back(work, records, step, by)
        draft, events = drafted(work, back)
        moves = _moves_back(draft, records, step, back, by)
        events = (*events, *drafted(draft, moves)[1])
    except (NotAllowed, PlanError) as error:
        raise NotAllowed(f"This cannot be undone any more: {said} {error.what}", fix=error.fix) from error
    command = do.ChangePlan(session=work.id, changes=(*back, *moves), said=f"Undone: {said}", by=by)
    return said, marked(events, command, undoes=seq)


Step = tuple[PlanChanged, int]
"""A change and its `seq`."""


def _last_step(records: Iterable[Record]) -> Step | None:
    steps: list[Step] = []
    for record in records:
        if isinstance(record.event, PlanChanged):
            undone = record.event.undoes
            steps = [step for step in steps if step[1] != undone]
            if undone is None:
                steps.append((record.event, record.seq))
    return steps[-1] if steps else None


def _before(records: Iterable[Record], step: Step) -> Iterator[Record]:
    changed, seq = step
    return (record for record in records if record.seq < seq - changed.records)


def _group(records: Iterable[Record], step: Step) -> Sequence[Record]:
    changed, seq = step
    return [record for record in records if seq - changed.records <= record.seq < seq]


# --- each event's opposite -----------------------------------------------------------------------


class _Was(Struct, frozen=True, kw_only=True):
    """One event of a change, and the task as it was before."""

    record: Record
    spec: TaskSpec | None
    held: bool


def _way_back(now: SessionWork, records: Sequence[Record], step: Step, by: str) -> tuple[do.PlanChange, ...]:
    """Return what takes the change back, but for the order of the plan.

    A task that was taken out comes back under another id: the old one stays in the history as cancelled.
    """
    ids = dict(_renamed(now))
    back: list[do.PlanChange] = []
    for was in reversed(_history_of(now, records, step)):
        back += _opposite(was, now, ids, by)
    return tuple(back)


def _history_of(now: SessionWork, records: Sequence[Record], step: Step) -> list[_Was]:
    work = rebuild(now.id, _before(records, step))
    assert work is not None, "a plan was changed before its session was opened"
    found = []
    for record in _group(records, step):
        task = work.tasks.get(record.task) if record.task else None
        found.append(_Was(record=record, spec=task.spec if task else None, held=task.held_back if task else False))
        apply(work, record)
    return found


def _opposite(was: _Was, now: SessionWork, ids: dict[TaskId, TaskId], by: str) -> Iterator[do.PlanChange]:
    match was.record.event, was.spec:
        case TaskAdded(spec=spec), _:
            yield do.RemoveTask(task=ids.get(spec.id, spec.id), by=by)
        case TaskEdited(), TaskSpec() as spec:
            task = ids.get(spec.id, spec.id)
            yield do.EditTask(task=task, spec=replace(spec, id=task), by=by)
        case TaskHeld(), TaskSpec(id=task):
            yield do.ReleaseTask(task=ids.get(task, task), by=by)
        case TaskReleased(), TaskSpec(id=task):
            yield do.HoldTask(task=ids.get(task, task), by=by)
        case TaskRemoved(), TaskSpec() as spec:
            ids[spec.id] = again = new_task_id()
            yield do.AddTasks(session=now.id, tasks=(replace(spec, id=again),))
            if was.held:
                yield do.HoldTask(task=again, by=by)
        case _:
            pass


def _renamed(work: SessionWork) -> Iterator[tuple[TaskId, TaskId]]:
    """Yield the ids that tasks of this plan had before they were taken out and came back."""
    present = {item.spec.key: item.spec.id for item in work.tasks.values() if not item.removed}
    for task, item in work.tasks.items():
        if item.removed and item.spec.key in present:
            yield task, present[item.spec.key]


# --- the order -----------------------------------------------------------------------------------


def _moves_back(
    draft: SessionWork, records: Sequence[Record], step: Step, back: Sequence[do.PlanChange], by: str
) -> tuple[do.PlanChange, ...]:
    """Return the moves that bring back the order, from the plan that stands when all else is undone."""
    work = rebuild(draft.id, _before(records, step))
    assert work is not None
    before = _plan(work)
    ids = dict(_renamed(draft))
    again = [spec.id for change in back if isinstance(change, do.AddTasks) for spec in change.tasks]
    moved = [*_moved(work, _group(records, step), ids, draft), *again]
    plan = _plan(draft)
    if not moved:
        return ()
    target = _with_others(plan, [ids.get(task, task) for task in before])
    moves = moves_into(plan, target, [task for task in moved if task in plan])
    return tuple(do.MoveTask(task=task, position=place, by=by) for task, place in moves)


def _plan(work: SessionWork) -> list[TaskId]:
    return [item.spec.id for item in in_order(work) if not item.removed]


def _with_others(plan: Sequence[TaskId], before: Sequence[TaskId]) -> list[TaskId]:
    """Return the order of before, with what joined the plan since behind what it is behind now."""
    target = [task for task in before if task in plan]
    for place, task in enumerate(plan):
        if task not in target:
            target.insert(target.index(plan[place - 1]) + 1 if place else 0, task)
    return target


def _moved(
    work: SessionWork, group: Sequence[Record], ids: Mapping[TaskId, TaskId], draft: SessionWork
) -> Iterator[TaskId]:
    """Yield the task that each change of the order was about; `work` is carried through the change."""
    for record in group:
        if isinstance(record.event, TasksOrdered):
            order = _plan(work)
            found = [
                ids.get(task, task)
                for task in _candidates(order, [task for task in record.event.order if task in order])
            ]
            yield from [task for task in found if task in draft.tasks and not_started(draft.tasks[task])][:1]
        apply(work, record)


def _candidates(before: Sequence[TaskId], after: Sequence[TaskId]) -> list[TaskId]:
    """Return what may have been moved to get from one order to the other: two tasks where neighbours changed places."""
    differing = next(((one, other) for one, other in zip(before, after, strict=False) if one != other), ())
    return [task for task in differing if [item for item in before if item != task] == [i for i in after if i != task]]
