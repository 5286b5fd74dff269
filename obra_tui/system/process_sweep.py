"""Finds and kills what a run leaves behind: by descent, by process group and by a mark in the environment.

A child that made a session of its own is found by the mark, which it inherits. A process is named by its id *and* its
creation time, so that another process that got the id later is never hit. Knows nothing of what the processes are for.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from obra_tui.system.process_env import ATTEMPT_MARK, environments_are_files, find_by_env

_ROUNDS = 100
_ROUND_S = 0.02


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
    environments = ((process, _environment(process)) for process in _carriers(name, value or ""))
    return [(process, env) for process, env in environments if name in env and value in (None, env[name])]


def kill(processes: Iterable[psutil.Process], wait_s: float = 0.5) -> list[int]:
    """Kill processes at once; returns the ids of those that were still there."""
    killed = [process for process in processes if _kill(process)]
    end = time.monotonic() + wait_s
    while any(map(_runs, killed)) and time.monotonic() < end:
        time.sleep(0.005)
    return [process.pid for process in killed]


async def kill_tree(pid: int, mark: str) -> None:
    """Kill the process, its group, its descendants and everything whose attempt mark begins with `mark`."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    await asyncio.to_thread(_kill_until_none, lambda: [*family(pid)[1:], *_carriers(ATTEMPT_MARK, mark)])


async def kill_left_over(prefix: str) -> None:
    """Kill what an Obra that died has left: processes whose attempt mark begins with `prefix`."""
    await asyncio.to_thread(_kill_until_none, lambda: [*_carriers(ATTEMPT_MARK, prefix)])


def _kill_until_none(find: Callable[[], list[psutil.Process]]) -> None:
    """Kill and look again, because what is being killed may start others."""
    for _ in range(_ROUNDS):
        victims = [process for process in find() if _runs(process)]
        if not victims:
            return
        for victim in victims:
            _kill(victim)
        time.sleep(_ROUND_S)  # not psutil's wait: it would take the exit status from the parent


def _carriers(name: str, beginning: str) -> Iterator[psutil.Process]:
    """Yield processes whose variable `name` begins so."""
    if not environments_are_files():
        for process in psutil.process_iter():
            if _environment(process).get(name, "\0").startswith(beginning):
                yield process
        return
    for pid in find_by_env(name, beginning):
        with suppress(psutil.Error):
            yield psutil.Process(pid)


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except (psutil.Error, OSError):
        return {}


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
