"""The right to write to a database that several machines can reach, for a while that must be renewed.

The database's clock says when it ends. Who holds it renews it three times as
often as needed; when it could not, it is given up *before* it ends: every
connection is cut, so that nothing waits in one any more, and `lost` is called,
so that the own agents are dead before somebody else may begin. The token of
`fence.py` still guards every transaction; the lease only keeps two apart who
both could get one.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from obra_tui.store import fence

LEASE_S = 30.0
_RENEWALS = 3
_GIVE_UP = 2 / 3
"""Part of the lease after which it is given up; the rest is for the agents to die in."""
_FAREWELL_S = 2.0
"""How long an answer is waited for at the end."""
_LOOK_EVERY_S = 2.0
"""A wait does not notice that the computer slept: it is looked at the clock in between."""


def now() -> float:
    """Seconds of a clock that goes on while the computer sleeps, as the one of the server does."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Lease:
    """Renews in one thread and watches the time in another, since the first may hang in a dead network."""

    def __init__(self, engine: Engine, token: int, lost: Callable[[], None], seconds: float = LEASE_S) -> None:
        self._engine = engine
        self._token = token
        self._lost = lost
        self._seconds = seconds
        self._guard = threading.Lock()
        self._connections: dict[Any, float] = {}
        """All that are open, and since when: any of them may hang."""
        self._until = now() + seconds * _GIVE_UP
        self._ending = False
        self._over, self._changed = threading.Event(), threading.Event()
        self.held = True
        event.listen(engine, "connect", self._opened)
        event.listen(engine, "close", self._closed)
        engine.dispose()
        for work in (self._renew, self._watch):
            threading.Thread(target=work, name=f"obra-lease{work.__name__}", daemon=True).start()

    def renewed(self, since: float) -> None:
        """The database has said yes to a renewal that was sent at `since`: it counts from there."""
        with self._guard:
            if not self._ending:
                self._until = max(self._until, since + self._seconds * _GIVE_UP)
                self.held = True

    def end(self) -> None:
        """Give the right back, so that the next one can begin at once; without an answer it ends by itself."""
        with self._guard:
            self._ending, self._until = True, now() + _FAREWELL_S
        self._changed.set()
        if self.held:
            with suppress(DBAPIError), self._engine.begin() as connection:
                fence.release(connection, self._token)
        self._over.set()
        self._changed.set()

    # --- in threads of its own

    def _renew(self) -> None:
        while not self._over.wait(self._seconds / _RENEWALS):
            if self.held and not self._ending:
                with suppress(DBAPIError):  # the watch sees that the time passes
                    self._renew_once()

    def _renew_once(self) -> None:
        since = now()
        with self._engine.begin() as connection:
            mine = fence.renew(connection, self._token, self._seconds)
        if mine:
            self.renewed(since)
        else:
            self._give_up()

    def _watch(self) -> None:
        while not self._over.is_set():
            left = self._until - now()
            self._changed.wait(min(max(0.01, left), _LOOK_EVERY_S) if self.held else self._seconds / _RENEWALS)
            self._changed.clear()
            if self.held and self._until <= now():
                self._give_up()
            elif not self.held:
                self._cut_older_than(self._seconds / _RENEWALS)

    def _give_up(self) -> None:
        self.held = False
        self._cut_older_than(0)
        self._engine.dispose()  # what lies in the pool is no better
        if not self._ending:
            self._lost()

    # --- connections

    def _opened(self, connection: Any, _: object) -> None:
        with self._guard:
            self._connections[connection] = now()

    def _closed(self, connection: Any, _: object) -> None:
        with self._guard:
            self._connections.pop(connection, None)

    def _cut_older_than(self, seconds: float) -> None:
        with self._guard:
            hanging = [one for one, begun in self._connections.items() if begun <= now() - seconds]
        for connection in hanging:
            _cut(connection)


def _cut(connection: Any) -> None:
    """End a connection under the hands of whoever waits for it: an answer will never come."""
    with suppress(Exception):  # of the driver's own kind, when it was closed meanwhile
        own = socket.socket(fileno=os.dup(connection.pgconn.socket))
        try:
            own.shutdown(socket.SHUT_RDWR)
        finally:
            own.close()
