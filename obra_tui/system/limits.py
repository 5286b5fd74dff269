"""How much a command that others wrote may use of the machine: watched from outside, twice a second.

Without control groups, which an ordinary user may not use everywhere: what the processes of the command hold of memory,
how many they are, and what they wrote, is added up from the kernel's own tables. The first limit that is passed is
named. What a single process can be held to is set before it starts (`prlimit`).
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct

MB = 1_000_000
_LOOK_S = 0.5
_DISK_EVERY = 4
"""Of so many looks one is at the disk, which takes longest."""
_MOST_LOOKED_AT = 50_000
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_LEAST_MEMORY_MB = 2_000


class Limits(Struct, frozen=True, kw_only=True):
    """In megabytes of a million bytes; 0 = no limit."""

    memory_mb: int = 0
    processes: int = 0
    disk_mb: int = 0
    output_mb: int = 0


UNLIMITED = Limits()


def usual_memory_mb(share: float = 0.7) -> int:
    """Return that share of the machine's memory, and never less than a test suite needs."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * _PAGE // MB
    except (ValueError, OSError, AttributeError):
        return 0
    return max(_LEAST_MEMORY_MB, int(whole * share))


@cache
def _prlimit() -> str:
    return shutil.which("prlimit") or ""


def held(limits: Limits) -> tuple[str, ...]:
    """Return what is put before a command so that none of its processes passes what one alone may use."""
    if not _prlimit() or not limits.disk_mb:
        return ()
    return (_prlimit(), f"--fsize={limits.disk_mb * MB}", "--core=0", "--")


async def watch(pid: int, limits: Limits, folders: tuple[Path, ...], printed: Callable[[], int]) -> str:
    """Return which limit the command `pid` passed, as a sentence; never returns while it keeps to all of them.

    `folders` are where it can write, `printed` says how many bytes it has printed.
    """
    looks = 0
    while True:
        await asyncio.sleep(_LOOK_S)
        looks += 1
        if limits.output_mb and printed() > limits.output_mb * MB:
            return f"It printed more than {limits.output_mb:,} MB."
        if said := await asyncio.to_thread(passed, pid, limits, folders if looks % _DISK_EVERY == 0 else ()):
            return said


def passed(pid: int, limits: Limits, folders: tuple[Path, ...]) -> str:
    """Return which limit is passed at this moment; an empty text if none is."""
    memory = 0
    for count, one in enumerate(family(pid), 1):
        memory += _own_memory(one)
        if limits.processes and count > limits.processes:
            return f"It started more than {limits.processes:,} processes."
    if limits.memory_mb and memory > limits.memory_mb * MB:
        return f"It used more than {limits.memory_mb:,} MB of memory."
    if limits.disk_mb and folders and written_in(folders) > limits.disk_mb * MB:
        return f"It wrote more than {limits.disk_mb:,} MB to the disk."
    return ""


def family(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it, as far as the kernel tells."""
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        yield one
        try:
            threads = os.listdir(f"/proc/{one}/task")  # noqa: PTH208
        except OSError:
            continue
        for thread in threads:
            try:
                with open(f"/proc/{one}/task/{thread}/children", "rb") as file:  # noqa: PTH123
                    waiting.extend(map(int, file.read().split()))
            except (OSError, ValueError):
                continue


def _own_memory(pid: int) -> int:
    """Return what the process holds and does not share with files."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123
            fields = file.read().split()
        return (int(fields[1]) - int(fields[2])) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0


def written_in(folders: tuple[Path, ...]) -> int:
    """Return how many bytes lie in the folders, up to a number of files; links are not followed."""
    total = seen = 0
    waiting = [str(folder) for folder in folders]
    while waiting and seen < _MOST_LOOKED_AT:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    seen += 1
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            total += entry.stat(follow_symlinks=False).st_blocks * 512
                    except OSError:
                        continue
        except OSError:
            continue
    return total
