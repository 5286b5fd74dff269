"""Statements that the driver runs as they are.

For every statement SQLAlchemy makes a context, a result and the columns of it: more than all that SQLite does for a
short one, in each of fifteen transactions a second. Here it makes the text, once; errors are its own, as always.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.exc import DBAPIError

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
