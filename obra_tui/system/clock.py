"""The real clock, behind the port that tests replace."""

import asyncio
import time

_LOOK_EVERY_S = 30.0
"""The loop's own clock stands still while the computer sleeps: look again at least this often."""


def since_boot() -> float:
    """Return seconds since the start of the system, its sleep included where it tells."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class SystemClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep by a clock that goes on while the computer sleeps and that nobody can set."""
        end = since_boot() + seconds
        while (left := end - since_boot()) > 0:
            await asyncio.sleep(min(left, _LOOK_EVERY_S))
