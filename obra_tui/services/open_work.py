"""What the open sessions hold, read beside whoever works on them: for commands that look and then ask for something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.events import Record
from obra_tui.core.permission_rules import PermissionOverview, permissions_of
from obra_tui.engine.work import SessionWork, TaskWork, rebuild
from obra_tui.services.archive import database
from obra_tui.store.history import SqlHistory
from obra_tui.store.ownership import holder_of

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.ids import SessionId


class OpenWork(Struct, frozen=True, kw_only=True):
    """The open sessions as they were stored last."""

    sessions: Mapping[SessionId, SessionWork]
    permissions: PermissionOverview
    at_work: bool
    """Another Obra owns the data directory now: only then can anything be answered."""
    ended: Mapping[SessionId, SessionWork] = field(default_factory=dict)
    """Sessions that are closed, if they were asked for: what is known of them is enough to name their tasks."""
    ended_permissions: PermissionOverview = field(default_factory=PermissionOverview)
    """What was allowed in them and what was denied; nothing of it holds any more."""

    def tasks(self) -> Iterator[tuple[SessionWork, TaskWork]]:
        for session in self.sessions.values():
            for task in sorted(session.tasks.values(), key=lambda task: task.position):
                yield session, task


_OF_ENDED = (
    "session_opened",
    "task_added",
    "permission_asked",
    "permission_answered",
    "rule_allowed",
    "rule_used",
    "rule_revoked",
)


def read_open_work(settings: Settings, *, ended: bool = False) -> OpenWork:
    """Read what is there, on request with the sessions that have ended. Raises `StoreError`."""
    target = database(settings)
    at_work = holder_of(settings.data_dir) is not None
    if not isinstance(target, str) and not target.exists():
        return OpenWork(sessions={}, permissions=PermissionOverview(), at_work=at_work)
    history = SqlHistory(target)
    try:
        work = open_work_of(history, at_work=at_work)
        return with_ended(work, history) if ended else work
    finally:
        history.close()


def open_work_of(history: SqlHistory, *, at_work: bool) -> OpenWork:
    sessions: dict[SessionId, SessionWork] = {}
    records: list[Record] = []
    for session, _ in history.open_sessions():
        found = history.session_records(session)
        work = rebuild(session, found)
        if work is not None:
            sessions[session] = work
            records.extend(found)
    return OpenWork(sessions=sessions, permissions=permissions_of(records), at_work=at_work)


def with_ended(work: OpenWork, history: SqlHistory) -> OpenWork:
    records = history.ended_records(_OF_ENDED)
    sessions = {}
    for session, found in groupby(records, key=lambda record: record.session):
        ended = rebuild(session, found)
        if ended is not None:
            sessions[session] = ended
    return replace(work, ended=sessions, ended_permissions=permissions_of(records))
