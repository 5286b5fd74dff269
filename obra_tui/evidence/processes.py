"""Ends process trees for good, also those parts that tried to leave.

A child that made a session of its own is found by the mark in its environment.
"""

import asyncio
import contextlib
import os
import signal

import psutil

MARK = "OBRA_ATTEMPT"
"""Environment variable that every process of a run inherits."""

_ROUNDS = 20
_ROUND_S = 0.1


async def kill_tree(pid: int, mark: str) -> None:
    """Kill the process, its group, its descendants and everything that carries the mark."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    await asyncio.to_thread(_sweep, pid, mark)


def _sweep(pid: int, mark: str) -> None:
    for _ in range(_ROUNDS):
        victims = [*_descendants(pid), *_marked(mark)]
        if not victims:
            return
        for victim in victims:
            with contextlib.suppress(psutil.Error):
                victim.kill()
        psutil.wait_procs(victims, timeout=_ROUND_S)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        found = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
    return [process for process in found if _lives(process)]


def _marked(mark: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _carries(process, mark) and _lives(process)]


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        return bool(process.environ().get(MARK) == mark)
    except (psutil.Error, OSError):
        return False


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
