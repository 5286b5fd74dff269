"""Start a program, wait for its end, end it: all by what Linux itself offers, on the loop that started it.

An attempt starts some forty programs that say little and end soon. What `asyncio` puts around each of them, for pipes
that are not there, costs more than starting it; and Python 3.11 starts a thread for each, which 3.12 no longer
does. Knows nothing of what a program is for. Finding what escaped is `process_sweep`.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVarTuple

from msgspec import Struct

End = int | BinaryIO
NOTHING = subprocess.DEVNULL
_CHUNK = 1 << 16


class Process(Protocol):
    """What is waited for; a `subprocess.Popen` is one."""

    pid: int
    returncode: int | None

    def wait(self) -> int: ...


class Child:
    """A program in a session of its own. The caller that started it waits for it, or ends it."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None until its end was waited for."""
        return self._process.returncode

    async def wait(self, timeout_s: float | None = None) -> int:
        """Return its exit code, negative for a signal. Raises `TimeoutError`; it goes on running then."""
        if self._process.returncode is None:
            try:
                await ended(self.pid, timeout_s)
            except (AttributeError, OSError) as error:  # another system, an old kernel, or no more files to be had
                if isinstance(error, TimeoutError):
                    raise
                return await asyncio.wait_for(asyncio.to_thread(self._process.wait), timeout_s)
        return self._process.wait()

    async def end(self) -> None:
        """Leave nothing of it running, whatever ended the wait."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            await self.wait()


def start(
    argv: Sequence[str | bytes],
    *,
    environment: Mapping[str, str],
    cwd: str | Path = "",
    stdin: End,
    stdout: End,
    stderr: End,
    passed: Sequence[int] = (),
) -> Child:
    """Start a program, in the folder where Obra stands unless one is named. What is `passed` stays open for it.

    Raises `OSError`, of which `FileNotFoundError` when there is no such program.
    """
    numbers = [end if isinstance(end, int) else end.fileno() for end in (stdin, stdout, stderr)]
    clear = not any(number in (0, 1, 2) for number in numbers)  # else one end would be laid over another one
    if not cwd and not passed and clear and sys.platform == "linux":
        return Child(_spawned(argv, environment, numbers))
    return Child(
        subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            cwd=cwd or None,
            start_new_session=True,
            pass_fds=passed,
        )
    )


class _Spawned(Struct):
    """A child by its number alone: nobody else takes its exit status."""

    pid: int
    returncode: int | None = None

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


def _spawned(argv: Sequence[str | bytes], environment: Mapping[str, str], ends: Sequence[int]) -> _Spawned:
    """Start by one call of the C library, which cannot name a folder: two thirds of what `Popen` takes."""
    ways = [
        (os.POSIX_SPAWN_OPEN, place, os.devnull, os.O_RDWR, 0) if end == NOTHING else (os.POSIX_SPAWN_DUP2, end, place)
        for place, end in enumerate(ends)
    ]
    # As Python does for its own children: these two signals end a program again.
    signals = (signal.SIGPIPE, signal.SIGXFSZ)
    return _Spawned(os.posix_spawnp(argv[0], [*argv], environment, file_actions=ways, setsid=True, setsigdef=signals))


async def ended(pid: int, timeout_s: float | None = None) -> None:
    """Return when a process has ended, also when it is no child of ours. Raises `OSError`, of which `TimeoutError`."""
    descriptor = os.pidfd_open(pid)
    try:
        await readable(descriptor, timeout_s)
    finally:
        os.close(descriptor)


async def readable(descriptor: int, timeout_s: float | None = None) -> None:
    """Return when there is something to read. Raises `TimeoutError`."""
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[None] = loop.create_future()
    timer = None if timeout_s is None else loop.call_later(timeout_s, _give_up, heard)
    loop.add_reader(descriptor, _hear, heard)
    try:
        await heard
    finally:
        loop.remove_reader(descriptor)
        if timer is not None:
            timer.cancel()


async def pieces(descriptor: int) -> AsyncIterator[bytes]:
    """Yield what comes out of a pipe until all who write to it have closed it."""
    os.set_blocking(descriptor, False)
    while True:
        await readable(descriptor)
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            return
        yield chunk


def _hear(heard: "asyncio.Future[None]") -> None:
    if not heard.done():
        heard.set_result(None)


def _give_up(heard: "asyncio.Future[None]") -> None:
    if not heard.done():
        heard.set_exception(TimeoutError())


Rest = TypeVarTuple("Rest")
_ALREADY_READ = 255
"""What Python, too, tells of a program whose exit status somebody else has taken."""


def watch_without_threads() -> None:
    """Have every loop of this process watch its programs so, where the system can."""
    if sys.version_info >= (3, 12) or not hasattr(os, "pidfd_open"):
        return
    with contextlib.suppress(OSError):  # an old kernel, or a sandbox that forbids it
        os.close(os.pidfd_open(os.getpid()))
        asyncio.set_child_watcher(_Watcher())


class _Watcher(asyncio.AbstractChildWatcher):
    """Keeps nothing: what is waited for is known to the loop that waits."""

    def __enter__(self) -> "_Watcher":
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to leave."""

    def is_active(self) -> bool:
        return True

    def close(self) -> None:
        """There is nothing to close."""

    def attach_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Each program belongs to the loop that runs when it is started."""

    def add_child_handler(self, pid: int, callback: Callable[[int, int, *Rest], object], *args: *Rest) -> None:
        loop = asyncio.get_running_loop()
        descriptor = os.pidfd_open(pid)

        def ended() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            callback(pid, _exit_code(pid), *args)

        loop.add_reader(descriptor, ended)

    def remove_child_handler(self, pid: int) -> bool:
        return True


def _exit_code(pid: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return _ALREADY_READ
