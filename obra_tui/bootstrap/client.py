"""One client for commands from outside a running engine: carried out here, or handed to the Obra that owns the data.

The rule, in one place: who owns the data directory carries commands out. If nobody does, this process starts an
engine of its own; if another Obra does, the command goes to it through the command table.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from obra_tui.bootstrap.engine import EngineHandle
from obra_tui.bootstrap.run_request import RunRequest
from obra_tui.core import commands as do
from obra_tui.core.errors import AlreadyOwned, NotAllowed, StoreError, UnknownId
from obra_tui.core.lifecycle import WORKING, State
from obra_tui.core.model import SessionKind
from obra_tui.engine.replanning import TaskStanding, standing
from obra_tui.engine.work import rebuild
from obra_tui.services.archive import database
from obra_tui.services.remote_engine import RemoteEngine
from obra_tui.store.ownership import holder_of
from obra_tui.system.user import person

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.ids import SessionId, TaskId

_ANSWER_LIMIT_S = 30.0
_LOOK_EVERY_S = 0.05
AT_WORK = frozenset({State.QUEUED, State.ACCEPTING}) | WORKING


class EngineClient(Protocol):
    """The engine that owns the data directory, in this process or in another one."""

    owner: int
    """Pid of the Obra that carries commands out; 0 = this process."""
    deciding: frozenset[State]
    """States of a task whose decision is not carried out yet."""

    def send(self, command: do.Command) -> object:
        """Have a command carried out and return its answer. Raises `ObraError`."""
        ...

    def open_sessions(self) -> tuple[tuple[SessionId, SessionKind], ...]:
        """Return the open sessions of the project, oldest first."""
        ...

    def tasks(self, session: SessionId) -> tuple[TaskStanding, ...]: ...

    def state_of(self, session: SessionId, task: TaskId) -> State: ...


class LocalClient:
    """This process's own engine."""

    owner = 0
    deciding = frozenset({State.ACCEPTING})

    def __init__(self, handle: EngineHandle) -> None:
        self._engine = handle.engine
        self._orchestrator = handle.parts.orchestrator

    def send(self, command: do.Command) -> object:
        return self._engine.submit(command).result()

    def open_sessions(self) -> tuple[tuple[SessionId, SessionKind], ...]:
        return self._engine.ask(self._orchestrator.open_sessions)

    def tasks(self, session: SessionId) -> tuple[TaskStanding, ...]:
        return self._engine.ask(self._orchestrator.plan_of, session)

    def state_of(self, session: SessionId, task: TaskId) -> State:
        return self._engine.ask(self._orchestrator.state_of, task)


class RemoteClient:
    """Another Obra is the owner: what it has written is read, and commands are handed over."""

    deciding = frozenset({State.AWAITING_HUMAN, State.ACCEPTING})

    def __init__(self, remote: RemoteEngine, owner: int, project: Path | None) -> None:
        """Without a project, the sessions of all projects are its own."""
        self._remote = remote
        self._project = str(project) if project else ""
        self.owner = owner

    def send(self, command: do.Command) -> object:
        try:
            return self._remote.submit(command).result(timeout=_ANSWER_LIMIT_S)
        except FutureTimeout:
            raise StoreError(
                "The Obra that is at work does not answer.",
                where=f"pid {self.owner}" if self.owner else "",
                fix="It was told, and may still do it: look with `obra review` or `obra task list`. "
                "If it hangs, end it and try again.",
            ) from None
        except UnknownId as unknown:
            raise self._works_elsewhere(command) or unknown from None

    def open_sessions(self) -> tuple[tuple[SessionId, SessionKind], ...]:
        history = self._remote.history
        return tuple(
            (session, kind)
            for session, kind in history.open_sessions()
            if self._project in ("", history.session(session).summary.project)
        )

    def tasks(self, session: SessionId) -> tuple[TaskStanding, ...]:
        work = rebuild(session, self._remote.history.session_records(session))
        return standing(work) if work is not None else ()

    def state_of(self, session: SessionId, task: TaskId) -> State:
        tasks = self._remote.history.session(session).tasks
        return next(found.state for found in tasks if found.id == task)

    def _works_elsewhere(self, command: do.Command) -> NotAllowed | None:
        """The session is open, yet the owner does not know it: it works on another project."""
        if getattr(command, "session", None) not in {session for session, _ in self.open_sessions()}:
            return None
        return NotAllowed(
            f"The Obra that is at work (pid {self.owner}) works on another project.",
            where=self._project,
            fix="End it first, or name another data directory with OBRA_DATA_DIR.",
        )


