"""Events from a scripted claude into a database: by Obra, and by the least program that could do it."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.harness import Terminal
from benchmarks.support_claude import Claude
from benchmarks.support_supervised import Meter
from benchmarks.support_watch import MARK, SETTLE_S, scene, stored, with_home

BY_HAND = """\
import json, sqlite3, subprocess, sys, time
program, path = sys.argv[1:]
db = sqlite3.connect(path, isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=FULL")
db.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, at REAL, type TEXT, body TEXT)")
batch, due, seq = [], time.monotonic() + 0.05, 0

def commit():
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", batch)
    db.execute("COMMIT")
    batch.clear()

for line in subprocess.Popen([program, "-p", "go"], stdout=subprocess.PIPE).stdout:
    frame = json.loads(line)
    seq += 1
    batch.append((seq, time.time(), frame["type"], line.decode()))
    last = MARK in line
    if last or time.monotonic() > due:
        commit()
        due = time.monotonic() + 0.05
    if last:
        print(time.monotonic(), flush=True)
        break
"""
_PACE = 1_000.0


@dataclass(frozen=True, slots=True)
class Persisted:
    """Seconds from the first event until the last is committed, and how much memory that took at most."""

    seconds: float
    grown_mb: float


def persist_with_obra(events: int, patience: float = 240.0) -> Persisted:
    """The whole application on one task, its screen included."""
    with watched(events) as (home, claude, app), Meter(app.pid, every_s=0.02) as meter:
        before = app.memory_info().rss / 1e6
        claude.begin()
        began = claude.began()
        end = stored(home / "data" / "obra.db", patience)
        return Persisted(end - began, max(0.0, meter.most_mb - before))


def persist_by_hand(events: int) -> Persisted:
    """Pipe, parser and raw SQLite alone; its memory is not looked at."""
    with scene(events) as (home, claude):
        code = BY_HAND.replace("MARK", repr(MARK.encode()))
        words = [sys.executable, "-IS", "-c", code, str(claude.program), str(home / "floor.db")]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as program:
            claude.wait_until_ready()
            claude.begin()
            assert program.stdout is not None
            end = float(program.stdout.readline())
            # The scripted claude stays for as long as its parent does.
            return Persisted(end - claude.began(), 0.0)


def kill_obra(after_s: float) -> float:
    """Kill the application in the middle; return how many ms ago the first event came that is not stored."""
    with watched(int(_PACE * 6)) as (home, claude, app):
        claude.begin(_PACE)
        began = claude.began()
        time.sleep(max(0.0, began + after_s - time.monotonic()))
        os.kill(app.pid, signal.SIGKILL)
        killed = time.monotonic()
        app.wait(10)
        written = [at for at in claude.written() if at <= killed]
        # The opening line leaves another event than those that are counted.
        lost = written[_lines_in(home / "data" / "obra.db") + 1 :]
        return (killed - lost[0]) * 1000 if lost else 0.0


@contextlib.contextmanager
def watched(events: int) -> Iterator[tuple[Path, Claude, psutil.Process]]:
    """Obra in a terminal, its task begun, nothing said yet; and the process of its screen and engine."""
    with scene(events) as (home, claude):
        settings = {"OBRA_CLAUDE__CLI_PATH": str(claude.program), "OBRA_CLAUDE__API_KEY": "dummy"}
        program = [sys.executable, "-m", "obra_tui", "run", "--task", "Replay what was recorded"]
        command = with_home(home, *program, "--project", str(home / "project"), **settings)
        with Terminal(command) as terminal:
            claude.wait_until_ready()
            time.sleep(SETTLE_S)
            (app,) = (child for child in psutil.Process(terminal.pid).children() if "python" in child.name())
            yield home, claude, app


def _lines_in(database: Path) -> int:
    """How many lines after the opening one left their event: each leaves one of these."""
    query = "select count(*) from event where type in ('text_finished', 'tool_started', 'tool_finished')"
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reader:
        return int(reader.execute(query).fetchone()[0])
