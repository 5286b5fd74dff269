"""Obra is killed in the middle of a burst: what was told is there, in one piece, and its words are found."""

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from obra_tui.core.records.search import parse
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal

ROOT = Path(__file__).resolve().parents[2]
SESSION = "s1"


def killed_after(folder, lines):
    """Run the writer, kill it when so many batches were told; return the last number it had told."""
    program = [sys.executable, "-m", "tests.faults.burst_writer", str(folder)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        told = [writer.stdout.readline() for _ in range(lines)]
        writer.kill()
        told += writer.stdout.readlines()
    return int([line for line in told if line.endswith("\n")][-1])


def numbers(database):
    with closing(sqlite3.connect(database)) as reader:
        assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [seq for (seq,) in reader.execute("SELECT seq FROM event ORDER BY id")]


def look(folder, told):
    database = folder / "data" / "obra.db"
    stored = numbers(database)
    assert stored == list(range(1, len(stored) + 1)), "a gap, or another order than that of the numbers"
    assert len(stored) >= told, f"{told} was told, {len(stored)} is the last that is stored"
    history = SqlHistory(database)
    found = [row.hit.seq for row in history.find(parse(f'"part{len(stored)}"', 0.0)).rows]
    history.close()
    assert found == [len(stored)], "stored and not found"
    journal = SqlJournal(database)
    assert journal.last_seq(SESSION) == len(stored)
    journal.close()


@pytest.mark.fault(1)
@pytest.mark.parametrize("batches", [1, 4])
def test_fault_1_a_kill_in_the_middle_of_a_burst_loses_nothing_that_was_told(tmp_path, batches):
    look(tmp_path, killed_after(tmp_path, batches))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_hundred_kills_in_the_middle_of_a_burst_lose_nothing_that_was_told(tmp_path):
    chance = random.Random(17)
    for number in range(100):
        folder = tmp_path / str(number)
        look(folder, killed_after(folder, chance.randint(1, 12)))
