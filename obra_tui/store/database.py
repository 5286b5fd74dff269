"""The SQLAlchemy engines on a database: a SQLite file, or a PostgreSQL server.

This tells the products apart: connection settings, errors in plain words, retry after a collision, and the person's
time zone (SQLite knows the machine's; a server has its own). Everything else in the store speaks SQLAlchemy. Must not
know any table.
"""

import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool, StaticPool

from obra_tui.core.errors import ConfigError, DiskFull, StoreAway, StoreError
from obra_tui.store import write_path
from obra_tui.store.sqlite import connect, driver


def writer_engine(path: Path, mode: Literal["rw", "draft"] = "rw") -> Engine:
    """Return the engine of the one connection that writes and checkpoints; usable from any thread, one at a time."""
    engine = create_engine(
        "sqlite://",
        module=driver(),
        creator=lambda: connect(path, mode),
        poolclass=StaticPool,
        hide_parameters=True,
    )
    # A writer that cannot write learns it before it has read anything.
    _begin_with(engine, "BEGIN IMMEDIATE")
    return engine


def reader_engine(path: Path) -> Engine:
    """Return an engine whose connections, one per use, cannot write; each use sees one state of the database."""
    engine = create_engine(
        "sqlite://",
        module=driver(),
        creator=lambda: connect(path, "ro"),
        poolclass=NullPool,
        hide_parameters=True,
    )
    _begin_with(engine, "BEGIN")
    return engine


def _begin_with(engine: Engine, statement: str) -> None:
    """Begin transactions ourselves: Python's driver would do so only before the first writing statement."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write_path.run(connection, statement)


T = TypeVar("T")

_TRIES = 8
"""Of a transaction that collided with another one."""
_FIRST_WAIT_S = 0.01

_COLLIDED = frozenset({"40001", "40P01"})
_AWAY = frozenset({"57P01", "57P02", "57P03", "53300", "25006"})
"""Ended by an administrator or a crash, starting up, no connection left, not the one that takes writes."""
_FULL = "53100"

_REACH = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
    "application_name": "obra",
}
"""A connection that is dead must be known to be dead."""


def engine_of(url: URL) -> Engine:
    """Return the engine of a server. Raises `ConfigError` when there is no driver for it."""
    if url.get_backend_name() != "postgresql":
        raise _unknown(url)
    reach = {name: value for name, value in _REACH.items() if name not in url.query}
    known = url.get_driver_name() == "psycopg"
    try:
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=reach if known else {})
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The driver of this database is not installed ({error.name}).",
            where="database.url",
            fix="Install it: pip install 'obra-tui[postgresql]', and begin the address with postgresql+psycopg://.",
        ) from error
    except NoSuchModuleError as error:
        raise _unknown(url) from error


def _unknown(url: URL) -> ConfigError:
    return ConfigError(
        f"Obra cannot store in '{url.drivername}'.",
        where="database.url",
        fix="Use postgresql+psycopg://user@host/name, or leave it empty for SQLite.",
    )


def plain_error(error: DBAPIError, name: str) -> StoreError:
    """Return what an error of the server means to a person."""
    if _state(error) == _FULL:
        return DiskFull("The disk of the database server is full.", where=name, fix="Free some space there.")
    if is_away(error):
        return no_answer(name)
    return StoreError(
        f"The database server refused a step ({type(error.orig).__name__}).",
        where=name,
        fix="Check that you may write to it; nothing of this step was stored.",
    )


def no_answer(name: str) -> StoreAway:
    return StoreAway(
        "The database server cannot be reached.",
        where=name,
        fix="Start it, or look after the network. Obra tries again every few seconds and goes on by itself.",
    )


def is_away(error: DBAPIError) -> bool:
    """Whether the connection is gone or none could be made, so that it may work again later."""
    state = _state(error)
    unsaid = not state and type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout")
    return bool(error.connection_invalidated or unsaid or state in _AWAY or state.startswith("08"))


def has_collided(error: DBAPIError) -> bool:
    """Whether another transaction was in the way; it was rolled back and can be done again as a whole."""
    return _state(error) in _COLLIDED


def _state(error: DBAPIError) -> str:
    original: Any = error.orig
    return getattr(original, "sqlstate", None) or ""


def persistently(step: Callable[[], T]) -> T:
    """Do a transaction, and again as a whole when it collided. A server that is away is not waited for here."""
    collisions = 0
    while True:
        try:
            return step()
        except DBAPIError as error:
            if not has_collided(error) or collisions == _TRIES:
                raise
            sleep(_FIRST_WAIT_S * 2**collisions)
            collisions += 1


_LINK = Path("/etc/localtime")
_SET = text("SELECT set_config('timezone', :zone, true)")


def use_local_time(connection: Connection) -> None:
    """Let the server tell days by the zone of this machine, until the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(_SET, {"zone": local_zone()})


def local_zone() -> str:
    """Return the name of the zone, or its present offset where it has none that is known."""
    named = os.environ.get("TZ", "").removeprefix(":") or _linked()
    return named if _known(named) else _offset()


def _known(name: str) -> bool:
    try:
        return bool(ZoneInfo(name).key)
    except (ValueError, OSError, LookupError):
        return False


def _linked() -> str:
    try:
        target = str(_LINK.resolve(strict=True))
    except OSError:
        return ""
    return target.partition("/zoneinfo/")[2]


def _offset() -> str:
    """PostgreSQL reads `+02:00` as west of Greenwich, as POSIX does; in angle brackets it has a name to show."""
    away = datetime.now().astimezone().utcoffset() or timedelta()
    minutes = int(away.total_seconds()) // 60
    sign, (hours, rest) = ("-" if minutes >= 0 else "+"), divmod(abs(minutes), 60)
    return f"<{time.strftime('%z')}>{sign}{hours:02d}:{rest:02d}"
