"""Opening and closing what is heavy, off the screen's thread."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from obra_tui.ui.connection.bridge import Bridge
from obra_tui.ui.ports import Backend, OpenBackend


class Connection(Struct, frozen=True, kw_only=True):
    """An open backend whose records arrive in the bridge."""

    backend: Backend
    unsubscribe: Callable[[], None]

    def close(self) -> None:
        """Stop the engine; blocks up to 2 s."""
        self.unsubscribe()
        self.backend.engine.stop()


def connect(open_backend: OpenBackend, bridge: Bridge) -> Connection:
    """Build everything and begin to listen; blocks. Raises `ObraError`."""
    backend = open_backend()
    return Connection(backend=backend, unsubscribe=backend.engine.subscribe(bridge.listen))
