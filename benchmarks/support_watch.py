"""Obra and its peer with a scripted claude behind them, each in a pseudo terminal, watched until the last event."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import TICKS, Terminal, environment
from benchmarks.support_claude import Claude, make_claude

CONDUCTOR = ("claude-conductor==0.1.0", "textual==8.2.8")
MARK = "ENDMARK"
SETTLE_S = 1.0
"""How long an application is left alone before the first event, so that its start is not measured."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One replay: seconds from the first event until the last was seen (and stored), and CPU meanwhile."""

    seconds: float
    cpu: float


class Unavailable(Exception):
    """The peer cannot be installed here; the message says why."""


def install_conductor() -> Path:
    """Return the peer's program, installed in an environment of its own that is kept between runs."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "obra-benchmarks"
    program = cache / "claude-conductor-0.1.0" / "bin" / "conductor"
    if not program.exists():
        folder = program.parent.parent
        install = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *CONDUCTOR]
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
            subprocess.run(install, check=True, capture_output=True, timeout=180)
        except (subprocess.SubprocessError, OSError) as error:
            raise Unavailable(f"{CONDUCTOR[0]} could not be installed ({type(error).__name__})") from error
    return program


@contextlib.contextmanager
def scene(events: int) -> Iterator[tuple[Path, Claude]]:
    """A home, a repository and a scripted claude, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="obra-bench-") as name:
        home = Path(name)
        (home / "tmp").mkdir()
        claude = make_claude(home / "claude", events, MARK)
        make_repository(home / "project")
        yield home, claude


def make_repository(folder: Path) -> None:
    """A repository of one file and one commit."""
    folder.mkdir()
    (folder / "README.md").write_text("# A project\n")
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], [*identity, "commit", "-q", "-m", "start"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)


def with_home(home: Path, *command: str, **more: str) -> list[str]:
    """The command with a home of its own."""
    own = {"HOME": str(home), "TMPDIR": str(home / "tmp"), "OBRA_DATA_DIR": str(home / "data"), **more}
    return ["env", *(f"{name}={value}" for name, value in own.items()), *command]


def watch_obra(events: int, pace: float = 0.0, patience: float = 120.0) -> Watched:
    """The whole application: Live screen, engine, agents room and journal, on one task."""
    with scene(events) as (home, claude):
        settings = {"OBRA_CLAUDE__CLI_PATH": str(claude.program), "OBRA_CLAUDE__API_KEY": "dummy"}
        program = [sys.executable, "-m", "obra_tui", "run", "--task", "Replay what was recorded"]
        command = with_home(home, *program, "--project", str(home / "project"), **settings)
        with Terminal(command) as terminal:
            claude.wait_until_ready()
            time.sleep(SETTLE_S)
            return _replay(terminal, claude, pace, patience, home / "data" / "obra.db")


def watch_conductor(program: Path, events: int, pace: float = 0.0, patience: float = 120.0) -> Watched:
    """The peer, with its task selected, as a person who watches has it."""
    with scene(events) as (home, claude):
        path = f"{claude.program.parent}{os.pathsep}{environment()['PATH']}"
        with Terminal(with_home(home, str(program), PATH=path), cwd=home / "project") as terminal:
            terminal.watch("New task")
            terminal.wait("New task")
            time.sleep(SETTLE_S)
            terminal.type("replay\r")
            claude.wait_until_ready()
            terminal.watch("[you]")
            terminal.type("\t\x1b[B")
            terminal.wait("[you]", 20)
            time.sleep(SETTLE_S)
            return _replay(terminal, claude, pace, patience, None)


def _replay(terminal: Terminal, claude: Claude, pace: float, patience: float, database: Path | None) -> Watched:
    terminal.watch(MARK)
    cpu = session_cpu(terminal.pid)
    claude.begin(pace)
    began = claude.began()
    end = terminal.wait(MARK, patience)
    if database is not None:
        end = max(end, stored(database))
    return Watched(end - began, session_cpu(terminal.pid) - cpu)


def session_cpu(leader: int) -> float:
    """CPU seconds of all processes of a terminal session; a scripted claude has a session of its own."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(") ")[2].split()
            if int(fields[3]) == leader:
                total += int(fields[11]) + int(fields[12])
    return total / TICKS


def stored(database: Path, patience: float = 120.0) -> float:
    """Wait until another process can read the last event; return when that was.

    Looks at new rows only: whoever read all of them again at every look would take a core for itself and never let
    the database fold its side file in, which the peer's has nobody to keep it from.
    """
    give_up = time.perf_counter() + patience
    query = "select max(id), max(type = 'text_finished' and body like ?) from event where id > ?"
    seen = 0
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reader:
        while True:
            asked = time.perf_counter()
            if asked > give_up:
                raise TimeoutError("the last event was not stored")
            newest, found = reader.execute(query, (f"%{MARK}%", seen)).fetchone()
            if found:
                return asked
            seen = newest or seen
            time.sleep(0.002)
