"""Where the thumb of a scrollbar is. Arithmetic only."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Face(IntEnum):
    """What the scrollbar shows beside one row."""

    NONE = 0
    TRACK = 1
    THUMB = 2


class Bar(NamedTuple):
    """A thumb that covers rows [start, start + size)."""

    start: int
    size: int

    @classmethod
    def hidden(cls) -> Bar:
        """Nothing to scroll."""
        return cls(0, 0)

    @classmethod
    def of(cls, height: int, total: int, above: int) -> Bar:
        """The thumb for a window of `height` rows with `above` of `total` rows above it."""
        size = min(height, max(1, height * height // max(1, total)))
        room = height - size
        start = room * above // max(1, total - height)
        return cls(min(max(0, start), room), size)

    @classmethod
    def at_end(cls, height: int, total: int) -> Bar:
        """The thumb of a pane that follows."""
        return cls.of(height, total, total - height)

    @staticmethod
    def rows_at(start: float, height: int, total: int) -> int:
        """How many rows are above the window when the thumb begins at `start`."""
        size = min(height, max(1, height * height // max(1, total)))
        room = max(1, height - size)
        return max(0, round(min(max(0.0, start), room) * (total - height) / room))

    def covers(self, y: int) -> bool:
        """Whether the thumb is on a row."""
        return self.start <= y < self.start + self.size

    def faces(self, height: int) -> list[Face]:
        """What to draw beside each of `height` rows."""
        if not self.size:
            return [Face.NONE] * height
        faces = [Face.TRACK] * height
        faces[self.start : self.start + self.size] = [Face.THUMB] * self.size
        return faces
