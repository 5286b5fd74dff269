"""One model for work that waits and for questions that can wait: work goes first, in this process or in another.

Whoever does work holds a shared lock on a file while it asks. Whoever asks for the record alone looks at that lock all
the while, and gives up within a quarter of a second when somebody takes it. The kernel lets go of the lock when its
holder dies. Knows nothing of models.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_LOOK_EVERY_S = 0.25


class PriorityLane:
    def __init__(self, file: Path) -> None:
        self._file = file

    @asynccontextmanager
    async def urgent(self) -> AsyncIterator[None]:
        """Hold the lane for work; several may hold it at once."""
        descriptor = self._opened()
        try:
            if descriptor is not None:
                # whoever looks holds it for an instant
                await asyncio.to_thread(flock, descriptor, LOCK_SH)
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def is_urgent(self) -> bool:
        """Whether somebody holds the lane for work now."""
        descriptor = self._opened()
        if descriptor is None:
            return False
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return True
        else:
            flock(descriptor, LOCK_UN)
            return False
        finally:
            os.close(descriptor)

    async def beside(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Ask when nobody works; returns None if it was given up because somebody does. Waits for its turn first."""
        while self.is_urgent():
            await asyncio.sleep(_LOOK_EVERY_S)
        asking = asyncio.ensure_future(ask())
        try:
            while not asking.done():
                await asyncio.wait({asking}, timeout=_LOOK_EVERY_S)
                if not asking.done() and self.is_urgent():
                    return None
            return asking.result()
        finally:
            if not asking.done():
                asking.cancel()
                with suppress(asyncio.CancelledError):
                    await asking

    def _opened(self) -> int | None:
        """A lane that cannot be made keeps nobody from working."""
        try:
            return os.open(self._file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
