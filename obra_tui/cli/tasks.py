"""`obra task`: look at and change the plan of the open session."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from obra_tui.core import commands as do
from obra_tui.core.errors import UnknownId
from obra_tui.core.ids import SessionId, new_task_id
from obra_tui.core.model import Plan, SessionKind, TaskSpec
from obra_tui.core.text import one_line

if TYPE_CHECKING:
    from obra_tui.engine.replanning import TaskStanding
    from obra_tui.wiring.engine import Plant


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose plan is meant: the project's open session unless one is named."""

    project: Path
    session: str = ""
    as_json: bool = False


class OpenPlan:
    """The plan of one open session, in this process's own engine."""

    def __init__(self, plant: "Plant", session: SessionId, by: str) -> None:
        self._plant = plant
        self.session = session
        self.by = by

    def tasks(self) -> "tuple[TaskStanding, ...]":
        return self._plant.engine.ask(self._plant.parts.orchestrator.plan_of, self.session)

    def find(self, key: str) -> "TaskStanding":
        """Return the task with this key or id. Raises `UnknownId`."""
        tasks = self.tasks()
        found = next((task for task in tasks if key in (task.spec.key, task.spec.id)), None)
        if found is None:
            known = ", ".join(task.spec.key for task in tasks) or "none"
            raise UnknownId(f"There is no task {key} in session {self.session}.", fix=f"The tasks are: {known}.")
        return found

    def send(self, command: do.Command) -> object:
        return self._plant.engine.submit(command).result()


@contextmanager
def open_plan(place: Place, *, make: str = "") -> Iterator[OpenPlan]:
    """Open the plan; without an open session one with the title `make` is opened, if given."""
    from obra_tui.settings import load
    from obra_tui.wiring.engine import Plant
    from obra_tui.wiring.models import real_models
    from obra_tui.wiring.project import project_root
    from obra_tui.wiring.work import Start, person

    project = project_root(place.project)
    settings = load(project)
    plant = Plant(settings, Start(project=project, attended=False), lambda: real_models(settings))
    plant.start()
    try:
        yield OpenPlan(plant, _session(plant, place.session, make), person())
    finally:
        plant.engine.stop()


def _session(plant: "Plant", wanted: str, make: str) -> SessionId:
    open_ones = plant.engine.ask(plant.parts.orchestrator.open_sessions)
    fitting = [session for session, kind in open_ones if session.startswith(wanted) and (wanted or _is_plan(kind))]
    if len(fitting) == 1 or (fitting and not wanted):
        return fitting[-1]
    if make and not wanted:
        opened = do.OpenSession(kind=SessionKind.MILESTONE, title=make)
        return cast(SessionId, plant.engine.submit(opened).result())
    raise UnknownId(
        f"There is no open session {wanted}".rstrip() + " of this project.",
        fix="`obra task add` or `obra task import` makes one; `obra history` lists all.",
    )


def _is_plan(kind: SessionKind) -> bool:
    return kind is SessionKind.MILESTONE


# --- commands ------------------------------------------------------------------------------------


def list_tasks(place: Place) -> int:
    with open_plan(place) as plan:
        _print(plan, place)
    return 0


def add_task(place: Place, text: str, *, after: tuple[str, ...], accept: tuple[str, ...]) -> int:
    title, _, prompt = text.strip().partition("\n")
    with open_plan(place, make=place.project.absolute().name or "Tasks") as plan:
        key = _free_key([task.spec.key for task in plan.tasks()])
        spec = TaskSpec(
            id=new_task_id(),
            key=key,
            title=title,
            prompt=prompt.strip() or title,
            acceptance=accept,
            depends_on=after,
            source="typed",
        )
        plan.send(do.AddTasks(session=plan.session, tasks=(spec,)))
        _print(plan, place)
    return 0


def import_tasks(place: Place, file: Path) -> int:
    from obra_tui.wiring.plans import read_plan

    read = read_plan(file)
    with open_plan(place, make=read.title) as plan:
        known = {task.spec.key for task in plan.tasks()}
        plan.send(do.AddTasks(session=plan.session, tasks=_without_known(read, known)))
        _print(plan, place)
    return 0


def edit_task(place: Place, key: str, changes: dict[str, object]) -> int:
    given = {name: value for name, value in changes.items() if value is not None}
    return _change(
        place,
        key,
        lambda task, by: do.EditTask(task=task.spec.id, spec=dataclasses.replace(task.spec, **given), by=by),  # type: ignore[arg-type]
    )


def hold_task(place: Place, key: str) -> int:
    return _change(place, key, lambda task, by: do.HoldTask(task=task.spec.id, by=by))


def release_task(place: Place, key: str) -> int:
    return _change(place, key, lambda task, by: do.ReleaseTask(task=task.spec.id, by=by))


def move_task(place: Place, key: str, position: int) -> int:
    """`position` is counted from 1, as people count."""
    return _change(place, key, lambda task, by: do.MoveTask(task=task.spec.id, position=position - 1, by=by))


def remove_task(place: Place, key: str) -> int:
    return _change(place, key, lambda task, by: do.RemoveTask(task=task.spec.id, by=by))


def _change(place: Place, key: str, command: "Callable[[TaskStanding, str], do.Command]") -> int:
    with open_plan(place) as plan:
        plan.send(command(plan.find(key), plan.by))
        _print(plan, place)
    return 0


def _without_known(plan: Plan, known: set[str]) -> tuple[TaskSpec, ...]:
    fresh = tuple(task for task in plan.tasks if task.key not in known)
    if not fresh:
        raise UnknownId(f"Every task of {plan.source} is in the session already.", fix="Add a task to the file first.")
    return fresh


def _free_key(taken: list[str]) -> str:
    number = len(taken) + 1
    while f"T{number:03}" in taken:
        number += 1
    return f"T{number:03}"


# --- printing ------------------------------------------------------------------------------------


def _print(plan: OpenPlan, place: Place) -> None:
    for number, task in enumerate(plan.tasks(), start=1):
        typer.echo(json.dumps(_as_json(plan.session, task)) if place.as_json else _line(number, task))


def _as_json(session: SessionId, task: "TaskStanding") -> dict[str, object]:
    spec = json.loads(json.dumps(dataclasses.asdict(task.spec), default=str))
    standing = {"state": task.state.value, "held": task.held_back, "attempts": task.attempts}
    return {"type": "task", "session": session, **standing, **spec}


def _line(number: int, task: "TaskStanding") -> str:
    word = "held" if task.held_back else task.state.value
    after = f"  after {', '.join(task.spec.depends_on)}" if task.spec.depends_on else ""
    return f"{number:>3}  {task.spec.key:<8} {word:<15} {one_line(task.spec.title, 80)}{after}"
