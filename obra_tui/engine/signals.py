"""Requests to a running session: flags that take effect between stages."""

import asyncio


class StopHere(Exception):
    """Raised at a stage boundary after *stop after this stage*; a control flow signal, never shown."""


class Interrupted(Exception):
    """Raised when Claude Code's turn was ended from outside; a control flow signal, never shown."""


class Signals:
    def __init__(self, *, paused: bool = False) -> None:
        self._go = asyncio.Event()
        self._stop = False
        if not paused:
            self._go.set()

    @property
    def stopping(self) -> bool:
        return self._stop

    @property
    def paused(self) -> bool:
        return not self._go.is_set()

    def pause(self) -> None:
        self._go.clear()

    def resume(self) -> None:
        self._stop = False
        self._go.set()

    def stop_after_stage(self) -> None:
        self._stop = True
        self._go.set()

    async def next_stage(self) -> None:
        """Return when the next stage may start; raises `StopHere` when none may."""
        await self._go.wait()
        if self._stop:
            raise StopHere
