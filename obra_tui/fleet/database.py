"""Connections to the fleet's PostgreSQL database, for one event loop; its errors in plain words.

Must not know any table.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from obra_tui.core.errors import ConfigError, StoreAway, StoreError

Connection = psycopg.AsyncConnection[dict[str, Any]]
Pool = AsyncConnectionPool[Connection]

_REACH: dict[str, Any] = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
    "application_name": "obra-fleet",
}
"""A connection that is dead must be known to be dead."""
_WAIT_S = 10.0
"""Longest wait for a free connection."""
_AGAIN_S = 1.0
"""Between two tries to listen again."""


def address_of(url: str) -> str:
    """Return the address as the driver reads it. Raises `ConfigError` for anything but PostgreSQL."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] != "postgresql":
        raise ConfigError(
            "A fleet needs a PostgreSQL database.",
            where="database.url",
            fix='Set database.url to its address, such as "postgresql+psycopg://obra@db/obra", on every host.',
        )
    return f"postgresql://{rest}"


class Database:
    """A pool of connections, opened on the loop that uses it."""

    def __init__(self, url: str, *, most: int = 8) -> None:
        self._address = address_of(url)
        self.name = _without_password(self._address)
        self.pool: Pool = AsyncConnectionPool(
            self._address,
            kwargs={**_REACH, "row_factory": dict_row},
            min_size=1,
            max_size=most,
            timeout=_WAIT_S,
            open=False,
            check=AsyncConnectionPool.check_connection,
        )

    async def open(self) -> None:
        """Connect once. Raises `StoreAway` when the server does not answer."""
        try:
            async with await self._connect() as connection:
                await connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise self._plain(error) from error
        if self.pool.closed:
            await self.pool.open()

    async def close(self) -> None:
        await self.pool.close(timeout=1.0)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction, undone by any error. Raises `StoreAway` while the server cannot be reached."""
        try:
            async with self.pool.connection() as connection:
                yield connection
        except (psycopg.Error, PoolTimeout) as error:
            raise self._plain(error) from error

    async def rows(self, query: str, **given: Any) -> list[dict[str, Any]]:
        """Run one statement in a transaction of its own and return its rows."""
        async with self.transaction() as connection:
            return await rows(connection, query, **given)

    async def listen(self, channel: str, told: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Call `told` with each notice, for ever; `missed` after a time in which nothing could be heard."""
        while True:
            try:
                async with await self._connect() as connection:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    missed()
                    async for notice in connection.notifies():
                        told(notice.payload)
            except psycopg.Error:
                pass  # the server is away: it is tried again until it is there
            await asyncio.sleep(_AGAIN_S)

    async def _connect(self) -> Connection:
        given = {**_REACH, **conninfo_to_dict(self._address)}
        return await psycopg.AsyncConnection.connect(**given, autocommit=True, row_factory=dict_row)

    def _plain(self, error: Exception) -> StoreError:
        if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)):
            return StoreAway(
                "The fleet's database cannot be reached.",
                where=self.name,
                fix="Start it, or look after the network. It is tried again every few seconds.",
            )
        return StoreError(
            f"The fleet's database refused a step ({type(error).__name__}: {str(error).splitlines()[0]}).",
            where=self.name,
            fix="Nothing of this step was stored. Check that this user may write to the database.",
        )


async def rows(connection: Connection, query: str, **given: Any) -> list[dict[str, Any]]:
    cursor = await connection.execute(query.encode(), given)
    return await cursor.fetchall() if cursor.description else []


def names(values: Sequence[Any]) -> list[str]:
    return [str(value) for value in values]


def _without_password(address: str) -> str:
    try:
        parts = {**conninfo_to_dict(address)}
    except psycopg.ProgrammingError:
        raise ConfigError(
            "The database address cannot be read.", where="database.url", fix="Use postgresql+psycopg://user@host/name."
        ) from None
    return f"{parts.get('user', '')}@{parts.get('host', '')}/{parts.get('dbname', '')}"
