"""The right to write to a database that several machines can reach, for a while that must be renewed.

The database's clock says when it ends. Who holds it renews it three times as
often as needed; when it could not, it is given up *before* it ends: the
connection is cut, so that nothing waits in it any more, and `lost` is called,
so that the own agents are dead before somebody else may begin. The token of
`fence.py` still guards every transaction; the lease only keeps two apart who
both could get one.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from obra_tui.store import fence

LEASE_S = 30.0
_RENEWALS = 3
_GIVE_UP = 2 / 3
"""Part of the lease after which it is given up; the rest is for the agents to die in."""


class Lease:
    """Renews in one thread and watches the time in another, since the first may hang in a dead network."""

    def __init__(self, engine: Engine, token: int, lost: Callable[[], None], seconds: float = LEASE_S) -> None:
        self._engine = engine
        self._token = token
        self._lost = lost
        self._seconds = seconds
        self._ending = threading.Event()
        self._guard = threading.Lock()
        self._in_use: set[Any] = set()
        self._renewed = monotonic()
        self.held = True
        for work in (self._renew, self._watch):
            threading.Thread(target=work, name=f"obra-lease{work.__name__}", daemon=True).start()

    @contextmanager
    def using(self, connection: Connection) -> Iterator[None]:
        """Let the connection be cut when the lease is given up inside the block."""
        driver: Any = connection.connection.driver_connection
        with self._guard:
            self._in_use.add(driver)
        try:
            yield
        finally:
            with self._guard:
                self._in_use.discard(driver)

    def began(self) -> float:
        """Note the time before a renewal is sent: it counts from there, however long the answer takes."""
        return monotonic()

    def renewed(self, since: float) -> None:
        """The database has said yes to a renewal that was sent at `since`."""
        with self._guard:
            self._renewed = max(self._renewed, since)
            self.held = True

    def end(self) -> None:
        self._ending.set()

    def _renew(self) -> None:
        while not self._ending.wait(self._seconds / _RENEWALS):
            if self.held:
                with suppress(DBAPIError):  # the watch sees that the time passes
                    self._renew_once()

    def _renew_once(self) -> None:
        since = self.began()
        with self._engine.begin() as connection, self.using(connection):
            mine = fence.renew(connection, self._token, self._seconds)
        if mine:
            self.renewed(since)
        else:
            self._give_up()

    def _watch(self) -> None:
        while not self._ending.wait(max(0.01, self._left()) if self.held else self._seconds / _RENEWALS):
            if self.held and self._left() <= 0:
                self._give_up()

    def _left(self) -> float:
        return self._renewed + self._seconds * _GIVE_UP - monotonic()

    def _give_up(self) -> None:
        with self._guard:
            self.held = False
            cut = tuple(self._in_use)
        for driver in cut:
            _cut(driver)
        self._lost()


def _cut(driver: Any) -> None:
    """End a connection under the hands of whoever waits for it: an answer will never come."""
    with suppress(OSError, AttributeError):
        own = socket.socket(fileno=os.dup(driver.pgconn.socket))
        try:
            own.shutdown(socket.SHUT_RDWR)
        finally:
            own.close()
