"""Reading: what the engine rebuilds itself from, and what the screens show.

Connections are read-only and opened per call, so that the reader can be used
from any thread, by any number of programs, and never holds the writer up.
Lists are paged by keyset: a page costs the same however deep it lies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import DBAPIError

from obra_tui.core.errors import StoreError
from obra_tui.core.events import GateOpened, Record
from obra_tui.core.ids import AttemptId, GateId, SessionId, TaskId
from obra_tui.core.model import OpenGate, SessionKind
from obra_tui.store import tables as t
from obra_tui.store.codec import decode
from obra_tui.store.place import place_of

_RECORD = tuple(t.event.c[name] for name in ("seq", "at", "session", "task", "attempt", "type", "body"))


class SqlHistory:
    """The ports `Ledger` and `History` on SQL."""

    def __init__(self, target: str | Path) -> None:
        self._place = place_of(target)
        self._engine = self._place.reader()

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise self._place.plain(error) from error

    def open_sessions(self) -> tuple[tuple[SessionId, SessionKind], ...]:
        query = select(t.session.c.id, t.session.c.kind).where(t.session.c.closed_at.is_(None)).order_by(t.session.c.id)
        with self._reading() as connection:
            return tuple((SessionId(row.id), SessionKind(row.kind)) for row in connection.execute(query))

    def session_records(self, session: SessionId) -> tuple[Record, ...]:
        """All records of a session but the streamed ones, in order."""
        query = select(*_RECORD).where(t.event.c.session == session, ~t.event.c.streamed).order_by(t.event.c.seq)
        with self._reading() as connection:
            return tuple(map(record_of, connection.execute(query)))

    def open_gates(self) -> tuple[OpenGate, ...]:
        """Gates that wait for a person, oldest first."""
        query = (
            select(*_RECORD)
            .join(t.gate, (t.gate.c.session == t.event.c.session) & (t.gate.c.seq == t.event.c.seq))
            .where(t.gate.c.closed_at.is_(None))
            .order_by(t.gate.c.opened_at, t.gate.c.id)
        )
        with self._reading() as connection:
            return tuple(map(_open_gate, map(record_of, connection.execute(query))))


def record_of(row: Row[Any]) -> Record:
    """Return the record of a row of `event`."""
    return Record(
        seq=row.seq,
        at=row.at,
        session=SessionId(row.session),
        task=None if row.task is None else TaskId(row.task),
        attempt=None if row.attempt is None else AttemptId(row.attempt),
        event=decode(row.type, row.body),
    )


def _open_gate(record: Record) -> OpenGate:
    if not isinstance(record.event, GateOpened) or record.task is None:
        raise StoreError(f"Record {record.seq} of session {record.session} is not the opening of a gate.")
    return OpenGate(
        id=GateId(record.event.gate),
        session=record.session,
        task=record.task,
        binding=record.event.binding,
        reasons=record.event.reasons,
        opened_at=record.at,
    )
