"""Writing: records and their derived rows, one transaction per call.

The only writer of the database. Secrets are taken out before anything else.
What `append` returned from is durable; what it raised for left no trace. Safe
to call from any thread, one call at a time.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import DBAPIError

from obra_tui.core.crashpoint import crash_at_records
from obra_tui.core.errors import DiskFull, StoreError
from obra_tui.core.events import Record
from obra_tui.core.ids import SessionId
from obra_tui.store import fence, project, search
from obra_tui.store import tables as t
from obra_tui.store.codec import STREAMED_TYPES, encode
from obra_tui.store.pieces import blank_pieces
from obra_tui.store.place import place_of
from obra_tui.store.redact import Redactor
from obra_tui.store.reserve import Reserve

_INSERT_EVENT = insert(t.event)


class SqlJournal:
    """The port `Journal` on SQL. Opens, makes or upgrades the database; raises `StoreError` if it cannot be used."""

    def __init__(
        self, target: str | Path, secrets: Iterable[str] = (), *, space_ran_out: Callable[[], None] | None = None
    ) -> None:
        """`secrets` are exact values that must never be stored, such as the API key of the environment.

        `space_ran_out` is called after a write that went through only because the reserve was given up; without it
        no reserve is kept.
        """
        self._redactor = Redactor(secrets)
        self._place = place_of(target)
        self._engine = self._place.writer()
        self._searchable, self._token = self._prepare()
        self._lock = Lock()
        self._space_ran_out = space_ran_out
        self._reserve = Reserve(self._place.file.parent) if self._place.file and space_ran_out else None
        if self._reserve:
            self._reserve.hold()
        self._last: dict[SessionId, int] = {}

    def append(self, records: Sequence[Record]) -> None:
        """Write all or nothing, durable on return. Raises `StoreError`."""
        if not records:
            return
        with self._lock:
            self._last.update(self._write_with_reserve(records))

    def last_seq(self, session: SessionId) -> int:
        """Return the number of the session's last record, 0 when there is none."""
        with self._lock:
            known = self._last.get(session)
            return self._read_last(session) if known is None else known

    def writable(self) -> bool:
        """Return whether writing works again; on a disk that was full there must be room for the reserve, too."""
        with self._lock:
            if self._reserve and not (self._reserve.roomy() and self._reserve.hold()):
                return False
            try:
                with self._engine.begin() as connection:
                    fence.check(connection, self._token, self._place.name)
                    fence.touch(connection)
            except (DBAPIError, StoreError):
                return False
            return True

    def close(self) -> None:
        """Close the connection; SQLite then folds its side file into the database."""
        with self._lock:
            self._engine.dispose()

    def _prepare(self) -> tuple[bool, int]:
        """Return whether there is a search index, and the token of the one who may write, which this one becomes."""
        try:
            with self._engine.begin() as connection:
                return search.exists(connection), fence.take(connection)
        except DBAPIError as error:
            self._engine.dispose()
            raise self._place.plain(error) from error

    def _write_with_reserve(self, records: Sequence[Record]) -> dict[SessionId, int]:
        try:
            return self._write(records)
        except DiskFull:
            if self._reserve is None or not self._reserve.release():
                raise
            last = self._write(records)
        if self._space_ran_out:
            self._space_ran_out()
        return last

    def _write(self, records: Sequence[Record]) -> dict[SessionId, int]:
        try:
            with self._engine.begin() as connection:
                fence.check(connection, self._token, self._place.name)
                last = self._numbered(connection, records)
                clean = list(map(self._redactor.record, records))
                project.apply(connection, (change for record in clean for change in project.changes(record)))
                connection.execute(_INSERT_EVENT, [_row(record) for record in clean])
                if self._searchable:
                    search.add(connection, clean)
                for was, now in zip(records, clean, strict=True):
                    if now is not was:
                        blank_pieces(connection, now)
                crash_at_records("within", records)
                return last
        except DBAPIError as error:
            raise self._place.plain(error) from error

    def _numbered(self, connection: Connection, records: Sequence[Record]) -> dict[SessionId, int]:
        """Return the new last numbers, or refuse records that leave a gap or repeat one."""
        last: dict[SessionId, int] = {}
        for record in records:
            before = last.get(record.session, self._last.get(record.session))
            if before is None:
                before = _last_seq(connection, record.session)
            if record.seq != before + 1:
                raise StoreError(
                    f"Record {record.seq} of session {record.session} does not follow record {before}.",
                    where=self._place.name,
                    fix="Another Obra may have written meanwhile: start again. Nothing of this step was stored.",
                )
            last[record.session] = record.seq
        return last

    def _read_last(self, session: SessionId) -> int:
        try:
            with self._engine.connect() as connection:
                return _last_seq(connection, session)
        except DBAPIError as error:
            raise self._place.plain(error) from error


def _last_seq(connection: Connection, session: SessionId) -> int:
    query = select(func.coalesce(func.max(t.event.c.seq), 0)).where(t.event.c.session == session)
    return int(connection.execute(query).scalar_one())


def _row(record: Record) -> dict[str, Any]:
    kind = record.event.type
    return {
        "session": record.session,
        "seq": record.seq,
        "at": record.at,
        "task": record.task,
        "attempt": record.attempt,
        "type": kind,
        "streamed": kind in STREAMED_TYPES,
        "body": encode(record.event),
    }
