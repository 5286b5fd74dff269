"""Runs one command to its end, its time limit or its cancellation, and leaves no process behind.

Output is passed on while it comes, in joined pieces, and kept up to a limit: the
beginning and the end. Knows nothing of sandboxes; it is given a complete launch.
"""

import asyncio
import codecs
import contextlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from obra_tui.evidence.child import NOTHING, Child, start
from obra_tui.evidence.processes import kill_tree

PIECE_S = 0.05
_CHUNK = 1 << 16
_DRAIN_S = 0.5

Printed = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A program with all its surroundings. `mark` identifies its processes."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: Path
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the command ended; `exit_code` is None when it was stopped at its time limit."""

    exit_code: int | None
    output: str
    duration_s: float


class Output:
    """Joins pieces for the listener and keeps head and tail of the whole."""

    def __init__(self, printed: Printed, *, keep: int, pass_on: int) -> None:
        self._printed = printed
        self._half = keep // 2
        self._left = pass_on
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._head: list[str] = []
        self._head_room = self._half
        self._tail: list[str] = []
        self._tail_size = 0
        self._dropped = 0
        self._waiting: list[str] = []

    def take(self, chunk: bytes, *, last: bool = False) -> None:
        text = self._decoder.decode(chunk, last).replace("\0", "␀")
        self._waiting.append(text)
        self._head.append(text[: self._head_room])
        rest = text[self._head_room :]
        self._head_room -= len(text) - len(rest)
        if rest:
            self._keep_in_tail(rest)

    def _keep_in_tail(self, text: str) -> None:
        self._tail.append(text)
        self._tail_size += len(text)
        while len(self._tail) > 1 and self._tail_size - len(self._tail[0]) >= self._half:
            gone = self._tail.pop(0)
            self._tail_size -= len(gone)
            self._dropped += len(gone)

    def pass_on(self) -> None:
        """Hand what came since the last call to the listener, as long as its share lasts."""
        text = "".join(self._waiting)
        self._waiting.clear()
        if not text or self._left < 0:
            return
        self._left -= len(text)
        if self._left < 0:
            text = text[: self._left] + "\n… more output follows; the end of it is kept with the result\n"
        self._printed(text)

    def whole(self) -> str:
        """Return everything, or the beginning and the end with a line that says what is missing."""
        tail = "".join(self._tail)
        dropped = self._dropped + max(0, len(tail) - self._half)
        if not dropped:
            return "".join(self._head) + tail
        return f"{''.join(self._head)}\n… {dropped:,} characters left out …\n{tail[-self._half :]}"


async def run(
    launch: Launch, *, timeout_s: float, printed: Printed, keep: int = 200_000, pass_on: int = 1_000_000
) -> Ended:
    """Run to the end. Raises `OSError` when the program cannot be started at all."""
    started = time.monotonic()
    output = Output(printed, keep=keep, pass_on=pass_on)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    try:
        child = start(
            launch.argv, environment=launch.environment, cwd=launch.cwd, stdin=NOTHING, stdout=writing, stderr=writing
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    closed = _listen(reading, output)
    try:
        exit_code = await _wait(child, timeout_s)
    finally:
        await asyncio.shield(_clean_up(child, launch.mark, closed, reading))
        output.take(b"", last=True)
        output.pass_on()
    return Ended(exit_code=exit_code, output=output.whole(), duration_s=time.monotonic() - started)


async def _wait(child: Child, timeout_s: float) -> int | None:
    try:
        return await child.wait(timeout_s)
    except TimeoutError:
        return None


async def _clean_up(child: Child, mark: str, closed: asyncio.Future[None], fd: int) -> None:
    """Kill what is left, then take what is still in the pipe; a child elsewhere may hold it open."""
    await kill_tree(child.pid, mark)
    await child.wait()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(closed), _DRAIN_S)
    asyncio.get_running_loop().remove_reader(fd)
    os.close(fd)


def _listen(fd: int, output: Output) -> asyncio.Future[None]:
    """Read the pipe whenever something is there; the future is done when all writers have closed it."""
    loop = asyncio.get_running_loop()
    closed: asyncio.Future[None] = loop.create_future()
    timer: asyncio.TimerHandle | None = None

    def pass_on() -> None:
        nonlocal timer
        timer = None
        output.pass_on()

    def readable() -> None:
        nonlocal timer
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(fd, _CHUNK)
            if not chunk:
                loop.remove_reader(fd)
                if timer is not None:
                    timer.cancel()
                if not closed.done():
                    closed.set_result(None)
                return
            output.take(chunk)
            if timer is None:
                timer = loop.call_later(PIECE_S, pass_on)

    loop.add_reader(fd, readable)
    return closed
