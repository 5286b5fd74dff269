"""The owner's side of the command table: commands of others are carried out as if they had been given here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from obra_tui.core.errors import ObraError, StoreError

if TYPE_CHECKING:
    from obra_tui.core.commands import Command
    from obra_tui.store.commands import Answer, CommandTable

_LOOK_EVERY_S = 0.1

Handle = Callable[["Command"], Awaitable[object]]


async def run_errands(table: CommandTable, handle: Handle) -> None:
    """Carry out what others ask for, until cancelled. Nothing happens between commands but a look at a file."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            if table.changed():
                for number, command in table.take():
                    table.answer(number, await _carry_out(command, handle))
        except StoreError:
            # The table cannot be read or written now; the one who waits sees no answer, and the work here goes on.
            continue


async def _carry_out(command: Command, handle: Handle) -> Answer:
    from obra_tui.store.commands import Answer

    try:
        return Answer(value=await handle(command))
    except ObraError as error:
        return Answer(error=error)
