"""The connection to the engine: opened and closed in a worker thread, read through the bridge.

Methods are for the screen's thread unless they say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from msgspec import Struct

from obra_tui.core.errors import ObraError
from obra_tui.core.ports import Engine
from obra_tui.ui.connection.bridge import Bridge, RecordBatch
from obra_tui.ui.connection.wakeup import Wakeup
from obra_tui.ui.ports import Backend, OpenBackend


class OpenConnection(Struct, frozen=True, kw_only=True):
    """An open backend whose records arrive in the bridge."""

    backend: Backend
    unsubscribe: Callable[[], None]

    def close(self) -> None:
        """Stop the engine; blocks up to 2 s."""
        self.unsubscribe()
        self.backend.engine.stop()


def connect(open_backend: OpenBackend, bridge: Bridge) -> OpenConnection:
    """Build everything and begin to listen; blocks. Raises `ObraError`."""
    backend = open_backend()
    return OpenConnection(backend=backend, unsubscribe=backend.engine.subscribe(bridge.listen))


class ThreadHost(Protocol):
    """Where work of other threads is started, and where it comes back."""

    def call_soon(self, call: Callable[[], None]) -> None: ...
    def in_thread(self, work: Callable[[], None], group: str) -> None: ...


class ConnectionListener(Protocol):
    """Callbacks on the screen's thread."""

    def on_opened(self) -> None: ...
    def on_refused(self, error: ObraError) -> None: ...
    def on_failure(self, error: Exception) -> None: ...
    def on_batch(self, batch: RecordBatch) -> None: ...
    def on_store_changed(self, error: ObraError | None) -> None: ...
    def on_reset(self) -> None: ...
    def run_guarded(self, call: Callable[[], None]) -> None: ...


class EngineConnection:
    def __init__(self, host: ThreadHost, listener: ConnectionListener) -> None:
        self._host = host
        self._listener = listener
        self._connection: OpenConnection | None = None
        self._watched: Backend | None = None
        self._closed = False
        self._wakeup = Wakeup(lambda: listener.run_guarded(self._take), self._waiting)
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

    def _open(self, before: OpenConnection | None, open_backend: OpenBackend) -> None:
        """In a worker thread: everything heavy is imported here; one engine ends before the next begins."""
        try:
            if before is not None:
                before.close()
            connection = connect(open_backend, self._bridge)
            self._watch_store(connection.backend)
        except ObraError as refused:
            self._host.call_soon(partial(self._listener.on_refused, refused))
        except Exception as error:  # noqa: BLE001 - the edge of the thread: becomes a sentence and a file
            self._host.call_soon(partial(self._listener.on_failure, error))
        else:
            self._host.call_soon(partial(self._opened, connection))

    def _watch_store(self, backend: Backend) -> None:
        if backend.watch_store is not None and backend is not self._watched:
            self._watched = backend
            backend.watch_store(lambda error: self._host.call_soon(partial(self._listener.on_store_changed, error)))

    def _opened(self, connection: OpenConnection) -> None:
        if self._closed:
            self._host.in_thread(connection.close, "backend")
            return
        self._connection = connection
        self._listener.on_opened()

    def _take(self) -> None:
        batch = self._bridge.take()
        if batch.overflowed:
            self._listen_again()
            return
        self._listener.on_batch(batch)
        if batch.more:
            self._wakeup.poke()

    def _listen_again(self) -> None:
        """Too much was missed: forget the view and be told everything anew."""
        connection = self._connection
        if connection is None:
            return
        connection.unsubscribe()
        self._bridge.clear()
        self._listener.on_reset()
        backend = connection.backend
        self._host.in_thread(partial(self._open, None, lambda: backend), "backend")
