# ruff: noqa: T201 - its output is what the tests read
"""`python -m tests.faults.disk_campaign`: the disk is full, or fails, at random points; is anything lost?

At each point a run meets a disk that refuses its N-th write and those after it.
A full disk gets space again while Obra waits: the run must come to its end
without hands. A failing one works again only after Obra has ended: the next
start must finish what is open. The checker of the kill campaign looks each time.
"""

import argparse
import os
import queue
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from obra_tui.bootstrap.engine import EngineHandle
from obra_tui.bootstrap.run_request import RunRequest
from obra_tui.config.load import load
from obra_tui.core import commands as do
from obra_tui.core.errors import ObraError
from obra_tui.core.events import ProblemRaised, RunFinished, SessionClosed
from obra_tui.core.model import SessionKind
from obra_tui.engine import outage
from tests.chaos import program
from tests.chaos.campaign import Tally, finish, new_place
from tests.chaos.checker import broken, census
from tests.faults.failing_disk import FAILING, FULL, Disk, surroundings

_END_LIMIT_S = 90.0
STOPPED, ENDED, REFUSED = b"s", b"e", b"r"


def run_once(place, said):
    """One session of two tasks; tells `said` when it stands still, when it has ended, and when it could not begin."""
    outage.LOOK_EVERY_S = 0.05
    settings = load(place.repo, {"data_dir": str(place.data), "gate.policy": "autonomous"})
    handle = EngineHandle(settings, RunRequest(project=place.repo, attended=True), adapters=program.scripted)
    try:
        _work(handle, place, said)
    except ObraError as error:
        print(f"  refused: {error}", file=sys.stderr)
        os.write(said, REFUSED)
    finally:
        handle.stop()


def _work(handle, place, said):
    handle.start()
    told = os.open(place.told, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    heard = queue.SimpleQueue()

    def listen(records):
        os.write(told, "".join(f"{r.session} {r.seq} {r.event.type}\n" for r in records).encode())
        heard.put([record.event for record in records])

    handle.engine.subscribe(listen)
    handle.engine.watch_store(lambda error: heard.put([error]) if error else None)
    session = handle.engine.submit(do.OpenSession(kind=SessionKind.STANDALONE, title="Disk")).result()
    handle.engine.submit(do.AddTasks(session=session, tasks=program.tasks_of(2))).result()
    handle.engine.submit(do.StartRun(session=session, close_when_done=True)).result()
    while True:
        for event in heard.get(timeout=_END_LIMIT_S):
            if isinstance(event, ObraError) or (isinstance(event, ProblemRaised) and event.code == "disk"):
                os.write(said, STOPPED)
            if isinstance(event, SessionClosed) or (isinstance(event, RunFinished) and event.interrupted):
                os.write(said, ENDED)
                return


class Run:
    """`run_once` in a forked process, and what it says."""

    def __init__(self, place):
        self._said, said = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                run_once(place, said)
                code = 0
            except BaseException:  # noqa: BLE001 - the edge of the process
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        os.close(said)

    def word(self):
        """The next thing it says; nothing when it has ended."""
        return os.read(self._said, 1)

    def end(self, kill=False):
        if kill:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self._said)
        return os.waitstatus_to_exitcode(status)


def writes_of_a_run(place, disk):
    disk.heal()
    before = disk.count
    run = Run(place)
    assert run.word() == ENDED
    run.end()
    return disk.count - before


def full_at(place, disk, point, *, reserve):
    """Return (faults, whether it was met): full from this write on, space again as soon as Obra stands still."""
    disk.fail(FULL, point, reserve=reserve)
    run, faults = Run(place), []
    while (word := run.word()) == STOPPED:
        disk.heal()
    disk.heal()
    met, code = disk.failed > 0, run.end()
    if code != 0:
        faults.append(f"it ended with {code}")
    if word == ENDED:
        faults += [f"without hands: {fault}" for fault in broken(place, finished=True)]
    return faults, met


def failing_at(place, disk, point, *, until):
    """Return (faults, whether it was met): writes fail until the end of Obra, or `until` that many have failed."""
    disk.fail(FAILING, point, until=until)
    run, faults = Run(place), []
    word = run.word()
    if word == STOPPED:
        run.end(kill=True)
    elif (code := run.end()) != 0:
        faults.append(f"it ended with {code}")
    disk.heal()
    if (place.data / "obra.db").exists():
        faults += broken(place, finished=False)
    return faults, disk.failed > 0


def campaign(root, number, points, seed):
    """Return all faults of `points` points."""
    place, chance, faults, met = new_place(root / "place"), random.Random(seed), [], 0
    disk = Disk(Path(os.environ["FAILING_DISK_STATE"]).parent)
    most = writes_of_a_run(place, disk)
    print(f"{most} writes in a run", flush=True)
    for done in range(1, points + 1):
        point = chance.randint(1, most)
        if number == FULL:
            found, was_met = full_at(place, disk, point, reserve=chance.random() < 0.6)
        else:
            found, was_met = failing_at(place, disk, point, until=chance.choice((0, point, point + 5)))
        tally = Tally()
        finish(place, tally)
        met += was_met
        faults += [f"write {point}: {fault}" for fault in found + tally.faults]
        if done % 20 == 0:
            print(f"{done} points, {met} met, {len(faults)} faults", flush=True)
    print(", ".join(f"{count:,} {what}" for what, count in census(place).items()))
    return faults, met


def main():
    parser = argparse.ArgumentParser(prog="tests.faults.disk_campaign")
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=("full", "failing"), default="full")
    options = parser.parse_args()
    if "FAILING_DISK_STATE" not in os.environ:
        with tempfile.TemporaryDirectory(prefix="obra-disk-") as root:
            again = [sys.executable, "-m", "tests.faults.disk_campaign", *sys.argv[1:]]
            env = surroundings(Path(root), Path(root) / "place" / "data")
            return os.spawnve(os.P_WAIT, sys.executable, again, env)
    began = time.monotonic()
    root = Path(os.environ["FAILING_DISK_STATE"]).parent
    number = FULL if options.kind == "full" else FAILING
    faults, met = campaign(root, number, options.points, options.seed)
    for fault in faults[:40]:
        print(f"FAULT {fault}")
    print(
        f"{options.kind}: {options.points} points ({met} met), {len(faults)} faults, {time.monotonic() - began:.0f} s"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
