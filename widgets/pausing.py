"""Since when a person reads above the end, and how much came meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime


class Pause:
    """Says what the lower border of a held pane shows."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._since: datetime | None = None
        self._new = 0

    def count(self, new: int) -> None:
        """So many lines came; they only count while held."""
        if self._since is not None:
            self._new += new

    def mark(self, following: bool) -> bool:
        """Note the state; true when it changed."""
        if following == (self._since is None):
            return False
        self._since = None if following else self._clock()
        self._new = 0
        return True

    @property
    def text(self) -> str:
        """``paused at 14:02:25 · 38 new · end follows``, or nothing while following."""
        if self._since is None:
            return ""
        return f"paused at {self._since:%H:%M:%S} · {self._new:,} new · end follows"
