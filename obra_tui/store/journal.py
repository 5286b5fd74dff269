"""Writing: records and their derived rows, one transaction per call.

The only writer of the database. Secrets are taken out before anything else.
What `append` returned from is durable; what it raised for left no trace. Safe
to call from any thread, one call at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from os import getpid
from pathlib import Path
from socket import gethostname
from threading import Lock

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from obra_tui.core.crash_records import crash_at_records
from obra_tui.core.errors import AlreadyOwned, DiskFull, OwnerChanged, StoreError
from obra_tui.core.events import ClaudeEnded, Record
from obra_tui.core.ids import SessionId
from obra_tui.core.ports import StoredAfterAll
from obra_tui.store import database, fence, projection
from obra_tui.store import tables as t
from obra_tui.store.ownership import LEASE_S, Lease, Reserve, now
from obra_tui.store.redact import Redactor
from obra_tui.store.search import index
from obra_tui.store.streamed_secrets import blank_pieces, blank_unfinished
from obra_tui.store.target import target_of
from obra_tui.store.write_path import COLUMNS, Batch, batch_of, insert_rows


class SqlJournal:
    """The port `Journal` on SQL. Opens, makes or upgrades the database; raises `StoreError` if it cannot be used."""

    def __init__(
        self,
        target: str | Path,
        secrets: Iterable[str] = (),
        *,
        space_ran_out: Callable[[], None] | None = None,
        holder: str = "",
        away: Callable[[StoreError], None] = lambda error: None,
        lease_s: float = LEASE_S,
    ) -> None:
        """`secrets` are exact values that must never be stored, such as the API key of the environment.

        `space_ran_out` is called after a write that went through only because the reserve was given up; without it
        no reserve is kept. On a server, `holder` names this owner, who gets the right to write back at once if he
        died with it, and `away` is called, from a thread of its own, when the right can no longer be renewed: all
        that works for this journal must be dead a third of `lease_s` later.
        """
        self._redactor = Redactor(secrets)
        self._target = target_of(target)
        self._space_ran_out = space_ran_out
        self._reserve = Reserve(self._target.file.parent) if self._target.file and space_ran_out else None
        self._lease_s = 0.0 if self._target.file else lease_s
        self._engine, self._searchable, self._token = self._opened(holder or f"{gethostname()}, process {getpid()}")
        self._kept: Connection | None = None
        self._lock = Lock()
        self._away = away
        self._lease = None if self._target.file else Lease(self._engine, self._token, self._gave_up, lease_s)
        self._doubt: Sequence[Record] = ()
        """What was being committed when the connection was lost: it may have happened."""
        if self._reserve:
            self._reserve.hold()
        self._last: dict[SessionId, int] = {}

    def append(self, records: Sequence[Record]) -> None:
        """Write all or nothing, durable on return. Raises `StoreError`."""
        if records:
            self.ready(records)()

    def ready(self, records: Sequence[Record]) -> Callable[[], None]:
        """Return what writes them, once, from any thread; it raises what `append` does."""
        return partial(self._append, batch_of(records, self._redactor))

    def _append(self, batch: Batch) -> None:
        with self._lock:
            self._last.update(self._write_with_reserve(batch))

    def last_seq(self, session: SessionId) -> int:
        """Return the number of the session's last record, 0 when there is none."""
        with self._lock:
            known = self._last.get(session)
            return self._read_last(session) if known is None else known

    def writable(self) -> bool:
        """Return whether writing works again, or the next step is refused for good and says why.

        On a disk that was full there must be room for the reserve, too.
        """
        with self._lock:
            if self._reserve and not (self._reserve.roomy() and self._reserve.hold()):
                return False
            try:
                with self._transaction() as connection:
                    fence.touch(connection)
            except OwnerChanged:
                return not self._target.file
            except (DBAPIError, StoreError):
                return False
            return True

    def close(self) -> None:
        """Close the connection; SQLite then folds its side file into the database."""
        with self._lock:
            if self._lease:
                self._lease.end()
            if self._kept:
                self._kept.close()
                self._kept = None
            self._engine.dispose()

    def _gave_up(self) -> None:
        """In a thread of the lease."""
        self._away(database.no_answer(self._target.name))

    def _opened(self, holder: str) -> tuple[Engine, bool, int]:
        """Return what writes, whether there is a search index, and the token of the one who may: this one, from now on.

        On a full disk the reserve makes room for it.
        """
        try:
            return self._open(holder)
        except DiskFull:
            if self._reserve is None or not self._reserve.release():
                raise
            return self._open(holder)

    def _open(self, holder: str) -> tuple[Engine, bool, int]:
        engine = self._target.writer()
        try:
            with engine.begin() as connection:
                return engine, index.ready(connection), fence.take(connection, holder, self._lease_s)
        except AlreadyOwned:
            engine.dispose()
            raise
        except DBAPIError as error:
            engine.dispose()
            raise self._target.plain(error) from error

    def _write_with_reserve(self, batch: Batch) -> dict[SessionId, int]:
        try:
            return self._write(batch)
        except DiskFull:
            if self._reserve is None or not self._reserve.release():
                raise
            last = self._write(batch)
        if self._space_ran_out:
            self._space_ran_out()
        return last

    def _write(self, batch: Batch) -> dict[SessionId, int]:
        step = partial(self._write_once, batch)
        try:
            return step() if self._lease is None else database.persistently(step)
        except DBAPIError as error:
            raise self._target.plain(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One transaction of the one who may write; on a server it renews that right."""
        since = now()
        with self._begun() as connection:
            fence.check(connection, self._token, self._target.name, self._lease_s)
            yield connection
        if self._lease:
            self._lease.renewed(since)

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        """To SQLite always by the same connection: taking one anew costs as much as all that a small step writes.

        After an error it is not kept; giving it back undoes what was begun, however it ended.
        """
        connection, self._kept = self._kept or self._engine.connect(), None
        try:
            with connection.begin():
                yield connection
            self._kept = connection if self._target.file else None
        finally:
            if self._kept is None:
                connection.close()

    def _write_once(self, batch: Batch) -> dict[SessionId, int]:
        with self._transaction() as connection:
            last = self._settled(connection, batch.records)
            if last:
                batch = batch_of(batch.records[len(self._doubt) :], self._redactor)
            last.update(self._numbered(connection, batch.records, last))
            self._insert(connection, batch)
            crash_at_records("within", batch.records)
            self._doubt = tuple(batch.records) if self._lease else ()
        self._doubt = ()
        return last

    def _insert(self, connection: Connection, batch: Batch) -> None:
        projection.apply(connection, batch.changes)
        if batch.rows:
            insert_rows(connection, t.event, COLUMNS, batch.rows)
        if self._searchable:
            index.add(connection, batch)
        for record in batch.blanked:
            blank_pieces(connection, record)
        for record in batch.records:
            if isinstance(record.event, ClaudeEnded):
                blank_unfinished(connection, record, self._redactor)

    def _settled(self, connection: Connection, records: Sequence[Record]) -> dict[SessionId, int]:
        """Return the last numbers of what was in doubt if it turns out to be stored, nothing if it does not.

        Raises `StoredAfterAll` when it is stored, but was given up by who wrote it: who asks now did not know of it.
        """
        doubt = self._doubt
        last = {record.session: record.seq for record in doubt}
        if not doubt or any(_last_seq(connection, session) < seq for session, seq in last.items()):
            self._doubt = ()
            return {}
        if tuple(records[: len(doubt)]) != tuple(doubt):
            self._doubt = ()
            self._last.update(last)
            raise StoredAfterAll(tuple(doubt), where=self._target.name)
        return last

    def _numbered(
        self, connection: Connection, records: Sequence[Record], known: Mapping[SessionId, int]
    ) -> dict[SessionId, int]:
        """Return the new last numbers, or refuse records that leave a gap or repeat one."""
        last = dict(known)
        for record in records:
            before = last.get(record.session) or self._last.get(record.session)
            if before is None:
                before = _last_seq(connection, record.session)
            if record.seq != before + 1:
                raise StoreError(
                    f"Record {record.seq} of session {record.session} does not follow record {before}.",
                    where=self._target.name,
                    fix="Another Obra may have written meanwhile: start again. Nothing of this step was stored.",
                )
            last[record.session] = record.seq
        return last

    def _read_last(self, session: SessionId) -> int:
        try:
            with self._engine.connect() as connection:
                return _last_seq(connection, session)
        except DBAPIError as error:
            raise self._target.plain(error) from error


def _last_seq(connection: Connection, session: SessionId) -> int:
    query = select(func.coalesce(func.max(t.event.c.seq), 0)).where(t.event.c.session == session)
    return int(connection.execute(query).scalar_one())
