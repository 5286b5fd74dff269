"""What is kept and what is let go: pruning whole sessions that are closed and not pinned.

A plan is made first and can be looked at; carrying it out deletes what the plan
names and nothing else. Only for the owner of the data directory.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Connection, Delete, Select, Table, bindparam, delete, func, select, text
from sqlalchemy.exc import DBAPIError

from obra_tui.core.model import SessionKind
from obra_tui.store import sqlite
from obra_tui.store import tables as t
from obra_tui.store.codec import decode
from obra_tui.store.labels import LABELS, PINNED, Labels
from obra_tui.store.search import index
from obra_tui.store.search.words import text_of
from obra_tui.store.target import DatabaseTarget, target_of

_FORGET = text(f"INSERT INTO {index.TABLE} ({index.TABLE}, rowid, words) VALUES ('delete', :id, :words)")
_BATCH = 500


class PruneCandidate(Struct, frozen=True, kw_only=True):
    """A session that would be pruned."""

    id: str
    title: str
    opened_at: float
    events: int
    bytes: int
    """Of its events; the file shrinks by somewhat more."""


class Pruning(Struct, frozen=True, kw_only=True):
    sessions: tuple[PruneCandidate, ...]
    pinned: int
    """Sessions that stay because they are pinned."""
    open: int
    """Sessions that stay because they are not closed."""
    size: int
    """Of the database now."""

    @property
    def bytes(self) -> int:
        return sum(session.bytes for session in self.sessions)


def plan(
    target: str | Path, *, before: float | None = None, size: int | None = None, labels: Path | None = None
) -> Pruning:
    """Return what pruning would delete: sessions opened before a time, or the oldest until `size` bytes are left.

    `labels` is the file of pins and tags; without it, the one beside a database that is a file.
    """
    database = target_of(target)
    engine = database.reader()
    try:
        with engine.connect() as connection:
            return _plan(connection, database, before, size, _pinned(database, labels))
    except DBAPIError as error:
        raise database.plain(error) from error
    finally:
        engine.dispose()


def _pinned(database: DatabaseTarget, labels: Path | None) -> frozenset[str]:
    beside = labels or (database.file.with_name(LABELS) if database.file else None)
    return Labels(beside).having(PINNED) if beside else frozenset()


def _plan(
    connection: Connection, database: DatabaseTarget, before: float | None, size: int | None, pinned: frozenset[str]
) -> Pruning:
    now = database.file.stat().st_size if database.file else _size_on_server(connection)
    closed = [row for row in connection.execute(_sessions()) if row.closed_at is not None]
    total = connection.execute(select(func.count()).select_from(t.session)).scalar_one()
    free = [
        PruneCandidate(
            id=row.id, title=row.title, opened_at=row.opened_at, events=row.events, bytes=int(row.bytes or 0)
        )
        for row in closed
        if row.id not in pinned
    ]
    chosen = tuple(_too_old(free, before) if before is not None else _too_much(free, now, size))
    kept = sum(1 for row in closed if row.id in pinned)
    return Pruning(sessions=chosen, pinned=kept, open=total - len(closed), size=now)


def _size_on_server(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


def _sessions() -> Select[tuple[object, ...]]:
    columns = (t.session.c.id, t.session.c.title, t.session.c.opened_at, t.session.c.closed_at)
    counted = (func.count(t.event.c.id).label("events"), func.sum(func.length(t.event.c.body)).label("bytes"))
    query = select(*columns, *counted).outerjoin(t.event, t.event.c.session == t.session.c.id)
    query = query.where(t.session.c.kind != SessionKind.PROBING.value)  # the judge's record is not of one session
    return query.group_by(*columns).order_by(t.session.c.opened_at, t.session.c.id)


def _too_old(sessions: Sequence[PruneCandidate], before: float) -> Iterator[PruneCandidate]:
    return (session for session in sessions if session.opened_at < before)


def _too_much(sessions: Sequence[PruneCandidate], now: int, size: int | None) -> Iterator[PruneCandidate]:
    excess = 0 if size is None else now - size
    for session in sessions:
        if excess <= 0:
            return
        excess -= session.bytes
        yield session


def prune(target: str | Path, pruning: Pruning, *, labels: Path | None = None) -> int:
    """Delete what the plan names and give the space back; returns how many sessions are gone.

    A session that was opened again or pinned meanwhile stays.
    """
    database = target_of(target)
    ids = [session.id for session in pruning.sessions]
    if not ids:
        return 0
    pinned = _pinned(database, labels)
    engine = database.writer()
    try:
        with engine.begin() as connection:
            gone = [found for found in _still_closed(connection, ids) if found not in pinned]
            for session in gone:
                _delete(connection, session)
    except DBAPIError as error:
        raise database.plain(error) from error
    finally:
        engine.dispose()
    if database.file is not None:
        _give_back(database.file)
    return len(gone)


def _still_closed(connection: Connection, ids: Sequence[str]) -> list[str]:
    query = select(t.session.c.id).where(t.session.c.id == bindparam("of"), t.session.c.closed_at.is_not(None))
    return [found for wanted in ids for found in connection.scalars(query, {"of": wanted})]


def _delete(connection: Connection, session: str) -> None:
    if index.product(connection) == "sqlite":  # elsewhere an event takes its words with it
        _forget_words(connection, session)
    attempts = select(t.attempt.c.id).where(t.attempt.c.session == session)
    for table in reversed(t.metadata.sorted_tables):
        if table is t.session or {"session", "attempt"} & set(table.c.keys()):
            connection.execute(_rows(table, session, attempts))


def _rows(table: Table, session: str, attempts: Select[tuple[str]]) -> Delete:
    statement = delete(table)
    if table is t.session:
        return statement.where(table.c.id == session)
    if "session" in table.c:
        return statement.where(table.c.session == session)
    return statement.where(table.c.attempt.in_(attempts))


def _forget_words(connection: Connection, session: str) -> None:
    """The index holds no texts: to take a record out, it must be told the words again."""
    query = select(t.event.c.id, t.event.c.type, t.event.c.body).where(t.event.c.session == session)
    for rows in connection.execute(query.where(~t.event.c.streamed)).partitions(_BATCH):
        words = [{"id": row.id, "words": text_of(decode(row.type, row.body))} for row in rows]
        found = [row for row in words if row["words"]]
        if found:
            connection.execute(_FORGET, found)


def _give_back(path: Path) -> None:
    connection = sqlite.connect(path, "rw")
    try:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite.driver().Error as error:
        raise sqlite.plain_error(error, path) from error
    finally:
        connection.close()
