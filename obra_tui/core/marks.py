"""Finds processes by a variable in their environment, which whatever they start inherits, wherever it goes.

Every process of the machine is looked at, several times in each attempt: so only the bytes are searched, and nothing is
made of a process that is not meant.
"""

import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def can_be_seen(proc: Path = _PROC) -> bool:
    """Whether this system shows environments as files."""
    return (proc / "self" / "environ").exists()


def carriers(name: str, beginning: str = "", proc: Path = _PROC) -> Iterator[int]:
    """Yield the ids of processes whose variable `name` begins so; those of others, which are closed to us, are not."""
    wanted = os.fsencode(f"\0{name}={beginning}")
    for entry in os.listdir(proc):  # noqa: PTH208  # a hundred paths less each time
        if entry.isdecimal() and wanted in b"\0" + _environment(f"{proc}/{entry}/environ"):
            yield int(entry)


def _environment(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # as above
            return file.read()
    except OSError:  # it has ended, or belongs to somebody else
        return b""
