"""Runs one command to its end, its time limit or its cancellation, and leaves no process behind.

Output is passed on while it comes, in joined pieces, and kept up to a limit: the
beginning and the end. Knows nothing of sandboxes; it is given a complete launch.
"""

import asyncio
import codecs
import contextlib
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from obra_tui.system.limits import UNLIMITED, Limits, watch
from obra_tui.system.process import NOTHING, Child, ended, start
from obra_tui.system.process_sweep import kill_tree

PIECE_S = 0.05
_CHUNK = 1 << 16
_DRAIN_S = 0.5
_CHILD_PID = re.compile(rb'"child-pid": *(\d+)')

Printed = Callable[[str], None]


class Launch(Struct, frozen=True, kw_only=True):
    """A program with all its surroundings. `mark` identifies its processes."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: Path
    mark: str
    tells_inner: bool = False
    """It is bubblewrap, which can say what the first process inside is: when that has ended, so have all others."""
    passed: tuple[int, ...] = ()
    """Descriptors that stay open for it."""
    options_at: int = 1
    """Where bubblewrap's own options begin in `argv`: other programs may come before it."""
    limits: Limits = UNLIMITED
    writes_to: tuple[Path, ...] = ()
    """Folders of ours that it can write to: what lies there counts as written by it."""


class Ended(Struct, frozen=True, kw_only=True):
    """How the command ended; `exit_code` is None when it was stopped at its time limit."""

    exit_code: int | None
    output: str
    duration_s: float
    passed_limit: str = ""
    """Which limit it passed, as a sentence; it was ended for that."""


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
        self.size = 0
        """Bytes that were printed."""
        self._waiting: list[str] = []

    def take(self, chunk: bytes, *, last: bool = False) -> None:
        self.size += len(chunk)
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
    with Inner(launch) as inner:
        child, reading = _start(launch, inner)
        closed = _listen(reading, output)
        try:
            exit_code, passed = await _wait(child, timeout_s, launch, output)
        finally:
            await asyncio.shield(_clean_up(child, launch.mark, inner, closed, reading))
            output.take(b"", last=True)
            output.pass_on()
    took = time.monotonic() - started
    return Ended(exit_code=exit_code, output=output.whole(), duration_s=took, passed_limit=passed)


class Inner:
    """What bubblewrap says of the first process inside. The kernel ends all others before that one has ended."""

    def __init__(self, launch: Launch) -> None:
        self._asked = launch.tells_inner
        self._ends: tuple[int, ...] = ()

    def __enter__(self) -> "Inner":
        self._ends = os.pipe() if self._asked else ()
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._ends:
            os.close(end)

    @property
    def passed(self) -> tuple[int, ...]:
        return self._ends[1:]

    @property
    def option(self) -> tuple[str, ...]:
        return ("--info-fd", str(self._ends[1])) if self._ends else ()

    async def gone(self) -> bool:
        """Wait until everything inside has ended; False when that is not known."""
        told = self._told()
        if told is None:
            return False
        try:
            await ended(int(told[1]), _DRAIN_S)
        except ProcessLookupError:
            return True
        except (AttributeError, OSError):
            return False
        return True

    def _told(self) -> re.Match[bytes] | None:
        if not self._ends:
            return None
        reading = self._ends[0]
        os.set_blocking(reading, False)
        with contextlib.suppress(BlockingIOError):
            return _CHILD_PID.search(os.read(reading, _CHUNK))
        return None


def _start(launch: Launch, inner: Inner) -> tuple[Child, int]:
    """Return the running program and where its output can be read."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    before, after = launch.argv[: launch.options_at], launch.argv[launch.options_at :]
    try:
        child = start(
            (*before, *inner.option, *after),
            environment=launch.environment,
            cwd=launch.cwd,
            stdin=NOTHING,
            stdout=writing,
            stderr=writing,
            passed=(*inner.passed, *launch.passed),
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return child, reading


async def _wait(child: Child, timeout_s: float, launch: Launch, output: Output) -> tuple[int | None, str]:
    """Return the exit code, or None and which limit ended the wait; nothing is said of the time."""
    ending = asyncio.ensure_future(child.wait(timeout_s))
    watching = asyncio.ensure_future(watch(child.pid, launch.limits, launch.writes_to, lambda: output.size))
    both = {ending, watching} if launch.limits != UNLIMITED else {ending}
    try:
        done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return (await ending, "") if ending in done else (None, watching.result())
    except TimeoutError:
        return None, ""
    finally:
        for task in (ending, watching):
            task.cancel()
        await asyncio.gather(ending, watching, return_exceptions=True)


async def _clean_up(child: Child, mark: str, inner: Inner, closed: asyncio.Future[None], fd: int) -> None:
    """Kill what is left, then take what is still in the pipe; a child elsewhere may hold it open."""
    if child.exit_code is None or not await inner.gone():
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
