"""The engine at the other end: opened in a thread, listened to through the bridge, closed in a thread.

Its methods are for the screen's thread unless they say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from obra_tui.core.errors import ObraError
from obra_tui.core.ports import Engine
from obra_tui.ui.backend import Connection, connect
from obra_tui.ui.connection.bridge import Batch, Bridge
from obra_tui.ui.connection.wakeup import Wakeup
from obra_tui.ui.ports import Backend, OpenBackend


class Host(Protocol):
    """What a link needs of the app."""

    def soon(self, call: Callable[[], None]) -> None: ...
    def in_thread(self, work: Callable[[], None], group: str) -> None: ...


class Told(Protocol):
    """Who is told what became of it, on the screen's thread."""

    def opened(self) -> None: ...
    def refused(self, error: ObraError) -> None: ...
    def broken(self, error: Exception) -> None: ...
    def took(self, batch: Batch) -> None: ...
    def store_changed(self, error: ObraError | None) -> None: ...
    def forget(self) -> None: ...
    def guarded(self, call: Callable[[], None]) -> None: ...


class Link:
    def __init__(self, host: Host, told: Told) -> None:
        self._host = host
        self._told = told
        self._connection: Connection | None = None
        self._watched: Backend | None = None
        self._closed = False
        self._wakeup = Wakeup(lambda: told.guarded(self._take), self._waiting)
        self._bridge = Bridge(self._wakeup.poke)

    @property
    def backend(self) -> Backend | None:
        return self._connection.backend if self._connection else None

    @property
    def engine(self) -> Engine | None:
        return self._connection.backend.engine if self._connection else None

    def open(self, open_backend: OpenBackend) -> None:
        """Leave the engine that is open, if one is, and open another one."""
        before, self._connection = self._connection, None
        self._host.in_thread(partial(self._open, before, open_backend), "backend")

    def close(self) -> None:
        """Stop the engine for good; blocks up to 2 s, so call it from a thread."""
        self._closed = True
        self._wakeup.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _waiting(self) -> int:
        """How much there is to hurry for: of a flood a screenful is shown however often one looks."""
        return 0 if self._bridge.flooded else len(self._bridge)

    def _open(self, before: Connection | None, open_backend: OpenBackend) -> None:
        """In a worker thread: everything heavy is imported here; one engine ends before the next begins."""
        try:
            if before is not None:
                before.close()
            connection = connect(open_backend, self._bridge)
            self._watch_store(connection.backend)
        except ObraError as refused:
            self._host.soon(partial(self._told.refused, refused))
        except Exception as error:  # noqa: BLE001 - the edge of the thread: becomes a sentence and a file
            self._host.soon(partial(self._told.broken, error))
        else:
            self._host.soon(partial(self._opened, connection))

    def _watch_store(self, backend: Backend) -> None:
        if backend.watch_store is not None and backend is not self._watched:
            self._watched = backend
            backend.watch_store(lambda error: self._host.soon(partial(self._told.store_changed, error)))

    def _opened(self, connection: Connection) -> None:
        if self._closed:
            self._host.in_thread(connection.close, "backend")
            return
        self._connection = connection
        self._told.opened()

    def _take(self) -> None:
        batch = self._bridge.take()
        if batch.overflowed:
            self._listen_again()
            return
        self._told.took(batch)
        if batch.more:
            self._wakeup.poke()

    def _listen_again(self) -> None:
        """Too much was missed: forget the view and be told everything anew."""
        connection = self._connection
        if connection is None:
            return
        connection.unsubscribe()
        self._bridge.clear()
        self._told.forget()
        backend = connection.backend
        self._host.in_thread(partial(self._open, None, lambda: backend), "backend")
