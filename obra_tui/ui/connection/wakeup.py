"""The coalesced wake-up: at most one is under way, none when nothing happens.

The first after a pause comes at once, those that follow ten times a second, which is as fast as people read. Only while
so much waits that a screenful would be skipped does it come thirty times a second.
"""

import asyncio
import contextvars
from collections.abc import Callable
from threading import Lock

INTERVAL_S = 1 / 30
CALM_S = 1 / 10
MANY = 100


class Wakeup:
    """`poke` from any thread; `run` is then called soon on the loop it was made on."""

    def __init__(
        self,
        run: Callable[[], None],
        waiting: Callable[[], int] = lambda: 0,
        *,
        interval_s: float = INTERVAL_S,
        calm_s: float = CALM_S,
    ) -> None:
        """`waiting` tells how much there is to take."""
        self._run = run
        self._waiting = waiting
        self._interval = interval_s
        self._calm = calm_s
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._lock = Lock()
        self._pending = False
        self._hurried = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._burst = False
        """Much was taken the last time: the rest of it must not be kept waiting."""

    def poke(self) -> None:
        with self._lock:
            hurries = self._pending and not self._hurried and self._waiting() >= MANY
            if self._closed or (self._pending and not hurries):
                return
            self._pending, self._hurried = True, hurries
        try:
            self._loop.call_soon_threadsafe(self._wait, context=self._context)
        except RuntimeError:  # the loop is closed: nobody is there to wake
            self._closed = True

    def close(self) -> None:
        self._closed = True

    def _wait(self) -> None:
        """Until it is time; called again when so much came that it is sooner."""
        if not self._pending:
            return
        if self._timer is not None:
            self._timer.cancel()
        period = self._interval if self._burst or self._waiting() >= MANY else self._calm
        wait = self._last + period - self._loop.time()
        if wait > 0:
            self._timer = self._loop.call_later(wait, self._fire, context=self._context)
        else:
            self._fire()

    def _fire(self) -> None:
        with self._lock:
            self._pending = self._hurried = False
        self._timer = None
        if self._closed:
            return
        self._burst = self._waiting() >= MANY
        self._run()
        self._last = self._loop.time()
