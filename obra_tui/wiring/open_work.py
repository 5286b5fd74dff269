"""What the open sessions hold, read beside whoever works on them: for commands that look and then ask for something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from obra_tui.core.events import Record
from obra_tui.core.standing import Permissions, permissions_of
from obra_tui.engine.work import SessionWork, TaskWork, rebuild
from obra_tui.store.owner import holder_of
from obra_tui.store.queries import SqlHistory
from obra_tui.wiring.engine import database

if TYPE_CHECKING:
    from obra_tui.core.ids import SessionId
    from obra_tui.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """The open sessions as they were stored last."""

    sessions: Mapping[SessionId, SessionWork]
    permissions: Permissions
    at_work: bool
    """Another Obra owns the data directory now: only then can anything be answered."""

    def tasks(self) -> Iterator[tuple[SessionWork, TaskWork]]:
        for session in self.sessions.values():
            for task in sorted(session.tasks.values(), key=lambda task: task.position):
                yield session, task


def read_open_work(settings: Settings) -> OpenWork:
    """Read what is there. Raises `StoreError`."""
    target = database(settings)
    nothing = not isinstance(target, str) and not target.exists()
    history = None if nothing else SqlHistory(target)
    sessions: dict[SessionId, SessionWork] = {}
    records: list[Record] = []
    try:
        for session, _ in history.open_sessions() if history else ():
            found = history.session_records(session) if history else ()
            work = rebuild(session, found)
            if work is not None:
                sessions[session] = work
                records.extend(found)
    finally:
        if history:
            history.close()
    at_work = holder_of(settings.data_dir) is not None
    return OpenWork(sessions=sessions, permissions=permissions_of(records), at_work=at_work)
