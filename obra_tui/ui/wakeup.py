"""The coalesced wake-up: at most one is under way, at most thirty a second, none when nothing happens."""

import asyncio
import contextvars
from collections.abc import Callable
from threading import Lock

INTERVAL_S = 1 / 30


class Wakeup:
    """`poke` from any thread; `run` is then called soon on the loop it was made on."""

    def __init__(self, run: Callable[[], None], interval_s: float = INTERVAL_S) -> None:
        self._run = run
        self._interval = interval_s
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._lock = Lock()
        self._pending = False
        self._closed = False
        self._last = 0.0

    def poke(self) -> None:
        with self._lock:
            if self._pending or self._closed:
                return
            self._pending = True
        try:
            self._loop.call_soon_threadsafe(self._due, context=self._context)
        except RuntimeError:  # the loop is closed: nobody is there to wake
            self._closed = True

    def close(self) -> None:
        self._closed = True

    def _due(self) -> None:
        wait = self._last + self._interval - self._loop.time()
        if wait > 0:
            self._loop.call_later(wait, self._fire, context=self._context)
        else:
            self._fire()

    def _fire(self) -> None:
        with self._lock:
            self._pending = False
        if self._closed:
            return
        self._run()
        self._last = self._loop.time()
