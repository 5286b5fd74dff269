"""What a worker says about a job, on its way into the database: batched, in order, fenced.

A batch goes out at most 50 ms after its first line. When the server is away, lines wait; when the job is not held any
more, they are dropped and whoever works on it is told. Must not know what the lines mean.
"""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from obra_tui.core.errors import StoreError
from obra_tui.core.events import Event
from obra_tui.core.json_form import to_text
from obra_tui.fleet.board import BoardLine
from obra_tui.fleet.desk import Desk
from obra_tui.fleet.jobs import Claim, LineKind

BATCH_S = 0.05
_MOST = 500
"""Lines of one batch."""
_AGAIN_S = 0.5


class Reporter:
    """The lines of one claim."""

    def __init__(
        self, desk: Desk, claim: Claim, redact: Callable[[Event], Event], on_fenced: Callable[[], None]
    ) -> None:
        self._desk = desk
        self._claim = claim
        self._redact = redact
        self._on_fenced = on_fenced
        self._waiting: list[BoardLine] = []
        self._seq = 0
        self._there, self._written = asyncio.Event(), asyncio.Event()
        self._written.set()
        self.is_fenced = False
        self._writing = asyncio.create_task(self._write(), name=f"fleet: report {claim.id}")

    def emit(self, event: Event) -> None:
        self._add(event.type, self._redact(event))

    def say(self, kind: LineKind, body: Struct) -> None:
        self._add(kind, body)

    def _add(self, kind: str, body: Struct) -> None:
        if self.is_fenced:
            return
        self._seq += 1
        self._waiting.append(BoardLine(epoch=self._claim.epoch, seq=self._seq, kind=kind, body=to_text(body)))
        self._written.clear()
        self._there.set()

    async def flush(self) -> None:
        """Wait until everything is written, or the job is not held any more."""
        await self._written.wait()

    async def close(self) -> None:
        self._writing.cancel()
        await asyncio.wait((self._writing,))

    async def _write(self) -> None:
        while not self.is_fenced:
            await self._there.wait()
            if len(self._waiting) < _MOST:
                await asyncio.sleep(BATCH_S)
            self._there.clear()
            while self._waiting and not self.is_fenced:
                await self._write_some()
        self._written.set()

    async def _write_some(self) -> None:
        batch = self._waiting[:_MOST]
        try:
            held = await self._desk.append(self._claim.id, batch)
        except StoreError:
            await asyncio.sleep(_AGAIN_S)
            return
        del self._waiting[: len(batch)]
        if not held:
            self.fence()
        elif not self._waiting:
            self._written.set()

    def fence(self) -> None:
        """The job is somebody else's: nothing more is said."""
        if not self.is_fenced:
            self.is_fenced = True
            self._waiting.clear()
            self._written.set()
            self._there.set()
            self._on_fenced()
