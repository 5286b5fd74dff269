# ruff: noqa: T201 - its output is what the test reads
"""Runs in a mount namespace of its own: opens a database on a disk with hardly any space, frees it, opens it again."""

import shutil
import sys
from contextlib import suppress
from pathlib import Path

from obra_tui.core.errors import DiskFull
from obra_tui.store.journal import SqlJournal
from obra_tui.store.ownership import acquire
from tests.store.story import finished_session

_SIZE_KB, _STEP_KB, _MOST_KB = 20_480, 24, 900


def begin(data):
    """What every start does first; returns whether there was space for it."""
    with acquire(data):
        try:
            journal = SqlJournal(data / "obra.db")
        except DiskFull:
            return False
        try:
            journal.append(finished_session().records)
        except DiskFull:
            return False
        finally:
            journal.close()
    return True


def _is_whole(data):
    """Whether the next start finds nothing, or all that was stored, and can write."""
    with acquire(data):
        journal = SqlJournal(data / "obra.db")
        try:
            records = finished_session().records
            journal.append(records[journal.last_seq(records[0].session) :])
            return journal.last_seq(records[0].session) == len(records)
        finally:
            journal.close()


def begin_with_the_reserve(disk):
    """A disk that filled up while no Obra was there: what one had kept back lets the next one begin."""
    data = disk / "data"
    with acquire(data):
        SqlJournal(data / "obra.db", space_ran_out=print).close()
    assert (data / "reserve").exists()
    with suppress(OSError):
        (disk / "filler").write_bytes(bytes(_SIZE_KB * 1024))
    with acquire(data):
        journal = SqlJournal(data / "obra.db", space_ran_out=print)
        journal.append(finished_session().records)
        journal.close()
    assert not (data / "reserve").exists()


def main(disk):
    refused = 0
    for space in range(0, _MOST_KB, _STEP_KB):
        (disk / "filler").write_bytes(bytes((_SIZE_KB - space) * 1024))
        refused += not begin(disk / "data")
        left = {path.name for path in (disk / "data").iterdir()}
        assert left <= {"owner.lock", "obra.db", "obra.db-wal", "obra.db-shm"}, (space, left)
        (disk / "filler").unlink()
        assert _is_whole(disk / "data"), f"after {space} KB"
        shutil.rmtree(disk / "data")
    begin_with_the_reserve(disk)
    print(f"{refused > 5} {refused < _MOST_KB // _STEP_KB}")


main(Path(sys.argv[1]))
