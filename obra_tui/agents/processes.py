"""Finds and kills what a run leaves behind: by descent, by process group and by the mark in the environment.

A process is named by its id *and* its creation time, so that a stranger who got the id later is never hit. It knows
nothing of Claude Code.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from obra_tui.system.process_env import can_be_seen, carriers


def identity(pid: int) -> str:
    """Return a name for a process that no later process can have; empty when there is none."""
    try:
        return f"{pid}-{_birth(pid)}"
    except (psutil.Error, OSError, ValueError, IndexError):
        return ""


def _birth(pid: int) -> str:
    """Return when a process began, in clock ticks since boot where that is known: wall time can be set back."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        return stat.read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    return f"{psutil.Process(pid).create_time():.2f}"


def alive(name: str) -> bool:
    """Whether the process that `identity` named still runs."""
    pid = name.partition("-")[0]
    return bool(name) and pid.isdigit() and identity(int(pid)) == name


def family(pid: int) -> list[psutil.Process]:
    """Return a process and everything that descends from it, while the links are still there."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def marked(name: str, value: str | None = None) -> list[tuple[psutil.Process, dict[str, str]]]:
    """Return processes with variable `name` (and `value`) in their environment, with that environment."""
    environments = ((process, _environment(process)) for process in _candidates(name, value or ""))
    return [(process, env) for process, env in environments if name in env and value in (None, env[name])]


def _candidates(name: str, beginning: str) -> Iterator[psutil.Process]:
    if not can_be_seen():
        yield from psutil.process_iter()
        return
    for pid in carriers(name, beginning):
        with suppress(psutil.Error):
            yield psutil.Process(pid)


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except (psutil.Error, OSError):
        return {}


def kill(processes: Iterable[psutil.Process], wait_s: float = 0.5) -> list[int]:
    """Kill processes at once; returns the ids of those that were still there."""
    killed = [process for process in processes if _kill(process)]
    end = time.monotonic() + wait_s
    while any(map(_runs, killed)) and time.monotonic() < end:
        time.sleep(0.005)
    return [process.pid for process in killed]


def _runs(process: psutil.Process) -> bool:
    """Whether a process still runs. It is not waited for: taking its exit code is its parent's business."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _kill(process: psutil.Process) -> bool:
    """Kill one process unless it has ended; psutil itself refuses when the id has passed to another."""
    try:
        if not _runs(process):
            return False
        process.kill()
    except psutil.Error:
        return False
    return True
