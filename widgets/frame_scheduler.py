"""When a screen is painted: at once, as long as painting does not take up the time of all else.

Textual's own timer keeps to a beat of sixty a second that it counts from its start, and after a pause it counts one too
many: what changes right after a frame, a key's effect say, then waits for up to two. Here the pause after a frame is
twice as long as the frame took, and no longer than that beat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.screen import UPDATE_PERIOD

SHARE = 1 / 3
"""Of the time, at most, goes into painting."""


class FrameScheduler:
    """Stands where a screen has its timer; lives on the loop."""

    def __init__(self, paint: Callable[[], None], period_s: float = UPDATE_PERIOD) -> None:
        self._paint = paint
        self._period = period_s
        self._next = float("-inf")
        self._due: asyncio.Handle | None = None

    def resume(self) -> None:
        """Something changed: paint as soon as may be."""
        if self._due is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._next - loop.time()
        self._due = loop.call_later(wait, self._frame) if wait > 0 else loop.call_soon(self._frame)

    def pause(self) -> None:
        """What changed is painted, or will be by somebody else."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _frame(self) -> None:
        self._due = None
        clock = asyncio.get_running_loop().time
        began = clock()
        self._paint()
        self._next = began + min(self._period, (clock() - began) / SHARE)
