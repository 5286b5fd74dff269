"""Finds processes by a variable in their environment, which whatever they start inherits, wherever it goes.

Every process of the machine is looked at, several times in each attempt: so only the bytes are searched, and nothing is
made of a process that is not meant.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_BEGINNING_S = 0.01
"""For how long a process may be about to begin; one that emptied its environment is waited for as long."""


def can_be_seen(proc: Path = _PROC) -> bool:
    """Whether this system shows environments as files."""
    return (proc / "self" / "environ").exists()


def carriers(name: str, beginning: str = "", proc: Path = _PROC) -> Iterator[int]:
    """Yield the ids of processes whose variable `name` begins so; those of others, which are closed to us, are not."""
    wanted = os.fsencode(f"\0{name}={beginning}")
    beginners = []
    for entry in os.listdir(proc):  # noqa: PTH208  # a hundred paths less each time
        if not entry.isdecimal():
            continue
        environment = _environment(f"{proc}/{entry}/environ")
        if environment and wanted in b"\0" + environment:
            yield int(entry)
        elif environment == b"" and _runs_a_program(f"{proc}/{entry}/exe"):
            beginners.append(entry)
    for entry in beginners:
        if wanted in b"\0" + _environment_soon(f"{proc}/{entry}/environ"):
            yield int(entry)


def _environment_soon(path: str) -> bytes:
    """A process that has just begun a program shows no environment for a moment, also not that which it inherited."""
    until = time.monotonic() + _BEGINNING_S
    while not (environment := _environment(path)) and environment is not None and time.monotonic() < until:
        time.sleep(_BEGINNING_S / 10)
    return environment or b""


def _environment(path: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # as above
            return file.read()
    except OSError:  # it has ended, or belongs to somebody else
        return None


def _runs_a_program(path: str) -> bool:
    """Threads of the kernel do not."""
    try:
        return bool(os.readlink(path))  # noqa: PTH115  # as above
    except OSError:
        return False
