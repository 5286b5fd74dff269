"""`obra task`: look at and change the plan of the open session, also while another Obra is at work."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core import commands as do
from obra_tui.core.errors import PlanError
from obra_tui.core.ids import SessionId, TaskId, new_task_id
from obra_tui.core.model import TaskSpec
from obra_tui.core.plain import plain
from obra_tui.core.plans.fields import TaskFields, fields_of, free_key, remarks_on, spec_of
from obra_tui.core.plans.merge import Difference, Fate, differences, merging, refusal_of, told
from obra_tui.core.plans.order import moves_to
from obra_tui.core.plans.parse import order
from obra_tui.core.plans.text import changed_lines
from obra_tui.core.text import one_line

if TYPE_CHECKING:
    from obra_tui.engine.replanning import TaskStanding
    from obra_tui.services.plan_desk import OpenPlan


Made = Callable[[TaskId, str], do.PlanChange]


class Place(Struct, frozen=True, kw_only=True):
    """Whose plan is meant: the project's open session unless one is named."""

    project: Path
    session: str = ""
    as_json: bool = False


@contextmanager
def _open(place: Place, *, make: str = "", source: str = "") -> "Iterator[OpenPlan]":
    from obra_tui.config.load import load
    from obra_tui.services.plan_desk import open_plan
    from obra_tui.services.project import project_root

    project = project_root(place.project)
    with open_plan(load(project), project, session=place.session, make=make, source=source) as plan:
        yield plan


# --- commands ------------------------------------------------------------------------------------


def list_tasks(place: Place) -> int:
    with _open(place) as plan:
        _print_tasks(plan, place)
    return 0


def add_task(place: Place, fields: TaskFields) -> int:
    with _open(place, make=place.project.absolute().name or "Tasks") as plan:
        specs = [task.spec for task in plan.tasks()]
        key = fields.key or free_key([spec.key for spec in specs])
        spec = _checked(fields, TaskSpec(id=new_task_id(), key=key, title="", prompt="", source="typed"), specs)
        _change(plan, place, [do.AddTasks(session=plan.session, tasks=(spec,))], f"{spec.key} was added.")
    return 0


def edit_task(place: Place, key: str, given: dict[str, str]) -> int:
    """`given` holds the fields that are to say something else."""
    with _open(place) as plan:
        spec = plan.find(key).spec
        others = [task.spec for task in plan.tasks() if task.spec.id != spec.id]
        changed = _checked(replace(fields_of(spec), **given), spec, others)
        _change(plan, place, [do.EditTask(task=spec.id, spec=changed, by=plan.by)], f"{spec.key} was changed.")
    return 0


def import_tasks(place: Place, file: Path, *, theirs: bool) -> int:
    """Take in what is new in a file, and what was changed in it; with `theirs` also where it was changed here too."""
    from obra_tui.bootstrap.start import full_path
    from obra_tui.services.plans import read_plan

    read = read_plan(file)
    with _open(place, make=read.title, source=full_path(read.source)) as plan:
        known = plan.tasks()
        found = tuple(item for item in differences(read, known) if item.theirs is not None)
        wanted = {Fate.NEW, Fate.CHANGED} | ({Fate.CONFLICT} if theirs else set())
        taken = [item for item in found if item.fate in wanted]
        for item in found:
            if item not in taken:
                _say_why(item)
        changes = merging(taken, known, plan.session, plan.by, found)
        _change(plan, place, changes, f"{read.source}: {told(taken) or 'nothing new'}.")
    return 0


def hold_tasks(place: Place, keys: Sequence[str]) -> int:
    return _change_each(place, keys, "held", lambda task, by: do.HoldTask(task=task, by=by))


def release_tasks(place: Place, keys: Sequence[str]) -> int:
    return _change_each(place, keys, "released", lambda task, by: do.ReleaseTask(task=task, by=by))


