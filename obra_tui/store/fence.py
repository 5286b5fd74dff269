"""A token for each owner, checked in every transaction.

The lock on the data directory keeps two owners apart. Should it ever not (its
file was removed, or the owner was frozen and its lock taken away), the token
does: opening to write takes the next number, and a transaction of somebody with
an older one is refused as a whole.
"""

from sqlalchemy import Connection, insert, select, update

from obra_tui.core.errors import OwnerChanged
from obra_tui.store.tables import fence

_ROW = 1
_TOKEN = select(fence.c.token).where(fence.c.id == _ROW).with_for_update(read=True)
_NEXT = update(fence).where(fence.c.id == _ROW).values(token=fence.c.token + 1)
_FIRST = insert(fence).values(id=_ROW, token=1)


def take(connection: Connection) -> int:
    """Become the one who may write; returns the token."""
    if connection.execute(_NEXT).rowcount == 0:
        connection.execute(_FIRST)
    return int(connection.execute(_TOKEN).scalar_one())


def touch(connection: Connection) -> None:
    """Write what is there anyway: a proof that writing works."""
    connection.execute(update(fence).where(fence.c.id == _ROW).values(token=fence.c.token))


def check(connection: Connection, mine: int, where: str) -> None:
    """Raise `OwnerChanged` unless `mine` is still the newest token."""
    if connection.execute(_TOKEN).scalar_one() != mine:
        raise OwnerChanged(
            "Another Obra took the data directory over; this one may not write any more.",
            where=where,
            fix="Close this one. Nothing of this step was stored, and the other one goes on from what was.",
        )
