"""The fast write path: a batch of records becomes rows, and the rows go to the driver in bulk.

`batch_of` does all the Python work before a transaction begins (redaction, JSON, derived rows) and knows no
connection. `insert_rows` and `execute` run a statement that SQLAlchemy compiled once directly on the DBAPI cursor:
SQLAlchemy's per-row and per-statement objects cost 6 µs a row and more than SQLite's own time for a short statement,
in each of some fifteen transactions a second. SQLite receives a burst in steps of many rows, so that other threads
of the program run meanwhile (the driver holds the GIL per row otherwise). Values must need no type translation.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import Connection, Dialect, Select, Table, insert
from sqlalchemy.exc import DBAPIError

from obra_tui.core.events import Record
from obra_tui.store import projection
from obra_tui.store.codec import STREAMED_TYPES, encode
from obra_tui.store.redact import Redactor
from obra_tui.store.search.words import text_of

T = TypeVar("T")
Row = tuple[Any, ...]


def run(connection: Connection, statement: str, values: Sequence[Any] = ()) -> Any:
    """Run a statement on SQLite; returns the driver's cursor. Raises `DBAPIError`."""
    try:
        return _driver(connection).execute(statement, values)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, statement, error) from error


def run_many(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    """Run a statement on SQLite once for each of `rows`. Raises `DBAPIError`."""
    try:
        _driver(connection).executemany(statement, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, statement, error) from error


def value(connection: Connection, statement: Select[T]) -> T:
    """Return the one value of a statement that is the same every time, on any database. Raises `DBAPIError`."""
    if connection.dialect.name != "sqlite":
        return connection.execute(statement).scalar_one()
    found: T = run(connection, _text(connection.dialect, statement)).fetchone()[0]
    return found


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


@lru_cache(maxsize=16)
def _text(dialect: Dialect, statement: Select[Any]) -> str:
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _told(connection: Connection, statement: str, error: Exception) -> Any:
    """The driver's error as SQLAlchemy tells it."""
    dialect = connection.dialect
    return DBAPIError.instance(
        statement, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
    )


_STEPS = (64, 256, 1024)
"""Rows of a step: few sizes, so that SQLite has read the statement before. Eight columns times the largest is a quarter
of the values that it takes at once."""


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert `rows`, each with its values in the order of `columns`, which is that of the table."""
    statement, by_place = _statement(connection.dialect, table, columns)
    if by_place:
        run_for_rows(connection, statement, rows)
    else:
        connection.exec_driver_sql(statement, [dict(zip(columns, row, strict=True)) for row in rows])


def run_for_rows(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    """Insert `rows` into a table of SQLite by an `INSERT … VALUES (?, …)`; the first value of each is not null."""
    if len(rows) < _STEPS[0]:
        run_many(connection, statement, rows)
        return
    most = _STEPS[-1]
    for start in range(0, len(rows), most):
        step = rows[start : start + most]
        size = next(size for size in _STEPS if size >= len(step))
        missing = repeat(None, (size - len(step)) * len(step[0]))
        run(connection, _of_many(statement, size), [*chain.from_iterable(step), *missing])


@lru_cache(maxsize=16)
def _of_many(statement: str, size: int) -> str:
    """Return the statement for so many rows; those of nothing but nulls are left out."""
    head, _, row = statement.rpartition(" VALUES ")
    return f"{head} SELECT * FROM (VALUES {', '.join([row] * size)}) WHERE column1 IS NOT NULL"


@lru_cache(maxsize=16)
def _statement(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> tuple[str, bool]:
    """Return the text, and whether it takes its values by their place or by their names."""
    made = insert(table).compile(dialect=dialect, column_keys=list(columns), for_executemany=True)
    places: Sequence[str] | None = getattr(made, "positiontup", None)
    if places is not None and tuple(places) != columns:
        raise ValueError(f"columns of {table.name} in another order than the table's: {columns}")
    return str(made), places is not None


COLUMNS = ("session", "seq", "at", "task", "attempt", "type", "streamed", "body")


class Batch(Struct, frozen=True):
    records: Sequence[Record]
    """As they came."""
    rows: Sequence[Row]
    """Their values in the order of `COLUMNS`."""
    words: Sequence[tuple[int, str]]
    """What can be searched of them: the place of the record in the batch, and its words."""
    changes: Sequence[projection.RowChange]
    blanked: Sequence[Record]
    """Those that held a secret, without it."""


def batch_of(records: Sequence[Record], redactor: Redactor) -> Batch:
    """Return `records`, ready to be written."""
    bodies, clean, blanked = [encode(record.event) for record in records], list(records), []
    for place in redactor.suspected(bodies):
        clean[place] = without = redactor.record(records[place])
        bodies[place] = encode(without.event)
        if without is not records[place]:
            blanked.append(without)
    changes = [change for record in clean for change in projection.changes(record)]
    return Batch(records, list(map(_row, clean, bodies)), _words(clean), changes, blanked)


def _words(records: Iterable[Record]) -> list[tuple[int, str]]:
    return [
        (place, words)
        for place, record in enumerate(records)
        if record.event.type not in STREAMED_TYPES and (words := text_of(record.event))
    ]


def _row(record: Record, body: str) -> Row:
    kind = record.event.type
    streamed = kind in STREAMED_TYPES
    return record.session, record.seq, record.at, record.task, record.attempt, kind, streamed, body
