"""The power fails: whatever of what was not synced reached the disk, all that was acknowledged is there."""

import random
import sqlite3
import sys
from pathlib import Path

import pytest

from obra_tui.core.errors import StoreError
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.faults import power
from tests.faults.power_writer import ACKS, records

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def written(tmp_path):
    """Run the writer; return what it asked of the disk."""

    def run(*words):
        program = [sys.executable, "-m", "tests.faults.power_writer", str(tmp_path / "run"), *words]
        (tmp_path / "run").mkdir()
        try:
            return power.record(program, cwd=ROOT, trace=tmp_path / "trace")
        except power.NoRecord as why:
            pytest.skip(str(why))

    return run


def losses(calls, root, places, seed):
    """Cut the power at so many places; return what was lost or damaged, as sentences."""
    chance, steps, disk, found, acknowledged = random.Random(seed), records(), power.Disk(root / "data"), [], 0
    cuts = sorted(chance.sample(range(len(calls)), places))
    for number, call in enumerate(calls):
        if call.path == str(root / ACKS) and call.name == "write":
            acknowledged = int(call.data)
        if number in cuts:
            what = lost(disk.left(chance), root.parent / f"after-{number}", steps[:acknowledged])
            found += [f"call {number}, {acknowledged} steps acknowledged: {what}"] if what else []
        disk.follow(call)
    assert acknowledged == len(steps)
    return found


def lost(files, folder, steps):
    """Say what is wrong with what was left; nothing when every acknowledged step is there."""
    folder.mkdir()
    for path, content in files.items():
        (folder / Path(path).name).write_bytes(content)
    database = folder / "obra.db"
    if not database.exists():
        return "the database is gone" if steps else ""
    try:
        SqlJournal(database).close()
        stored = [record for session in ("s1", "s2") for record in SqlHistory(database).records(session, 0, 10_000)]
    except StoreError as error:
        return str(error)
    if stored[: len(steps)] != steps:
        return f"{len(stored)} steps are there"
    return ", ".join(_damages(database))


def _damages(database):
    connection = sqlite3.connect(database)
    try:
        said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    finally:
        connection.close()
    return [word for word in said if word != "ok"]


@pytest.mark.fault(42)
@pytest.mark.timeout(120)
def test_fault_42_all_that_was_acknowledged_is_there_after_the_power_failed_at_any_place(written, tmp_path):
    assert losses(written(), tmp_path / "run", 25, seed=42) == []


@pytest.mark.fault(42)
@pytest.mark.timeout(120)
def test_fault_42_the_replay_sees_a_database_that_does_not_wait_for_the_disk(written, tmp_path):
    assert losses(written("careless"), tmp_path / "run", 10, seed=42)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_nothing_is_lost_at_any_of_five_hundred_failures_of_the_power(written, tmp_path):
    assert losses(written(), tmp_path / "run", 500, seed=7) == []
