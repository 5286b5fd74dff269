"""Ends process trees for good, also those parts that tried to leave.

A child that made a session of its own is found by the mark in its environment.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import psutil

from obra_tui.system.process_env import can_be_seen, carriers

MARK = "OBRA_ATTEMPT"
"""Environment variable that every process of a run inherits."""

_ROUNDS = 100
_ROUND_S = 0.02


async def kill_tree(pid: int, mark: str) -> None:
    """Kill the process, its group, its descendants and everything that carries the mark."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    await asyncio.to_thread(_sweep, pid, mark)


async def kill_left_over(prefix: str) -> None:
    """Kill what an Obra that died has left: processes whose mark begins so."""
    await asyncio.to_thread(_kill_until_none, lambda: _marked(prefix))


def _sweep(pid: int, mark: str) -> None:
    _kill_until_none(lambda: [*_descendants(pid), *_marked(mark)])


def _kill_until_none(find: Callable[[], list[psutil.Process]]) -> None:
    """Kill and look again, because what is being killed may start others."""
    for _ in range(_ROUNDS):
        victims = find()
        if not victims:
            return
        for victim in victims:
            with contextlib.suppress(psutil.Error):
                victim.kill()
        time.sleep(_ROUND_S)  # not psutil's wait: it would take the exit status from whoever started the process


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        found = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
    return [process for process in found if _lives(process)]


def _marked(beginning: str) -> list[psutil.Process]:
    return [process for process in _carriers(beginning) if _lives(process)]


def _carriers(beginning: str) -> Iterator[psutil.Process]:
    if not can_be_seen():
        yield from (process for process in psutil.process_iter() if _mark_of(process).startswith(beginning))
        return
    for pid in carriers(MARK, beginning):
        with contextlib.suppress(psutil.Error):
            yield psutil.Process(pid)


def _mark_of(process: psutil.Process) -> str:
    try:
        return str(process.environ().get(MARK, ""))
    except (psutil.Error, OSError):
        return ""


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
