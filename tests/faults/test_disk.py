"""A disk without space, and one that refuses."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from obra_tui.store.journal import SqlJournal
from obra_tui.store.ownership import NAME, SIZE, Reserve
from tests.faults.failing_disk import compiler
from tests.store.story import finished_session

ROOT = Path(__file__).resolve().parents[2]
_SMALL = """
mount -t tmpfs -o size=40m tmpfs "$1" && head -c 22M /dev/zero > "$1/filler" && exec "$2" -m tests.faults.full_disk "$1"
"""


def can_mount(folder):
    words = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(folder)]
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.fault(35)
def test_fault_35_a_disk_that_fills_up_stops_the_work_and_the_work_goes_on_when_there_is_space(tmp_path):
    if not can_mount(tmp_path):
        pytest.skip("no small disk can be mounted here")
    words = ["unshare", "-rm", "sh", "-c", _SMALL, "sh", str(tmp_path), sys.executable]
    done = subprocess.run(
        words, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout.splitlines() == ["stopped and recorded", "went on"], done.stdout + done.stderr


_FULL_AT_START = 'mount -t tmpfs -o size=20m tmpfs "$1" && exec "$2" -m tests.faults.full_start "$1"'


@pytest.mark.fault(35)
def test_fault_35_a_disk_that_is_full_at_the_first_start_leaves_nothing_half_done(tmp_path):
    if not can_mount(tmp_path):
        pytest.skip("no small disk can be mounted here")
    words = ["unshare", "-rm", "sh", "-c", _FULL_AT_START, "sh", str(tmp_path), sys.executable]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.splitlines() == ["True True"], done.stdout + done.stderr


@pytest.mark.fault(35)
def test_fault_35_the_reserve_takes_its_space_at_once_and_gives_it_up_once(tmp_path):
    reserve = Reserve(tmp_path)
    assert reserve.hold()
    assert reserve.hold()
    held = (tmp_path / NAME).stat()
    assert (held.st_size, held.st_mode & 0o777) == (SIZE, 0o600)
    assert held.st_blocks * 512 >= SIZE
    assert reserve.release()
    assert not reserve.release()


@pytest.mark.fault(35)
def test_fault_35_no_reserve_is_taken_where_there_is_hardly_any_space(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result((4096, 4096, 100, 100, 100, 0, 0, 0, 0, 255)))
    assert not Reserve(tmp_path).hold()
    assert list(tmp_path.iterdir()) == []


def campaign(*words):
    if compiler() is None:
        pytest.skip("no C compiler: the disk cannot be made to fail")
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.disk_campaign", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.fault(35)
@pytest.mark.timeout(120)
def test_fault_35_a_disk_that_is_full_at_any_write_loses_nothing_and_the_work_goes_on_without_hands():
    assert " met), 0 faults" in campaign("--kind", "full", "--points", "5", "--seed", "4")


@pytest.mark.fault(37)
@pytest.mark.timeout(120)
def test_fault_37_a_disk_that_fails_at_any_write_loses_nothing():
    assert " met), 0 faults" in campaign("--kind", "failing", "--points", "5", "--seed", "4")


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["full", "failing"])
def test_nothing_is_lost_at_any_of_many_writes_that_a_disk_refuses(kind):
    assert " met), 0 faults" in campaign("--kind", kind, "--points", "100", "--seed", "2")


# --- loss of power -----------------------------------------------------------------------------------


@pytest.mark.fault(42)
def test_fault_42_every_step_reaches_the_disk_before_it_is_acknowledged(tmp_path):
    code = (
        "import sys; from pathlib import Path; from obra_tui.store.journal import SqlJournal\n"
        "from tests.store.story import finished_session\n"
        "journal = SqlJournal(Path(sys.argv[1]) / 'data' / 'obra.db'); Path(sys.argv[1], 'begin').touch()\n"
        "for record in finished_session().records[:20]: journal.append([record])\n"
        "Path(sys.argv[1], 'end').touch()\n"
    )
    trace = tmp_path / "trace"
    words = ["strace", "-f", "-e", "trace=fsync,fdatasync,openat", "-o", str(trace), sys.executable, "-c", code]
    try:
        done = subprocess.run([*words, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("strace is not installed")
    if done.returncode != 0:
        pytest.skip(f"strace does not work here: {done.stderr[-200:]}")
    between = trace.read_text().partition(f"{tmp_path}/begin")[2].partition(f"{tmp_path}/end")[0]
    assert between.count("sync(") >= 20


@pytest.mark.fault(42)
def test_fault_42_whatever_of_the_next_step_reached_the_disk_all_before_it_is_there(tmp_path):
    """The side file is cut at many places after the last acknowledged step, as a loss of power may cut it."""
    records, source = finished_session().records[:24], tmp_path / "data" / "obra.db"
    journal, acknowledged = SqlJournal(source), []
    side = source.with_name("obra.db-wal")
    for record in records:
        journal.append([record])
        acknowledged.append(side.stat().st_size)
    whole, database = side.read_bytes(), source.read_bytes()
    chance = random.Random(42)
    for number in range(60):
        cut = chance.randint(acknowledged[2], len(whole))
        copy = tmp_path / f"after-{number}" / "obra.db"
        copy.parent.mkdir()
        copy.write_bytes(database)
        copy.with_name("obra.db-wal").write_bytes(whole[:cut] + os.urandom(chance.randint(0, 5000)))
        there = SqlJournal(copy).last_seq(records[0].session)
        assert there >= sum(size <= cut for size in acknowledged), f"cut at {cut}"
