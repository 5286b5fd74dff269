"""Starts a fleet of processes, harms them at random, lets them finish, and asks the checker."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.chaos.campaign import new_place
from tests.fleet.chaos.checker import broken
from tests.fleet.chaos.processes import LEASE_S
from tests.fleet.rig import Cable

ROOT = Path(__file__).resolve().parents[3]
_WORKERS = ("w1", "w2", "w3", "w4")
_END_S = 900.0
_BEGIN_S = 300.0
KINDS = {"kill": 40, "freeze": 30, "cut": 20, "kill coordinator": 7, "stop database": 3}


@dataclass
class Tally:
    done: Counter = field(default_factory=Counter)
    faults: list = field(default_factory=list)
    handed_on_s: list = field(default_factory=list)
    """From a kill until somebody else had each job of the dead one."""


class Cables:
    """The ways to the server, on a loop in a thread."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.of = {name: Cable(folder) for name in _WORKERS}
        for cable in self.of.values():
            asyncio.run_coroutine_threadsafe(cable.open(), self._loop).result()

    def cut(self, name):
        self._loop.call_soon_threadsafe(self.of[name].cut)

    def mend(self, name):
        self._loop.call_soon_threadsafe(self.of[name].mend)


class Fleet:
    def __init__(self, root: Path, server, options=()) -> None:
        self.place = new_place(root / "place")
        self.server = server
        self.url = server.empty_database()
        self.address = self.url.replace("postgresql+psycopg", "postgresql")
        self.cables = Cables(server.folder)
        self.options = tuple(options)
        self._log = (root / "log").open("ab")
        self.processes = {}
        self.stopped = {}

    def start(self, name):
        cable = self.cables.of.get(name)
        url = self.url if cable is None else self.url.replace(str(self.server.folder), str(cable.folder))
        words = [sys.executable, "-m", "tests.fleet.chaos", "--be", name, "--root", str(self.place.root), "--url", url]
        environment = {**os.environ, "HOME": str(self.place.root), "IS_SANDBOX": "1"}
        self.processes[name] = subprocess.Popen(
            [*words, *self.options],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip

    def kill(self, name):
        """Kill a process and start it again, as a supervisor would."""
        self.processes[name].kill()
        self.processes[name].wait()
        at = self.now()
        self.start(name)
        return at

    def now(self):
        with psycopg.connect(self.address) as connection:
            return connection.execute("SELECT clock_timestamp()").fetchone()[0]

    def held_by(self, name):
        with psycopg.connect(self.address) as connection:
            return [job for (job,) in connection.execute(
                "SELECT id FROM fleet_job WHERE state = 'running' AND worker = %s AND kind = 'implement'", (name,)
            )]  # fmt: skip

    def is_working(self):
        try:
            with psycopg.connect(self.address) as connection:
                return bool(connection.execute("SELECT 1 FROM fleet_event LIMIT 1").fetchall())
        except psycopg.Error:
            return False

    def end(self):
        """Kill what is left, however the campaign came to its end."""
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def harm(root, server, faults, seed, bug="", say=lambda line: None):
    """Run one campaign; returns its tally."""
    chance, tally = random.Random(seed), Tally()
    fleet = Fleet(root, server, ("--bug", bug) if bug else ())
    try:
        for name in ("data", *_WORKERS):
            fleet.start(name)
        _wait(fleet.is_working, "nobody begins to work")
        kinds = {"freeze": 1} if bug else KINDS
        for number in range(faults):
            time.sleep(chance.uniform(0.3, 1.5))
            _one(fleet, chance, tally, chance.choices(list(kinds), list(kinds.values()))[0])
            if number % 10 == 9:
                say(f"{number + 1} faults: {dict(tally.done)}")
        _finish(fleet, tally)
        tally.faults += broken(fleet.place, fleet.address)
        tally.address = fleet.address
    finally:
        fleet.end()
    return tally


def _one(fleet, chance, tally, kind):
    name = chance.choice(_WORKERS)
    tally.done[kind] += 1
    match kind:
        case "kill":
            held = fleet.held_by(name)
            tally.handed_on_s.append((fleet.kill(name), held))
        case "kill coordinator":
            fleet.kill("data")
        case "freeze":
            process = fleet.processes[name]
            process.send_signal(signal.SIGSTOP)
            time.sleep(chance.uniform(0.5, 2.0) * LEASE_S)
            process.send_signal(signal.SIGCONT)
        case "cut":
            fleet.cables.cut(name)
            time.sleep(chance.uniform(0.3, 2.0) * LEASE_S)
            fleet.cables.mend(name)
        case "stop database":
            fleet.server.stop()
            time.sleep(chance.uniform(0.1, 1.5) * LEASE_S)
            fleet.server.start()


def _finish(fleet, tally):
    """Let the coordinator finish what is open, then the workers leave."""
    (fleet.place.root / "enough").touch()
    coordinator = fleet.processes["data"]
    deadline = time.monotonic() + _END_S
    while coordinator.poll() is None and time.monotonic() < deadline:
        for name in _WORKERS:
            if (code := fleet.processes[name].poll()) is not None:
                tally.faults.append(f"worker {name} ended by itself with exit {code}")
                fleet.start(name)
        time.sleep(0.2)
    if coordinator.poll() != 0:
        tally.faults.append(f"the coordinator did not finish: exit {coordinator.poll()}")
    for name in _WORKERS:
        fleet.processes[name].terminate()
    for name in _WORKERS:
        try:
            fleet.processes[name].wait(30)
        except subprocess.TimeoutExpired:
            tally.faults.append(f"worker {name} does not leave")


def _wait(holds, what):
    deadline = time.monotonic() + _BEGIN_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def handed_on(tally):
    """Return how long each job of a killed worker was nobody's, in seconds."""
    found = []
    with psycopg.connect(tally.address) as connection:
        for at, jobs in tally.handed_on_s:
            for job in jobs:
                (claimed,) = connection.execute(
                    "SELECT min(at) FROM fleet_epoch WHERE job = %s AND what = 'claimed' AND at > %s", (job, at)
                ).fetchone()
                if claimed is not None:
                    found.append((claimed - at).total_seconds())
    return sorted(found)
