"""A disk without space, and one that refuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from obra_tui.store.reserve import NAME, SIZE, Reserve

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
