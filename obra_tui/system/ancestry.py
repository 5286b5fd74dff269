"""Was this process started by one that Obra started for Claude Code or for a check?

The mark in the environment can be taken off by whoever starts a process; that of the processes above it cannot, as long
as they are there. Where nothing can be told, the answer is no: confinement is what keeps such a process from the data.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from obra_tui.system.process_env import ATTEMPT_MARK

_MOST = 64


def is_started_by_obra(environment: Mapping[str, str] | None = None, proc: Path = Path("/proc"), pid: int = 0) -> bool:
    """Tell whether this process, or one above it, carries the mark of an attempt."""
    if (os.environ if environment is None else environment).get(ATTEMPT_MARK):
        return True
    one = pid or os.getppid()
    for _ in range(_MOST):
        if one <= 1:
            return False
        if _is_marked(proc / str(one)):
            return True
        one = _parent(proc / str(one))
    return False


def _is_marked(folder: Path) -> bool:
    try:
        entries = (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(entry.startswith(f"{ATTEMPT_MARK}=".encode()) for entry in entries)


def _parent(folder: Path) -> int:
    try:
        return int((folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
