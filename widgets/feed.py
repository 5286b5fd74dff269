"""From any thread to the screen without ever stopping the producer or flooding the screen.

Items go into one bounded queue; the screen is woken at most once for all of them and at most so many times a
second. When nothing comes, nothing runs. When too much comes, the oldest droppable items go and are counted.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from textual.message_pump import MessagePump

from .document import SKIPPED
from .lines import LogLine
from .quick import Quick

T = TypeVar("T")


class Batch(NamedTuple, Generic[T]):
    """What came since the last time, and how many items had to be skipped before it."""

    items: list[T]
    skipped: int


def skipped_line(count: int) -> LogLine:
    """The line that says how much is not on screen."""
    return LogLine(SKIPPED.format(count=count), style="dim")


def _always(item: object) -> bool:
    return True


class Feed(Generic[T]):
    """A bounded queue with a coalesced wake-up."""

    def __init__(
        self, limit: int = 20_000, *, droppable: Callable[[T], bool] = _always, per_second: float = 30
    ) -> None:
        """Items for which `droppable` is false are kept however many they are."""
        self._limit = max(1, limit)
        self._droppable = droppable
        self._period = 1 / per_second
        self._lock = threading.Lock()
        self._queue: deque[T] = deque()
        self._skipped = 0
        self._woken = False
        self._pump: MessagePump | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._consumer: Callable[[Batch[T]], None] | None = None
        self._next_time = 0.0
        self._consuming = Quick(self._consume)

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, item: T) -> None:
        """Add one item; from any thread, never blocks."""
        with self._lock:
            self._queue.append(item)
            if len(self._queue) > self._limit:
                self._drop()
            wake = self._wants_wake()
        if wake:
            self._wake()

    def put_many(self, items: Iterable[T]) -> None:
        """Add many items at once; from any thread, never blocks."""
        with self._lock:
            self._queue.extend(items)
            if len(self._queue) > self._limit:
                self._drop()
            wake = bool(self._queue) and self._wants_wake()
        if wake:
            self._wake()

    def drain(self) -> Batch[T]:
        """Take everything; usually the consumer gets it by itself."""
        with self._lock:
            queue, self._queue = self._queue, deque()
            skipped, self._skipped = self._skipped, 0
            self._woken = False
        return Batch(list(queue), skipped)

    def attach(self, pump: MessagePump, consumer: Callable[[Batch[T]], None]) -> None:
        """Deliver batches to `consumer`, on the UI thread and in the context of a widget or an app."""
        with self._lock:
            self._pump, self._consumer = pump, consumer
            self._loop = asyncio.get_running_loop()
            wake = bool(self._queue) and self._wants_wake()
        if wake:
            self._wake()

    def detach(self) -> None:
        """Stop delivering; items wait (bounded) for the next one who attaches."""
        with self._lock:
            self._pump = self._consumer = self._loop = None
            self._woken = False

    def _wants_wake(self) -> bool:
        """Under the lock: whether this item is the one that wakes the screen."""
        if self._woken or self._loop is None:
            return False
        self._woken = True
        return True

    def _wake(self) -> None:
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self._schedule)
        except RuntimeError:  # the loop was closed: the screen is gone
            self.detach()

    def _schedule(self) -> None:
        """On the loop: at once after a quiet time, else when the period is over."""
        loop = asyncio.get_running_loop()
        delay = self._next_time - loop.time()
        if delay <= 0:
            self._deliver()
        else:
            loop.call_later(delay, self._deliver)

    def _deliver(self) -> None:
        """Feeds that are busy deliver on the same beat, so that the screen paints all their panes at once."""
        beats = asyncio.get_running_loop().time() // self._period
        self._next_time = (beats + 1) * self._period
        pump = self._pump
        if pump is not None:
            pump.call_next(self._consuming)

    def _consume(self) -> None:
        consumer = self._consumer
        if consumer is None:
            return
        batch = self.drain()
        if batch.items or batch.skipped:
            consumer(batch)

    def _drop(self) -> None:
        """Under the lock: go back to three quarters of the limit, so that this is rare."""
        too_many = len(self._queue) - self._limit * 3 // 4
        kept: deque[T] = deque()
        while too_many > 0 and self._queue:
            item = self._queue.popleft()
            if self._droppable(item):
                too_many -= 1
                self._skipped += 1
            else:
                kept.append(item)
        self._queue.extendleft(reversed(kept))