@contextmanager
def open_client(settings: Settings, project: Path) -> Iterator[EngineClient]:
    """Own the data directory with an engine on `project`, or connect to the owner."""
    handle = EngineHandle(settings, RunRequest(project=project))
    try:
        handle.start()
    except AlreadyOwned:
        with connect_to_owner(settings, project) as client:
            yield client
        return
    try:
        yield LocalClient(handle)
    finally:
        handle.stop()


@contextmanager
def connect_to_owner(settings: Settings, project: Path | None = None) -> Iterator[EngineClient]:
    """Connect to the Obra at work; `send` raises `StoreError` when there is none."""
    holder = holder_of(settings.data_dir)
    remote = RemoteEngine(settings.data_dir, database(settings))
    try:
        yield RemoteClient(remote, holder.pid if holder else 0, project)
    finally:
        remote.stop()


def send_command(settings: Settings, project: Path, command: do.Command) -> object:
    """Have one command carried out, by whoever owns the data directory; returns its answer."""
    with open_client(settings, project) as client:
        return client.send(command)


def send_to_owner(settings: Settings, command: do.Command) -> object:
    """Have one command carried out by the Obra at work. Raises `StoreError` when there is none."""
    with connect_to_owner(settings) as client:
        return client.send(command)


def decide(settings: Settings, project: Path, command: do.Decide, session: SessionId, task: TaskId) -> State:
    """Answer a gate and return the state of its task once the decision is carried out, after a minute in any case."""
    with open_client(settings, project) as client:
        client.send(command)
        return wait_for_state(client, session, task, client.deciding)


def wait_for_state(
    client: EngineClient, session: SessionId, task: TaskId, passing: frozenset[State], timeout_s: float = 60.0
) -> State:
    """Return the task's state once it is not in `passing`, or whatever it is after the time limit."""
    deadline = time.monotonic() + timeout_s
    while (state := client.state_of(session, task)) in passing and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)
    return state


# --- the plan of one session ---------------------------------------------------------------------


class PlanClient:
    """Reads and changes the plan of one open session."""

    def __init__(self, client: EngineClient, session: SessionId) -> None:
        self._client = client
        self.session = session
        self.by = person()

    @property
    def owner(self) -> int:
        return self._client.owner

    def tasks(self) -> tuple[TaskStanding, ...]:
        return self._client.tasks(self.session)

    def find(self, key: str) -> TaskStanding:
        """Return the task with this key or id. Raises `UnknownId`."""
        tasks = self.tasks()
        found = next((task for task in tasks if key in (task.spec.key, task.spec.id)), None)
        if found is None:
            known = ", ".join(task.spec.key for task in tasks) or "none"
            raise UnknownId(f"There is no task {key} in session {self.session}.", fix=f"The tasks are: {known}.")
        return found

    def change(self, *changes: do.PlanChange, said: str) -> None:
        """Make all of them, or none; `said` describes them for a person."""
        self._client.send(do.ChangePlan(session=self.session, changes=changes, said=said, by=self.by))

    def undo(self) -> str:
        """Take back the last change, whoever made it, and return its description."""
        return str(self._client.send(do.UndoPlanChange(session=self.session, by=self.by)))


@contextmanager
def open_plan(
    settings: Settings, project: Path, *, session: str = "", make: str = "", source: str = ""
) -> Iterator[PlanClient]:
    """Open the plan of a session; without an open one, one with the title `make` is opened, if given.

    `source` is the file that such a new plan is read from.
    """
    with open_client(settings, project) as client:
        new = do.OpenSession(kind=SessionKind.MILESTONE, title=make, plan_source=source, project=str(project))
        yield PlanClient(client, _find_session(client, session, new if make else None))


def _find_session(client: EngineClient, wanted: str, new: do.OpenSession | None) -> SessionId:
    fitting = [
        session
        for session, kind in client.open_sessions()
        if session.startswith(wanted) and (wanted or kind is SessionKind.MILESTONE)
    ]
    if len(fitting) == 1 or (fitting and not wanted):
        return fitting[-1]
    if new is not None and not wanted:
        return cast("SessionId", client.send(new))
    raise UnknownId(
        f"There is no open session {wanted}".rstrip() + " of this project.",
        fix="`obra task add` or `obra task import` makes one; `obra history` lists all.",
    )
