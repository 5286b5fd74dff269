"""Questions that another thread may end: a search whose line was changed while it ran."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from sqlalchemy import Connection


class Stoppable:
    def __init__(self) -> None:
        self._lock = Lock()
        self._running: list[Any] = []

    @contextmanager
    def of(self, connection: Connection) -> Iterator[None]:
        """Let `stop` end what this connection does inside the block."""
        driver: Any = connection.connection.driver_connection
        with self._lock:
            self._running.append(driver)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(driver)

    def stop(self) -> None:
        """End all of them; each raises in its own thread. SQLite says `interrupt`, PostgreSQL `cancel`."""
        with self._lock:
            for driver in self._running:
                (getattr(driver, "interrupt", None) or driver.cancel)()
