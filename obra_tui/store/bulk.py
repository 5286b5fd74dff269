"""Many rows into one table, all with the same columns, by the driver itself.

SQLAlchemy looks at every value of every row of a statement: 6 µs for a row of eight. Here it makes the statement once,
and the values go as they are to the driver; so they must be of types that need no translation.

To SQLite a burst goes in steps of many rows. Within a step nothing of Python is needed, so that the other threads of
the program run beside it; after each row alone the driver would ask for its turn with them.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, repeat

from sqlalchemy import Connection, Dialect, Table, insert

from obra_tui.store import raw_sql
from obra_tui.store.raw_sql import Row

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
        raw_sql.run_many(connection, statement, rows)
        return
    most = _STEPS[-1]
    for start in range(0, len(rows), most):
        step = rows[start : start + most]
        size = next(size for size in _STEPS if size >= len(step))
        missing = repeat(None, (size - len(step)) * len(step[0]))
        raw_sql.run(connection, _of_many(statement, size), [*chain.from_iterable(step), *missing])


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
