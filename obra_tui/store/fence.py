"""A token for each owner, checked in every transaction.

The lock on the data directory keeps two owners apart. Should it ever not (its
file was removed, or the owner was frozen and its lock taken away), the token
does: opening to write takes the next number, and a transaction of somebody with
an older one is refused as a whole.

A database server can be reached from machines that share no lock. There the
token comes with a lease by the server's clock: as long as it runs, nobody else
gets a token.
"""

from sqlalchemy import Connection, func, insert, or_, select, update

from obra_tui.core.errors import AlreadyOwned, OwnerChanged
from obra_tui.store import write_path
from obra_tui.store.tables import fence

_ROW = 1
_MINE = fence.c.id == _ROW
_TOKEN = select(fence.c.token).where(_MINE).with_for_update(read=True)
_NEXT = update(fence).where(_MINE).values(token=fence.c.token + 1)
_FIRST = insert(fence).values(id=_ROW, token=1)
_NOW = func.extract("epoch", func.clock_timestamp())


def take(connection: Connection, holder: str = "", lease_s: float = 0.0) -> int:
    """Become the one who may write; returns the token. Raises `AlreadyOwned` while somebody else's lease runs."""
    if not lease_s:
        if connection.execute(_NEXT).rowcount == 0:
            connection.execute(_FIRST)
        return int(connection.execute(_TOKEN).scalar_one())
    free = or_(fence.c.lease_until.is_(None), fence.c.lease_until <= _NOW, fence.c.holder == holder)
    if connection.execute(_NEXT.where(free).values(holder=holder, lease_until=_NOW + lease_s)).rowcount == 0:
        _refuse_if_held(connection)
        connection.execute(_FIRST.values(holder=holder, lease_until=_NOW + lease_s))
    return int(connection.execute(_TOKEN).scalar_one())


def _refuse_if_held(connection: Connection) -> None:
    row = connection.execute(select(fence.c.holder, (fence.c.lease_until - _NOW).label("left")).where(_MINE)).first()
    if row is not None:
        raise AlreadyOwned(
            f"Another Obra writes to this database: {row.holder}.",
            where="database.url",
            fix=f"End it there. If it died, its right to write ends in {max(0, round(row.left)) + 1} s.",
        )


def renew(connection: Connection, mine: int, lease_s: float) -> bool:
    """Prolong the lease; false when the token is not the newest any more."""
    prolonged = update(fence).where(_MINE, fence.c.token == mine).values(lease_until=_NOW + lease_s)
    return connection.execute(prolonged).rowcount == 1


def release(connection: Connection, mine: int) -> None:
    """Let the next one begin at once."""
    connection.execute(update(fence).where(_MINE, fence.c.token == mine).values(lease_until=None))


def touch(connection: Connection) -> None:
    """Write what is there anyway: a proof that writing works."""
    connection.execute(update(fence).where(_MINE).values(token=fence.c.token))


def check(connection: Connection, mine: int, where: str, lease_s: float = 0.0) -> None:
    """Raise `OwnerChanged` unless `mine` is still the newest token; prolongs the lease if there is one."""
    still = renew(connection, mine, lease_s) if lease_s else write_path.value(connection, _TOKEN) == mine
    if not still:
        raise OwnerChanged(
            "Another Obra took the data directory over; this one may not write any more.",
            where=where,
            fix="Close this one. Nothing of this step was stored, and the other one goes on from what was.",
        )
