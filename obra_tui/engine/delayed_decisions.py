"""Answers to gates that can still be undone: each waits its time and is then carried out.

Knows times and gates, not what an answer leads to.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from obra_tui.core.errors import Unwritable
from obra_tui.core.ids import GateId
from obra_tui.core.ports import Clock


class Holds:
    def __init__(self, clock: Clock, carry_out: Callable[[GateId], Awaitable[None]]) -> None:
        self._clock = clock
        self._carry_out = carry_out
        self._waiting: dict[GateId, asyncio.Task[None]] = {}

    def hold(self, gate: GateId, until: float) -> None:
        """Carry the answer out at `until` (epoch seconds), at once when that is past."""
        self.drop(gate)
        waits = asyncio.create_task(self._wait(gate, until), name=f"undo of {gate}")
        self._waiting[gate] = waits
        waits.add_done_callback(lambda done: self._waiting.pop(gate, None) if self._waiting.get(gate) is done else None)

    def drop(self, gate: GateId) -> None:
        """Forget the answer; it is not carried out."""
        waits = self._waiting.pop(gate, None)
        if waits is not None:
            waits.cancel()

    def drop_all(self) -> tuple[GateId, ...]:
        """Stop waiting and return the gates whose answers were not carried out yet."""
        gates = tuple(self._waiting)
        for gate in gates:
            self.drop(gate)
        return gates

    async def _wait(self, gate: GateId, until: float) -> None:
        left = until - self._clock.now()
        if left > 0:
            await self._clock.sleep(left)
        # From here on it cannot be undone: `drop` finds nothing to cancel.
        self._waiting.pop(gate, None)
        with contextlib.suppress(Unwritable):  # it stays held, and is held anew when writing works again
            await self._carry_out(gate)
