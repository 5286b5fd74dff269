"""The plan of an open session for a command that changes it, whoever owns the data directory.

If nobody does, an engine of this process carries the change out. If another Obra is at work, the plan is read from
the journal and the change handed over to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import TimeoutError as TooLate
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from obra_tui.bootstrap.run_request import person
from obra_tui.core import commands as do
from obra_tui.core.errors import AlreadyOwned, NotAllowed, StoreError, UnknownId
from obra_tui.core.ids import SessionId
from obra_tui.core.model import SessionKind
from obra_tui.engine.replanning import TaskStanding, standing
from obra_tui.engine.work import rebuild

if TYPE_CHECKING:
    from obra_tui.bootstrap.engine import Plant
    from obra_tui.config.load import Settings
    from obra_tui.services.viewer import Viewer

_ANSWER_LIMIT_S = 30.0


class PlanDesk(Protocol):
    """Where the plans of one project lie open."""

    owner: int
    """Pid of the Obra that carries the changes out; 0 = this process."""

    def open_sessions(self) -> tuple[tuple[SessionId, SessionKind], ...]:
        """Return the open sessions of the project, oldest first."""
        ...

    def tasks(self, session: SessionId) -> tuple[TaskStanding, ...]: ...

    def send(self, command: do.Command) -> object:
        """Carry out a command and return its answer. Raises `ObraError`."""
        ...


class OpenPlan:
    """The plan of one session."""

    def __init__(self, desk: PlanDesk, session: SessionId) -> None:
        self._desk = desk
        self.session = session
        self.by = person()

    @property
    def owner(self) -> int:
        return self._desk.owner

    def tasks(self) -> tuple[TaskStanding, ...]:
        return self._desk.tasks(self.session)

    def find(self, key: str) -> TaskStanding:
        """Return the task with this key or id. Raises `UnknownId`."""
        tasks = self.tasks()
        found = next((task for task in tasks if key in (task.spec.key, task.spec.id)), None)
        if found is None:
            known = ", ".join(task.spec.key for task in tasks) or "none"
            raise UnknownId(f"There is no task {key} in session {self.session}.", fix=f"The tasks are: {known}.")
        return found

    def change(self, *changes: do.PlanChange, said: str) -> None:
        """Make all of them, or none; `said` is what it is in a person's words."""
        self._desk.send(do.ChangePlan(session=self.session, changes=changes, said=said, by=self.by))

    def undo(self) -> str:
        """Take back the last change, whoever made it, and return what it was."""
        return str(self._desk.send(do.UndoPlanChange(session=self.session, by=self.by)))


@contextmanager
def open_plan(
    settings: Settings, project: Path, *, session: str = "", make: str = "", source: str = ""
) -> Iterator[OpenPlan]:
    """Open the plan of a session; without an open one, one with the title `make` is opened, if given.

    `source` is the file that such a new plan is read from.
    """
    with _open_desk(settings, project) as desk:
        yield OpenPlan(desk, _session(desk, session, _new_session(make, source, project) if make else None))


@contextmanager
def _open_desk(settings: Settings, project: Path) -> Iterator[PlanDesk]:
    from obra_tui.bootstrap.engine import Plant, database
    from obra_tui.bootstrap.models import real_models
    from obra_tui.bootstrap.run_request import Start

    plant = Plant(settings, Start(project=project, attended=False), lambda: real_models(settings))
    try:
        plant.start()
    except AlreadyOwned:
        from obra_tui.services.viewer import Viewer

        viewer = Viewer(settings.data_dir, database(settings))
        try:
            yield _TheirDesk(viewer, settings.data_dir, str(project))
        finally:
            viewer.stop()
        return
    try:
        yield _OwnDesk(plant)
    finally:
        plant.engine.stop()


class _OwnDesk:
    """This process's own engine."""

    owner = 0

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def open_sessions(self) -> tuple[tuple[SessionId, SessionKind], ...]:
        return self._plant.engine.ask(self._plant.parts.orchestrator.open_sessions)

    def tasks(self, session: SessionId) -> tuple[TaskStanding, ...]:
        return self._plant.engine.ask(self._plant.parts.orchestrator.plan_of, session)

    def send(self, command: do.Command) -> object:
        return self._plant.engine.submit(command).result()


class _TheirDesk:
    """Another Obra is at work: what it has written is read, and what is asked for handed over."""

    def __init__(self, viewer: Viewer, data_dir: Path, project: str) -> None:
        from obra_tui.store.ownership import holder_of

        self._viewer = viewer
        self._project = project
        holder = holder_of(data_dir)
        self.owner = holder.pid if holder else 0

    def open_sessions(self) -> tuple[tuple[SessionId, SessionKind], ...]:
        return tuple(
            (session, kind)
            for session, kind in self._viewer.history.open_sessions()
            if self._viewer.history.session(session).summary.project == self._project
        )

    def tasks(self, session: SessionId) -> tuple[TaskStanding, ...]:
        work = rebuild(session, self._viewer.history.session_records(session))
        return standing(work) if work is not None else ()

    def send(self, command: do.Command) -> object:
        try:
            return self._viewer.submit(command).result(timeout=_ANSWER_LIMIT_S)
        except TooLate:
            raise StoreError(
                "The Obra that is at work does not answer.",
                where=f"pid {self.owner}",
                fix="It was told, and may still do it: look with `obra task list`. If it hangs, end it and try again.",
            ) from None
        except UnknownId as unknown:
            raise self._works_elsewhere(command) or unknown from None

    def _works_elsewhere(self, command: do.Command) -> NotAllowed | None:
        """The session is open, yet the Obra at work does not know it: it works on another project."""
        if getattr(command, "session", None) not in {session for session, _ in self.open_sessions()}:
            return None
        return NotAllowed(
            f"The Obra that is at work (pid {self.owner}) works on another project.",
            where=self._project,
            fix="End it first, or name another data directory with OBRA_DATA_DIR.",
        )


def _new_session(title: str, source: str, project: Path) -> do.OpenSession:
    return do.OpenSession(kind=SessionKind.MILESTONE, title=title, plan_source=source, project=str(project))


def _session(desk: PlanDesk, wanted: str, make: do.OpenSession | None) -> SessionId:
    open_ones = desk.open_sessions()
    fitting = [session for session, kind in open_ones if session.startswith(wanted) and (wanted or _is_plan(kind))]
    if len(fitting) == 1 or (fitting and not wanted):
        return fitting[-1]
    if make is not None and not wanted:
        return cast(SessionId, desk.send(make))
    raise UnknownId(
        f"There is no open session {wanted}".rstrip() + " of this project.",
        fix="`obra task add` or `obra task import` makes one; `obra history` lists all.",
    )


def _is_plan(kind: SessionKind) -> bool:
    return kind is SessionKind.MILESTONE
