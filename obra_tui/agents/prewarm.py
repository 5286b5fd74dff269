"""A Claude Code program that was started before anybody told it anything.

Half of a short run is the start of the program. So it is started as soon as its copy is there, while the database and
the rest of Obra are still being loaded. It hears its first words when these are written. A run that is not exactly
what was expected gets a program of its own, and this one is ended unused.
"""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress

from msgspec import Struct

from obra_tui.system.process_env import ATTEMPT_MARK

CHUNK = 1 << 18
_END_S = 1.0


class Call(Struct, frozen=True, kw_only=True):
    """Everything that a program is started with."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str

    @property
    def mark(self) -> str:
        """The value by which the processes of this call are found."""
        return self.environment[ATTEMPT_MARK]

    def same_but_for_the_mark(self, other: "Call") -> bool:
        ours, theirs = ({**call.environment, ATTEMPT_MARK: ""} for call in (self, other))
        return (self.argv, self.cwd, ours) == (other.argv, other.cwd, theirs)


async def spawn(call: Call) -> asyncio.subprocess.Process:
    """Start a program in a session of its own. Raises `OSError`."""
    return await asyncio.create_subprocess_exec(
        *call.argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=call.cwd,
        env=dict(call.environment),
        start_new_session=True,
        limit=CHUNK,
    )


def release(process: asyncio.subprocess.Process) -> None:
    """Close the pipes also when something that outlived the program still holds their other ends."""
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


class Spare(Struct, frozen=True, kw_only=True):
    """A program that waits for its first words."""

    call: Call
    process: asyncio.subprocess.Process

    def fits(self, call: Call) -> bool:
        return self.process.returncode is None and self.call.same_but_for_the_mark(call)

    async def end(self) -> None:
        """Nobody takes it: end it with its group."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), _END_S)
        release(self.process)
