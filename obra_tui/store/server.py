"""All that is special about PostgreSQL: how to reach it, and what its errors mean.

A server can be away for a while: it is started anew, it moves, the network
fails. That is no error of a step but a time in which none can be stored.
"""

from collections.abc import Callable
from time import sleep
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from obra_tui.core.errors import ConfigError, DiskFull, StoreAway, StoreError

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
