"""Where a replay is, and which records are due: knows no screen and no clock but the seconds it is given."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from obra_tui.core.events import Record
from obra_tui.core.records.replay import Stop, next_stop, paused

SPEEDS = (1, 8, 64)


class Player:
    """Plays the records of one session; `position` of them have been told."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.position = 0
        self.speed = SPEEDS[1]
        self.playing = False
        self._due = tuple(accumulate(pause for _, pause in paused(records, 1.0)))
        self._time = 0.0

    @property
    def over(self) -> bool:
        return self.position >= len(self.records)

    @property
    def length(self) -> float:
        """Seconds at speed 1, with long pauses cut."""
        return self._due[-1] if self._due else 0.0

    @property
    def time(self) -> float:
        return min(self._time, self.length)

    def faster(self) -> None:
        """The next speed; after the fastest the slowest again."""
        self.speed = SPEEDS[(SPEEDS.index(self.speed) + 1) % len(SPEEDS)]

    def pass_time(self, seconds: float) -> Sequence[Record]:
        """Return what is due after so many seconds in front of the screen."""
        if not self.playing:
            return ()
        self._time += seconds * self.speed
        return self._tell(bisect_right(self._due, self._time))

    def step(self, records: int = 1) -> Sequence[Record]:
        """Return the next records, whenever they are due."""
        return self._go(self.position + records)

    def jump(self, stop: Stop) -> Sequence[Record]:
        """Return all up to the next place of this kind; nothing if there is none."""
        found = next_stop(self.records, self.position, stop)
        return self._go(found) if found is not None else ()

    def finish(self) -> Sequence[Record]:
        return self._go(len(self.records))

    def rewind(self) -> None:
        self.position, self._time, self.playing = 0, 0.0, False

    def _go(self, position: int) -> Sequence[Record]:
        told = self._tell(min(position, len(self.records)))
        if self.position:
            self._time = self._due[self.position - 1]
        return told

    def _tell(self, position: int) -> Sequence[Record]:
        due = self.records[self.position : position]
        self.position = max(self.position, position)
        if self.over:
            self.playing = False
        return due
