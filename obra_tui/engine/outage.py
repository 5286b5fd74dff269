"""While nothing can be written: everything stands still, and goes on by itself when it can be again.

Knows which sessions were stopped for it and how to wait; what stopping and
going on mean is the session's own affair. A fault that does not pass by itself
is kept: from then on there is only reading.
"""

import asyncio
from collections.abc import Callable, Mapping

from obra_tui.core.errors import StoreError, Unwritable
from obra_tui.core.ids import SessionId
from obra_tui.core.ports import Clock, Journal
from obra_tui.engine.session_run import SessionRun

Watcher = Callable[[StoreError | None], None]

LOOK_EVERY_S = 5.0
"""Time between two looks whether writing works again."""


class Outage:
    def __init__(self, journal: Journal, clock: Clock, runs: Mapping[SessionId, SessionRun]) -> None:
        self._journal = journal
        self._clock = clock
        self._runs = runs
        self._stopped: set[SessionId] = set()
        self._waits: asyncio.Task[None] | None = None
        self._watchers: list[Watcher] = []
        self.error: StoreError | None = None
        """Why nothing can be written; None while writing works."""

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher` with the error when nothing can be written any more, and with None when it can again."""
        self._watchers.append(watcher)
        if self.error is not None:
            watcher(self.error)

    async def space_ran_out(self) -> None:
        """The disk is full but for what was kept back: end what runs while its end can still be written."""
        for run in self._running():
            await run.stop_for_space()
        self._wait()

    def store_failed(self, error: StoreError) -> None:
        """Nothing can be recorded: nothing may go on. The work in the copies stays as it is."""
        if self.error is None:
            self.error = error
            self._tell()
            for run in self._running():
                run.abandon(error)
        if isinstance(error, Unwritable) and error.passes:
            self._wait()

    def is_short_of_space(self, session: SessionId) -> bool:
        """Whether what has just gone wrong in a session did so on a full disk; it is taken up when there is space."""
        if self._journal.writable():
            return False
        self._stopped.add(session)
        self._wait()
        return True

    def end(self) -> None:
        """Stop waiting."""
        if self._waits is not None:
            self._waits.cancel()

    def _running(self) -> tuple[SessionRun, ...]:
        running = tuple(run for run in self._runs.values() if run.running)
        self._stopped.update(run.work.id for run in running)
        return running

    def _wait(self) -> None:
        if self._waits is None:
            self._waits = asyncio.create_task(self._until_it_is_over(), name="wait for the journal")

    async def _until_it_is_over(self) -> None:
        while self.error or self._stopped:
            await self._clock.sleep(LOOK_EVERY_S)
            if self._journal.writable():
                await self._go_on()
        self._waits = None

    async def _go_on(self) -> None:
        self.error = None
        self._tell()
        stopped, self._stopped = sorted(self._stopped), set()
        for session in stopped:
            await self._take_up(session)

    async def _take_up(self, session: SessionId) -> None:
        try:
            if session in self._runs:
                await self._runs[session].go_on()
        except StoreError:
            # It is full again: the wait goes on, for this session, too.
            self._stopped.add(session)

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher(self.error)
