"""While nothing can be written: everything stands still, and goes on by itself when it can be again.

Knows which sessions were stopped for it and how to wait; what stopping and
going on mean is the session's own affair. A fault that does not pass by itself
is kept: from then on there is only reading.
"""

import asyncio
from collections.abc import Callable, Mapping

from obra_tui.core.errors import StoreAway, StoreError, Unwritable
from obra_tui.core.ids import SessionId
from obra_tui.core.ports import EngineClock, Journal, StoredAfterAll
from obra_tui.engine.session_run import SessionRun

Watcher = Callable[[StoreError | None], None]

LOOK_EVERY_S = 5.0
"""Time between two looks whether writing works again."""
RIDE_OUT_S = 3.0
"""How long a database server may be away before the work is stopped for it."""
LOOK_SOON_S = 0.2
"""Time between two looks meanwhile."""


class Outage:
    def __init__(self, journal: Journal, clock: EngineClock, runs: Mapping[SessionId, SessionRun]) -> None:
        self._journal = journal
        self._clock = clock
        self._runs = runs
        self._stopped: set[SessionId] = set()
        self._waits: asyncio.Task[None] | None = None
        self._watchers: list[Watcher] = []
        self.error: StoreError | None = None
        """Why nothing can be written; None while writing works."""
        self._patient_until: float | None = None
        """Until when what runs is left alone; None when it is not, or was abandoned already."""

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
        """A step could not be recorded: nothing may go on. The work in the copies stays as it is.

        A server that has just gone may be back soon: what runs is left alone for a moment, and stands still where it
        has something to record.
        """
        if isinstance(error, StoredAfterAll):
            # Who asked stands still; they and whoever it was about are taken up.
            self._running()
            self._stopped.update(record.session for record in error.records)
        elif self.error is None:
            self._fail(error, self._clock.monotonic() + RIDE_OUT_S if isinstance(error, StoreAway) else None)
        elif self._patient_until is not None and not isinstance(error, StoreAway):
            self._fail(error, None)
        if isinstance(error, Unwritable) and error.passes:
            self._wait()

    def right_lost(self, error: StoreError) -> None:
        """Soon somebody else may write: all that runs must be dead by then."""
        self._fail(error, None)
        self._wait()

    def refusal(self) -> StoreError | None:
        """Why it need not be tried to record anything now: a server that is away would have to be waited for."""
        return self.error if isinstance(self.error, StoreAway) else None

    def _fail(self, error: StoreError, patient_until: float | None) -> None:
        self.error, self._patient_until = error, patient_until
        self._tell()
        if patient_until is None:
            self._abandon(error)

    def _abandon(self, error: StoreError) -> None:
        for run in self._running():
            run.abandon(error)

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
            await self._clock.sleep(LOOK_EVERY_S if self._patient_until is None else LOOK_SOON_S)
            if await asyncio.to_thread(self._journal.writable):
                await self._go_on()
            elif self.error and self._patient_until is not None and self._clock.monotonic() >= self._patient_until:
                self._patient_until = None
                self._abandon(self.error)
        self._waits = None

    async def _go_on(self) -> None:
        self.error = self._patient_until = None
        self._running()
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
