"""Finds processes by a variable in their environment, which every process they start inherits, wherever it goes.

All processes of the machine are looked at, several times in each attempt: only the bytes are searched, and no object is
made of a process that does not match.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

ATTEMPT_MARK = "OBRA_ATTEMPT"
"""Environment variable that every process of a run inherits: Claude Code's, the checks' and those of the set-up."""

_PROC = Path("/proc")
_BEGINNING_S = 0.01
"""For how long a process may be about to begin; one that emptied its environment is waited for as long."""


def environments_are_files(proc: Path = _PROC) -> bool:
    """Whether this system shows the environments of processes as files."""
    return (proc / "self" / "environ").exists()


def find_by_env(name: str, beginning: str = "", proc: Path = _PROC) -> Iterator[int]:
    """Yield the ids of processes whose variable `name` begins so; processes of other users cannot be read."""
    wanted = os.fsencode(f"\0{name}={beginning}")
    starting = []
    for entry in os.listdir(proc):  # noqa: PTH208  # a hundred paths less each time
        if not entry.isdecimal():
            continue
        environment = _environment(f"{proc}/{entry}/environ")
        if environment and wanted in b"\0" + environment:
            yield int(entry)
        elif environment == b"" and _runs_a_program(f"{proc}/{entry}/exe"):
            starting.append(entry)
    for entry in starting:
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
    except OSError:  # it has ended, or belongs to another user
        return None


def _runs_a_program(path: str) -> bool:
    """Threads of the kernel do not."""
    try:
        return bool(os.readlink(path))  # noqa: PTH115  # as above
    except OSError:
        return False
