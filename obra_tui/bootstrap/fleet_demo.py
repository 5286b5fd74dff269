"""A fleet on one machine, offline: a database server, a coordinator, three workers as processes, ten rehearsed tasks.

One worker is killed while Claude Code is at work there; another one goes on. Everything is real but the models, and
everything is in temporary folders that are gone afterwards.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.bootstrap.engine import EngineHandle
from obra_tui.bootstrap.fleet import refuse_without_fleet
from obra_tui.bootstrap.rehearsal import Rehearsal, open_rehearsal
from obra_tui.config.load import load
from obra_tui.services.local_postgresql import LocalServer

_SCENARIO = "stress"
_WORKERS = 3
_LEASE_S = 4.0
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR")
_LEAVE_S = 10.0
_LOOK_EVERY_S = 0.05


class Demo(Struct, frozen=True, kw_only=True):
    """What a demonstration is made of."""

    root: Path
    settings: Mapping[str, object]
    rehearsal: Rehearsal
    server: LocalServer


class Summary(Struct, frozen=True, kw_only=True):
    """What came of it."""

    exit_code: int
    killed: str
    done: tuple[str, ...]
    """One line for each worker: how much of what it did."""
    handed_on: int


def run_demo(
    follow: Callable[[EngineHandle], int], say: Callable[[str], None], *, pace: float = 0.3, kill: bool = True
) -> Summary:
    """Run it to its end; `follow` starts the engine, shows the run and returns its exit code. Raises `ObraError`."""
    with ExitStack() as closing:
        demo = closing.enter_context(_stage(pace))
        names = [f"w{number + 1}" for number in range(_WORKERS)]
        workers = {name: closing.enter_context(_worker(demo, name)) for name in names}
        say(f"A database server, a coordinator and the workers {', '.join(names)}, all in {demo.root}.")
        accident = _Accident(demo.server.url, workers, say)
        if kill:
            accident.wait_in_thread()
        request = replace(demo.rehearsal.request, jobs=2 * _WORKERS)
        code = follow(EngineHandle(load(None, demo.settings), request, lambda: demo.rehearsal.models))
        return _summary(demo.server.url, code, accident.killed)


def _summary(url: str, code: int, killed: str) -> Summary:
    done: dict[str, list[str]] = {}
    for worker, kind, number in read(url, _DONE):
        done.setdefault(str(worker), []).append(f"{number} {kind}")
    handed_on = read(url, _HANDED_ON)
    return Summary(
        exit_code=code,
        killed=killed,
        done=tuple(f"{worker}: {', '.join(items)}" for worker, items in done.items()),
        handed_on=int(str(handed_on[0][0])) if handed_on else 0,
    )


@contextmanager
def _stage(pace: float) -> Iterator[Demo]:
    with ExitStack() as closing:
        root = Path(tempfile.mkdtemp(prefix="obra-fleet-"))
        closing.callback(shutil.rmtree, root, ignore_errors=True)
        root.chmod(0o711)
        (root / "pg").mkdir(mode=0o700)
        server = LocalServer(root / "pg")
        closing.callback(server.close)
        settings: dict[str, object] = {
            "data_dir": str(root / "coordinator"),
            "database.url": server.url,
            "gate.policy": "autonomous",
            "fleet.enabled": True,
            "fleet.lease_s": _LEASE_S,
        }
        refuse_without_fleet(load(None, settings))
        rehearsal = open_rehearsal(_SCENARIO, load(None, settings), pace=pace)
        closing.callback(rehearsal.close)
        yield Demo(root=root, settings=settings, rehearsal=rehearsal, server=server)


@contextmanager
def _worker(demo: Demo, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `obra worker` in an environment of its own, where nothing of the person's is found."""
    home = demo.root / name
    (home / "home").mkdir(parents=True)
    claude = demo.rehearsal.models.claude
    environment = {
        **{key: os.environ[key] for key in _PASSED_ON if key in os.environ},
        "HOME": str(home / "home"),
        "OBRA_DATA_DIR": str(home / "data"),
        "OBRA_DATABASE__URL": demo.server.url,
        "OBRA_CLAUDE__BASE_URL": claude.base_url,
        "OBRA_CLAUDE__API_KEY": claude.api_key,
        "OBRA_CLAUDE__CONFIG_DIR": str(home / "claude"),
        "OBRA_JUDGE__BASE_URL": demo.rehearsal.models.judge.base_url,
        "OBRA_JUDGE__MODEL": demo.rehearsal.models.judge.model,
        "OBRA_FLEET__LEASE_S": str(_LEASE_S),
        "OBRA_FLEET__CHECKPOINT_S": "0.5",
        "IS_SANDBOX": "1",
        "PYTHONUNBUFFERED": "1",
    }
    words = [sys.executable, "-m", "obra_tui", "worker", "--name", name, "--places", "2"]
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(
            words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a worker leave in order; one that does not is killed."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_LEAVE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Accident:
    """Kills the worker at which Claude Code is at work, once two tasks are accepted."""

    def __init__(self, url: str, workers: Mapping[str, subprocess.Popen[bytes]], say: Callable[[str], None]) -> None:
        self._url = url
        self._workers = workers
        self._say = say
        self.killed = ""

    def wait_in_thread(self) -> None:
        threading.Thread(target=self._wait, name="obra-demo-accident", daemon=True).start()

    def _wait(self) -> None:
        while not self.killed:
            time.sleep(_LOOK_EVERY_S)
            for name in read(self._url, _AT_WORK):
                self._kill(str(name[0]))
                return

    def _kill(self, name: str) -> None:
        self.killed = name
        os.kill(self._workers[name].pid, signal.SIGKILL)
        self._say(f"KILLED the worker {name} (kill -9): Claude Code was at work there. Its lease is {_LEASE_S:g} s.")


_AT_WORK = """
SELECT worker FROM fleet_job j WHERE kind = 'implement' AND state = 'running'
AND (SELECT count(*) FROM fleet_job WHERE kind = 'implement' AND state = 'ended') >= 2
AND EXISTS (SELECT 1 FROM fleet_event e WHERE e.job = j.id AND e.kind = 'tool_finished')
LIMIT 1
"""
_DONE = """
SELECT worker, kind, count(*) FROM fleet_job WHERE state = 'ended' GROUP BY worker, kind ORDER BY worker, kind
"""
_HANDED_ON = "SELECT count(*) FROM fleet_epoch WHERE what = 'taken_away'"


def read(url: str, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query, none while there is no such table."""
    import psycopg

    from obra_tui.fleet.database import address_of

    try:
        with psycopg.connect(address_of(url)) as connection:
            return list(connection.execute(query.encode()).fetchall())
    except psycopg.Error:
        return []
