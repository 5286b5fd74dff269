"""Hears of the end of a program from Linux itself, on the loop that started it.

Python 3.11 starts a thread for each program instead, and an attempt starts some forty; from 3.12 on it does as here.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVarTuple

Rest = TypeVarTuple("Rest")
_ALREADY_READ = 255
"""What Python, too, tells of a program whose exit status somebody else has taken."""


def watch_without_threads() -> None:
    """Have every loop of this process watch its programs so, where the system can."""
    if sys.version_info >= (3, 12) or not hasattr(os, "pidfd_open"):
        return
    with suppress(OSError):  # an old kernel, or a sandbox that forbids it
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
