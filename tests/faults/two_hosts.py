# ruff: noqa: T201 - its output is what the tests read
"""`unshare -n python -m tests.faults.two_hosts FOLDER SOCKET DATABASE`: two machines, one database server, a cable cut.

Each machine is a process with a network, a host name and a data directory of its own; a cable of the kernel's joins
its network to that of the server. While an agent of the first is at work, its cable is taken out: nothing arrives any
more and nothing is said about it. The second one begins as soon as it may. What this program says at its end is when
each thing happened, in seconds by the one clock of the machine.

`python -m tests.faults.two_hosts host ...` is one of the machines.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

_LEASE_S = 4.5
_SOON = 60.0
_AGENT = """
tick() { while :; do date +%s.%N >> "$TICKS"; sleep 0.02; done; }
(setsid sh -c 'while :; do date +%s.%N >> "$TICKS"; sleep 0.02; done' >/dev/null 2>&1 &)
echo "line 1 of $1"; tick
"""


# --- one machine -------------------------------------------------------------------------------------


def host(folder, url, *, works):
    """Become the owner as soon as possible; then let an agent work that never ends, if this one works."""
    from obra_tui.core.errors import AlreadyOwned
    from obra_tui.store.journal import SqlJournal
    from tests.chaos import agent, campaign, program

    SqlJournal.__init__.__kwdefaults__["lease_s"] = _LEASE_S
    agent._ENDLESS, agent.ScriptedAgent.endless = _AGENT.replace("$TICKS", str(folder / "ticks")), True
    place = program.Place(folder)
    if not place.repo.exists():
        campaign.new_place(folder)
    while True:
        handle, asked = _handle(place, url), time.time()
        try:
            handle.start()
        except AlreadyOwned:
            _say("refused")
            time.sleep(0.02)
        else:
            break
    _say("owner", since=asked)
    handle.engine.watch_store(lambda error: _say("away" if error else "back", why=str(error)))
    if works:
        _begin_work(handle)
    sys.stdin.read()
    handle.stop()


def _handle(place, url):
    from obra_tui.bootstrap.engine import EngineHandle
    from obra_tui.bootstrap.run_request import RunRequest
    from obra_tui.config.load import load
    from tests.chaos import program

    own = {"data_dir": str(place.data), "database.url": url, "gate.policy": "supervised"}
    settings = load(place.repo, own)
    return EngineHandle(settings, RunRequest(project=place.repo, attended=True), adapters=program.scripted)


def _begin_work(handle):
    from obra_tui.core import commands as do
    from obra_tui.core.events import TextStreamed
    from obra_tui.core.model import SessionKind
    from tests.chaos import program

    def listen(records):
        if any(isinstance(record.event, TextStreamed) for record in records):
            _say("at work")

    handle.engine.subscribe(listen)
    session = handle.engine.submit(do.OpenSession(kind=SessionKind.STANDALONE, title="Cut off")).result()
    handle.engine.submit(do.AddTasks(session=session, tasks=program.tasks_of(1))).result()
    handle.engine.submit(do.StartRun(session=session)).result()


def _say(word, **more):
    print(json.dumps({"word": word, "at": time.time(), **more}), flush=True)


# --- the two of them ---------------------------------------------------------------------------------


class Machine:
    """A process with a network of its own, joined to this one's by a cable."""

    def __init__(self, number, folder, url_of):
        self.ours, self._cable = f"10.98.{number}.1", f"to-{number}"
        words = [sys.executable, "-m", "tests.faults.two_hosts", "host", str(folder), str(number)]
        start = f'hostname host-{number}; read begin; exec "$@"'
        self._running = subprocess.Popen(
            ["unshare", "-n", "-u", "sh", "-c", start, "sh", *words, url_of(number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def join(self):
        """Lay the cable, once its process has left our network."""
        pid, inner = self._running.pid, f"in-{self._cable}"
        ours = Path("/proc/self/ns/net").readlink()
        _until(lambda: Path(f"/proc/{pid}/ns/net").readlink() != ours)
        there = ("nsenter", "-t", str(pid), "-n", "ip")
        for words in (
            ("ip", "link", "add", self._cable, "type", "veth", "peer", "name", inner),
            ("ip", "link", "set", inner, "netns", str(pid)),
            ("ip", "addr", "add", f"{self.ours}/30", "dev", self._cable),
            ("ip", "link", "set", self._cable, "up"),
            (*there, "addr", "add", f"{self.ours[:-1]}2/30", "dev", inner),
            (*there, "link", "set", inner, "up"),
            (*there, "link", "set", "lo", "up"),
        ):
            subprocess.run(words, check=True, capture_output=True)

    def begin(self):
        self._running.stdin.write("begin\n")
        self._running.stdin.flush()

    def cable(self, state):
        """`down` takes it out: what is sent is lost, and nobody is told."""
        subprocess.run(["ip", "link", "set", self._cable, state], check=True)

    def hears(self, word):
        """Wait until it says so; return what it said."""
        for line in self._running.stdout:
            said = json.loads(line)
            if said["word"] == word:
                return said
        raise AssertionError(f"it never said: {word}")

    def end(self):
        self._running.kill()
        self._running.wait()


def _until(condition):
    end = time.monotonic() + _SOON
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.01)


def main(folder, socket, database):
    from tests.chaos.agent import end_all
    from tests.faults.proxy import Proxy

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    proxy = Proxy(socket, "0.0.0.0")

    def url_of(number):
        return f"postgresql+psycopg://obra@10.98.{number}.1:{proxy.port}/{database}?connect_timeout=2"

    first, second = (Machine(number, folder / f"host-{number}", url_of) for number in (1, 2))
    try:
        for machine in (first, second):
            machine.join()
        first.begin()
        first.hears("at work")
        second.begin()
        second.hears("refused")
        cut = time.time()
        first.cable("down")
        stopped = first.hears("away")["at"]
        begun = second.hears("owner")["since"]
        first.cable("up")
        told = first.hears("away")
        print(json.dumps({
            "cut": cut, "old one stops": stopped, "old agents' last sign": _last_tick(folder / "host-1"),
            "new one begins": begun, "old one is told": told["why"],
        }))  # fmt: skip
    finally:
        first.end()
        second.end()
        end_all(folder)


def _last_tick(folder):
    """When one of the agent's processes last gave a sign; now, if they still do."""
    ticks = folder / "ticks"
    before = ticks.stat().st_size
    time.sleep(0.3)
    return time.time() if ticks.stat().st_size != before else float(ticks.read_text().split()[-1])


if __name__ == "__main__":
    if sys.argv[1] == "host":
        host(Path(sys.argv[2]), sys.argv[4], works=sys.argv[3] == "1")
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
