"""A clock that stands still until it is told to go on."""

import asyncio


class FakeClock:
    def __init__(self, now=1_700_000_000.0):
        self.time = now
        self.slept = []
        self._sleepers = []

    def now(self):
        return self.time

    def monotonic(self):
        return self.time

    async def sleep(self, seconds):
        """Return when `advance` has brought the time that far."""
        self.slept.append(seconds)
        due = asyncio.Event()
        self._sleepers.append((self.time + seconds, due))
        await due.wait()

    def advance(self, seconds):
        self.time += seconds
        for when, due in self._sleepers:
            if when <= self.time:
                due.set()
        self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[1].is_set()]

    async def until_asleep(self):
        """Wait until somebody sleeps."""
        async with asyncio.timeout(10):
            while not self._sleepers:
                await asyncio.sleep(0)
