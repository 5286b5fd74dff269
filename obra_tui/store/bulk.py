"""Many rows into one table, all with the same columns, by the driver itself.

SQLAlchemy looks at every value of every row of a statement: 6 µs for a row of eight. Here it makes the statement once,
and the values go as they are to the driver; so they must be of types that need no translation.
"""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Connection, Dialect, Table, insert

from obra_tui.store import bare
from obra_tui.store.bare import Row


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert `rows`, each with its values in the order of `columns`, which is that of the table."""
    statement, by_place = _statement(connection.dialect, table, columns)
    if by_place:
        bare.run_many(connection, statement, rows)
    else:
        connection.exec_driver_sql(statement, [dict(zip(columns, row, strict=True)) for row in rows])


@lru_cache(maxsize=16)
def _statement(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> tuple[str, bool]:
    """Return the text, and whether it takes its values by their place or by their names."""
    made = insert(table).compile(dialect=dialect, column_keys=list(columns), for_executemany=True)
    places: Sequence[str] | None = getattr(made, "positiontup", None)
    if places is not None and tuple(places) != columns:
        raise ValueError(f"columns of {table.name} in another order than the table's: {columns}")
    return str(made), places is not None
