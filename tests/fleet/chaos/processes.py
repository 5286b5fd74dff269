"""What is killed: a coordinator and workers, all as the programs have it but for agents, checks and the judge."""

import os
import queue
import time
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from obra_tui.bootstrap.engine import EngineHandle
from obra_tui.bootstrap.fleet import WorkerRequest, WorkerTools, run_worker
from obra_tui.bootstrap.run_request import RunRequest
from obra_tui.config.load import load
from obra_tui.core import commands as do
from obra_tui.core.errors import ObraError, StoreAway
from tests.chaos.agent import ScriptedAgent
from tests.chaos.program import ME, _open, scripted
from tests.fakes.checks import FakeCheckRunner
from tests.fakes.judge import FakeJudge
from tests.fleet.chaos.bugs import BUGS

LEASE_S = 2.0
_TASKS = 6
_PATIENCE_S = 1200.0
_AGENT = """
(setsid sleep 600 >/dev/null 2>&1 &)
echo "line 1 of $1"; printf '%s\\n' "$1" > "work-$1.txt"; echo "line 2 of $1"
sleep 0.4; for i in 3 4 5 6 7 8; do echo "line $i of $1"; sleep 0.1; done
"""


class Agent(ScriptedAgent):
    """Writes early, talks late: so that there is something to lose at any instant."""

    def __init__(self, tmp_dir: Path, seconds: float) -> None:
        super().__init__(tmp_dir)
        self._script = _AGENT.replace("sleep 0.4", f"sleep {seconds - 0.6:.1f}")


class Tools(WorkerTools):
    def __init__(self, settings, models, *, seconds) -> None:
        super().__init__(settings, models)
        self.implementer = Agent(models.claude.tmp_dir, seconds)
        self.judge = FakeJudge()

    def project(self, project, setup):
        return replace(super().project(project, setup), checks=FakeCheckRunner())


def settings_of(root: Path, name: str, url: str):
    own = {
        "data_dir": str(root / name),
        "database.url": url,
        "gate.policy": "autonomous",
        "fleet.lease_s": LEASE_S,
        "fleet.checkpoint_s": 0.5,
        "fleet.enabled": name == "data",
    }
    return load(root / "repo", own)


def work(root: Path, name: str, url: str, *, bug: str = "", places: int = 2, seconds: float = 1.0) -> None:
    """Be a worker whose agents take so many seconds."""
    if bug:
        BUGS[bug]()
    request = WorkerRequest(name=name, places=places)
    run_worker(settings_of(root, name, url), request, partial(print, flush=True), partial(Tools, seconds=seconds))


def coordinate(root: Path, url: str, *, bug: str = "", tasks: int = _TASKS) -> None:
    """Be the coordinator: finish what is open, then one session after the other until the file `enough` is there."""
    if bug:
        BUGS[bug]()
    request = RunRequest(project=root / "repo", jobs=max(_TASKS, 8))
    handle = EngineHandle(settings_of(root, "data", url), request, adapters=partial(scripted, but_claude=True))
    handle.start()
    told = os.open(root / "told.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    heard = queue.SimpleQueue()

    def listen(records):
        lines = "".join(f"{record.session} {record.seq} {record.event.type}\n" for record in records)
        os.write(told, lines.encode())
        heard.put(records)

    handle.engine.subscribe(listen)
    try:
        while True:
            for session in _open_sessions(handle):
                _finish(handle, session, heard)
            if (root / "enough").exists():
                return
            _open(handle, tasks)
            if (root / "enough-after-one").exists():
                (root / "enough").touch()
    finally:
        handle.stop()


def _finish(handle, session, heard):
    """Run one session until it is closed, resuming whatever was interrupted."""
    deadline = time.monotonic() + _PATIENCE_S
    _patiently(handle, do.Resume(session=session, by=ME))
    _patiently(handle, do.StartRun(session=session, close_when_done=True))
    while session in _open_sessions(handle):
        if time.monotonic() > deadline:
            raise TimeoutError(f"session {session} does not come to its end")
        try:
            records = heard.get(timeout=1)
        except queue.Empty:
            continue
        if any(record.event.type == "run_finished" and record.event.interrupted for record in records):
            _patiently(handle, do.Resume(session=session, by=ME))


def _open_sessions(handle):
    while True:
        try:
            return [session for session, _ in handle.parts.history.open_sessions()]
        except StoreAway:
            time.sleep(0.5)


def _patiently(handle, command):
    """The database may be away just now."""
    for _ in range(60):
        try:
            return handle.engine.submit(command).result()
        except ObraError:
            time.sleep(0.5)
    return handle.engine.submit(command).result()
