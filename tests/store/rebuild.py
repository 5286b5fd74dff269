"""All derived rows anew from the events: the proof that they are derived, and the repair when they are not."""

from sqlalchemy import Connection, delete, select

from obra_tui.store import projection
from obra_tui.store import tables as t
from obra_tui.store.history import record_of
from obra_tui.store.search import index

_ALL = select(t.event).where(~t.event.c.streamed).order_by(t.event.c.id)
_BATCH = 1_000

_DEFER = {"sqlite": "PRAGMA defer_foreign_keys=ON", "postgresql": "SET CONSTRAINTS ALL DEFERRED"}
"""Events refer to sessions, which are gone for a moment; checked again at the end of the transaction."""


def rebuild(connection: Connection) -> None:
    """Delete every derived row and derive it again, inside the transaction of `connection`."""
    connection.exec_driver_sql(_DEFER[connection.dialect.name])
    for table in reversed(t.metadata.sorted_tables):
        if table not in (t.event, t.fence):
            connection.execute(delete(table))
    for rows in connection.execute(_ALL).partitions(_BATCH):
        projection.apply(connection, (change for row in rows for change in projection.changes(record_of(row))))
    if index.exists(connection):
        index.fill(connection)
