"""Starts Obra, kills it, starts it again; and asks the checker in between."""

import os
import random
import select
import signal
import statistics
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field

from obra_tui.system import crashpoint
from tests.chaos import program
from tests.chaos.agent import ScriptedAgent
from tests.chaos.bugs import BUGS
from tests.chaos.checker import broken

_UP_LIMIT_S = 30.0
_END_LIMIT_S = 120.0


@dataclass
class Tally:
    kills: int = 0
    before_up: int = 0
    seconds_to_up: list = field(default_factory=list)
    faults: list = field(default_factory=list)


class Child:
    """A forked Obra. Everything it imports is there already, so that it is up in milliseconds."""

    def __init__(self, place, *, crash_at="", bug="", endless=False, policy="autonomous", sessions=0, tasks=1):
        self.began = time.monotonic()
        self._up, told = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            ScriptedAgent.endless = endless
            self._be(place, told, crash_at, bug, policy=policy, sessions=sessions, tasks=tasks)
        os.close(told)

    def _be(self, place, told, crash_at, bug, **how):
        code = 1
        try:
            crashpoint.arm(crash_at)
            if bug:
                BUGS[bug]()
            program.work(place, tell=lambda word: os.write(told, word), **how)
            code = 0
        except BaseException:  # noqa: BLE001 - the edge of the process
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def wait_until_up(self):
        """Return the seconds it took, None if it died before."""
        select.select([self._up], [], [], _UP_LIMIT_S)
        return time.monotonic() - self.began if os.read(self._up, 1) else None

    def wait_until_at_work(self):
        """Return when an attempt was begun, or nothing was heard for long."""
        select.select([self._up], [], [], _UP_LIMIT_S)
        os.read(self._up, 1)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def end(self):
        """Wait for its end; return its exit code, or minus the signal."""
        deadline = time.monotonic() + _END_LIMIT_S
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self._up)
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                self.kill()
                deadline += 5
            time.sleep(0.005)


def new_place(root, real=()):
    """Make a repository to work on."""
    place = program.Place(root, tuple(real))
    place.repo.mkdir(parents=True)
    (place.repo / "README.md").write_text("# chaos\n")
    plain = ["git", "-C", str(place.repo), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "start"]):
        subprocess.run([*plain, *words], check=True)
    return place


def finish(place, tally, bug=""):
    """Let Obra finish what is open; then every promise must hold."""
    child = Child(place, bug=bug)
    took = child.wait_until_up()
    if took is not None:
        tally.seconds_to_up.append(took)
    code = child.end()
    if code != 0:
        tally.faults.append(f"it could not finish what was open: exit {code}")
    tally.faults += broken(place, finished=True)


def kill_at_random(place, kills, seed, bug="", *, stop_at_first=False, say=lambda line: None):
    """Kill at random instants: a fifth in the start, which is where recovery is, half soon after an attempt began."""
    chance, tally = random.Random(seed), Tally()
    while tally.kills < kills:
        policy = chance.choice(("autonomous", "supervised"))
        child = Child(place, bug=bug, policy=policy, sessions=1000, tasks=chance.randint(1, 3))
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0.0, 0.25))
            tally.before_up += 1
        else:
            took = child.wait_until_up()
            if took is None:
                tally.faults.append(f"it did not start: exit {child.end()}")
                break
            tally.seconds_to_up.append(took)
            if chance.random() < 0.6:
                child.wait_until_at_work()
            # The real program takes its time: a kill should find it at any point of its work.
            time.sleep(chance.uniform(0.0, 5.0 if place.real else 0.8))
        child.kill()
        code = child.end()
        if code != -signal.SIGKILL:
            tally.faults.append(f"it ended by itself: exit {code}")
        tally.kills += 1
        if (place.data / "obra.db").exists():
            tally.faults += broken(place, finished=False)
        if tally.kills % 20 == 0:
            say(summary(tally))
        if tally.faults and stop_at_first:
            return tally
    finish(place, tally, bug)
    return tally


def kill_at(place, point, bug="", *, in_recovery="", policy="supervised", endless=False):
    """Kill at one named place, perhaps once more in the recovery, and let it finish. Returns (tally, was reached).

    With `endless`, the agent is at work when Obra dies.
    """
    tally = Tally()
    child = Child(place, crash_at=point, bug=bug, endless=endless, policy=policy, sessions=1, tasks=1)
    reached = child.end() == -signal.SIGKILL
    tally.kills += reached
    if (place.data / "obra.db").exists():
        tally.faults += broken(place, finished=False)
    if in_recovery:
        again = Child(place, crash_at=in_recovery, bug=bug)
        reached = again.end() == -signal.SIGKILL and reached
        tally.kills += 1
        tally.faults += broken(place, finished=False)
    finish(place, tally, bug)
    return tally, reached


def summary(tally):
    slow = max(tally.seconds_to_up, default=0.0)
    middle = statistics.median(tally.seconds_to_up) if tally.seconds_to_up else 0.0
    return (
        f"{tally.kills} kills ({tally.before_up} while starting), {len(tally.faults)} faults, "
        f"up again in {middle:.2f} s (at most {slow:.2f} s)"
    )