def remove_tasks(place: Place, keys: Sequence[str]) -> int:
    return _change_each(place, keys, "taken out", lambda task, by: do.RemoveTask(task=task, by=by), last_first=True)


def move_tasks(place: Place, keys: Sequence[str], position: int) -> int:
    """`position` is counted from 1, as people count; several tasks keep the order in which they are named."""
    with _open(place) as plan:
        block = [plan.find(key).spec.id for key in dict.fromkeys(keys)]
        moves = moves_to([task.spec.id for task in plan.tasks()], block, position - 1)
        changes = [do.MoveTask(task=task, position=to, by=plan.by) for task, to in moves]
        _change(plan, place, changes, f"{', '.join(keys)} moved.")
    return 0


def undo_change(place: Place) -> int:
    with _open(place) as plan:
        _tell(plan, place, f"Undone: {plan.undo()}")
    return 0


def _change_each(place: Place, keys: Sequence[str], done: str, command: Made, *, last_first: bool = False) -> int:
    with _open(place) as plan:
        specs = [plan.find(key).spec for key in dict.fromkeys(keys)]
        ordered = reversed(order(specs)) if last_first else specs
        changes = [command(spec.id, plan.by) for spec in ordered]
        _change(plan, place, changes, f"{', '.join(spec.key for spec in specs)} {done}.")
    return 0


def _change(plan: "OpenPlan", place: Place, changes: Sequence[do.PlanChange], said: str) -> None:
    """Make the changes as one, and tell what was done."""
    if changes:
        plan.change(*changes, said=said)
    _tell(plan, place, said)


def _say_why(left_out: Difference) -> None:
    refused = refusal_of(left_out)
    if refused is not None:
        _warn(str(refused))
    if left_out.fate is Fate.CONFLICT:
        _warn(
            f"{left_out.spec.key} was changed here and in the file: it stays as it is here; --theirs takes the file's."
        )
        for line in changed_lines(left_out):
            typer.echo(f"  {line}", err=True)


def _checked(fields: TaskFields, spec: TaskSpec, others: Sequence[TaskSpec]) -> TaskSpec:
    """Return the task as the fields say it; what is only doubtful is said and goes through."""
    for remark in remarks_on(fields, spec, others):
        if remark.blocks:
            raise PlanError(remark.text, where=spec.key, fix=f"Correct the {remark.field}.")
        _warn(remark.text)
    return spec_of(fields, spec)


# --- printing ------------------------------------------------------------------------------------


def _tell(plan: "OpenPlan", place: Place, done: str) -> None:
    """Say what was done and by whom, then how the plan stands."""
    whose = f" by the Obra at work (pid {plan.owner})" if plan.owner else ""
    if place.as_json:
        typer.echo(json.dumps({"type": "done", "session": plan.session, "text": done, "owner": plan.owner or None}))
    else:
        typer.echo(f"{done.removesuffix('.')}{whose}.")
    _print_tasks(plan, place)


def _print_tasks(plan: "OpenPlan", place: Place) -> None:
    for number, task in enumerate(plan.tasks(), start=1):
        typer.echo(json.dumps(_as_json(plan.session, task)) if place.as_json else _line(number, task))


def _warn(text: str) -> None:
    typer.echo(f"obra: {text}", err=True)


def _as_json(session: SessionId, task: "TaskStanding") -> dict[str, object]:
    spec = plain(task.spec)
    standing = {"state": task.state.value, "held": task.held_back, "attempts": task.attempts}
    return {"type": "task", "session": session, **standing, "reverted": task.reverted or None, **spec}


def _line(number: int, task: "TaskStanding") -> str:
    word = "held" if task.held_back else "reverted" if task.reverted else task.state.value
    after = f"  after {', '.join(task.spec.depends_on)}" if task.spec.depends_on else ""
    return f"{number:>3}  {task.spec.key:<8} {word:<15} {one_line(task.spec.title, 80)}{after}"
