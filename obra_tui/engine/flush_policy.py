"""When what waits to be written is written.

A crash may cost what came in the last fifty milliseconds, so nothing waits longer than that less what a write takes.
After a quiet time nobody need wait at all: what comes then is written as soon as it stops coming, and so is what a
large batch left over. While it keeps coming, each write takes as many events along as it may: a write costs the disk
the same with one as with many.

Pure: it is told the time.
"""

WITHIN_S = 0.042
"""From the arrival of an event until it is written: with what a timer is late, the 50 ms that a crash may cost."""
LEAST_S = 0.03
"""A slow disk, or a flood, must not be written in ever smaller pieces."""
LULL_S = 0.004
"""So long nothing came: it stopped coming."""
QUIET_S = 0.1
"""So long nothing was written: a person waits for what comes now."""

LARGE = 100
"""So many at once are a burst."""


class Pace:
    def __init__(self) -> None:
        self._began = self._came = 0.0
        self._large = False
        self._wrote = float("-inf")
        self._took = 0.0

    def came(self, now: float, *, first: bool) -> None:
        """An event came; `first` of those that wait."""
        self._came = now
        if first:
            self._began = now

    def wrote(self, count: int, began: float, ended: float) -> None:
        """So many were written. A slow write counts at once and is forgotten slowly."""
        self._wrote, self._large = ended, count >= LARGE
        self._took = max(ended - began, 0.9 * self._took)

    def due(self) -> float:
        """Return when to write, if nothing more comes before."""
        latest = self._began + max(LEAST_S, WITHIN_S - self._took)
        waited_for = self._large or self._began - self._wrote >= QUIET_S
        return min(latest, self._came + LULL_S) if waited_for else latest
