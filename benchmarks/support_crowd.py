"""A crowd of scripted sessions at once, in the whole application, and what they cost it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.harness import ROOT, Terminal, cpu_seconds, memory_mb
from benchmarks.support_claude import frames
from benchmarks.support_watch import MARK, make_repository, with_home

PROGRAM = """\
#!{python} -IS
import json, os, sys, time
folder, parent = {folder!r}, os.getppid()

def put(data):
    while data:
        data = data[os.write(1, data):]

def play():
    open(folder + "/begun/" + str(os.getpid()), "w").close()
    while not os.path.exists(folder + "/go"):
        time.sleep(0.2)
    while os.getppid() == parent:
        with open(folder + "/events.ndjson", "rb") as file:
            for line in file:
                put(line)
                time.sleep({every})

for line in sys.stdin:
    frame = json.loads(line)
    if frame["type"] == "control_request":
        answer = {{"subtype": "success", "request_id": frame["request_id"], "response": {{}}}}
        put(json.dumps({{"type": "control_response", "response": answer}}).encode() + b"\\n")
    elif frame["type"] == "user":
        play()
"""
_LETTERS = [chr(code) for code in range(0x0410, 0x0450)]
"""Nothing else on the screen is written with these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What was seen while all of them spoke."""

    at_work: int
    key_ms: list[float]
    cores: float
    own_mb: float
    reopened_s: float


def work_together(sessions: int, seconds: float, every: float = 0.5) -> Crowd:
    """Run so many tasks side by side, each with a claude that says something `every` so often; press keys meanwhile."""
    with _scene(sessions, every) as (home, command), Terminal(command) as terminal:
        begun = home / "begun"
        deadline = time.monotonic() + 60 + 3 * sessions
        while len(list(begun.iterdir())) < sessions:
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {len(list(begun.iterdir()))} of {sessions} were started")
            time.sleep(0.2)
        (app,) = (child for child in psutil.Process(terminal.pid).children() if "python" in child.name())
        (home / "go").touch()
        time.sleep(3)
        cpu, at = cpu_seconds(app.pid), time.perf_counter()
        keys = _type(terminal, seconds)
        cores = (cpu_seconds(app.pid) - cpu) / (time.perf_counter() - at)
        own = memory_mb(app.pid)
        app.kill()
        app.wait(10)
        return Crowd(at_work=sessions, key_ms=keys, cores=cores, own_mb=own, reopened_s=_reopen(home))


def _type(terminal: Terminal, seconds: float) -> list[float]:
    """Type into the line for Claude; milliseconds until each letter is there."""
    terminal.type("m")
    time.sleep(0.5)
    waits, end, number = [], time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        letter = _LETTERS[number % len(_LETTERS)]
        terminal.watch(letter)
        pressed = terminal.type(letter)
        try:
            waits.append((terminal.wait(letter, 3.0) - pressed) * 1000)
        except TimeoutError:
            waits.append(3000.0)
        number += 1
        if number % 30 == 0:
            terminal.type("\x15")  # begin the line anew, before it is full
        time.sleep(0.08)
    return waits


def _reopen(home: Path) -> float:
    """Start again after the kill, in a new process; seconds until nothing of before is called at work any more."""
    words = [sys.executable, "-c", _REOPEN, str(home / "project"), str(home / "data")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return float(done.stdout)


_REOPEN = """\
import time
began = time.perf_counter()
import subprocess
import sys
from pathlib import Path
from obra_tui.config.load import load
from obra_tui.bootstrap.engine import EngineHandle
from obra_tui.bootstrap.run_request import RunRequest

project, data = map(Path, sys.argv[1:])
settings = load(project, {"data_dir": str(data), "claude.api_key": "dummy"})
handle = EngineHandle(settings, RunRequest(project=project, attended=True))
handle.start()
print(time.perf_counter() - began)
handle.stop()
"""


@contextlib.contextmanager
def _scene(sessions: int, every: float) -> Iterator[tuple[Path, list[str]]]:
    with tempfile.TemporaryDirectory(prefix="obra-bench-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        for folder in ("tmp", "begun"):
            (home / folder).mkdir()
        program = home / "claude"
        program.write_text(PROGRAM.format(python=os.path.realpath(sys.executable), folder=str(home), every=every))
        program.chmod(0o755)
        lines = [json.dumps(frame) + "\n" for frame in frames(200, MARK)]
        (home / "events.ndjson").write_text("".join(lines))
        make_repository(home / "project")
        plan = home / "plan.md"
        plan.write_text(
            "# A crowd\n\n" + "".join(f"- [ ] Task {n}\n  Do what task {n} says.\n" for n in range(sessions))
        )
        settings = {"OBRA_CLAUDE__CLI_PATH": str(program), "OBRA_CLAUDE__API_KEY": "dummy"}
        words = [sys.executable, "-m", "obra_tui", "run", str(plan), "--project", str(home / "project")]
        yield home, with_home(home, *words, "--jobs", str(sessions), **settings)
