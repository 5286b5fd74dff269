# ruff: noqa: T201 - its output is what the test reads
"""Runs in a mount namespace of its own on a small disk, fills it in the middle of a run, and frees it: nothing else."""

import queue
import sys
from pathlib import Path

from obra_tui.bootstrap.engine import EngineHandle
from obra_tui.bootstrap.run_request import RunRequest
from obra_tui.config.load import load
from obra_tui.core import commands as do
from obra_tui.core.events import ProblemRaised, RunFinished, TaskMoved
from obra_tui.core.lifecycle import State
from tests.chaos import agent, program
from tests.chaos.campaign import new_place
from tests.chaos.checker import broken

_TALKATIVE = """
if [ ! -e filled ]; then head -c 12000000 /dev/zero | tr '\\0' x | fold -w 20000; fi
printf '%s\\n' "$1" > "work-$1.txt"
"""


def until(heard, wanted):
    while True:
        for record in heard.get(timeout=60):
            if wanted(record.event):
                return record.event


def main(root):
    place = new_place(root / "place")
    agent._SCRIPT = _TALKATIVE
    settings = load(place.repo, {"data_dir": str(place.data), "gate.policy": "autonomous"})
    handle = EngineHandle(settings, RunRequest(project=place.repo, attended=True), adapters=program.scripted)
    handle.start()
    assert (place.data / "reserve").stat().st_size == 8 * 1024 * 1024
    heard = queue.SimpleQueue()
    handle.engine.subscribe(heard.put)
    session = program._open(handle, 1)
    handle.engine.submit(do.StartRun(session=session, close_when_done=True)).result()
    until(heard, lambda event: isinstance(event, ProblemRaised) and event.code == "disk")
    moved = until(heard, lambda event: isinstance(event, TaskMoved) and event.after is State.INTERRUPTED)
    assert "disk is full" in moved.reason
    assert not (place.data / "reserve").exists()
    print("stopped and recorded", flush=True)
    agent._SCRIPT = _TALKATIVE.replace("! -e filled", "-e nothing")
    (root / "filler").unlink()
    until(heard, lambda event: isinstance(event, RunFinished) and event.accepted == 1)
    assert (place.data / "reserve").stat().st_size == 8 * 1024 * 1024
    handle.stop()
    found = broken(place, finished=True)
    assert found == [], found
    print("went on", flush=True)


main(Path(sys.argv[1]))
