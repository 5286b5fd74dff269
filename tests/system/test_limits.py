import asyncio
import os
import subprocess
import sys

import pytest

from obra_tui.system.limits import MB, Limits, family, held, passed, usual_memory_mb, watch, written_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads what the kernel of Linux tells")


@pytest.fixture
def started():
    """Start Python programs that say when they are ready, and end them."""
    running = []

    def start(code):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
        running.append(child)
        assert child.stdout.readline() == b"ready\n"
        return child.pid

    yield start
    for child in running:
        os.killpg(child.pid, 9)
        child.wait()
        child.stdout.close()


WAITS = "print('ready', flush=True); import time; time.sleep(60)"


def test_a_process_and_its_children_are_one_family(started):
    pid = started(f"import os\nif not os.fork():\n    import time; time.sleep(60)\n{WAITS}")
    assert len(list(family(pid))) == 2


def test_the_first_limit_that_is_passed_is_named(started, tmp_path):
    pid = started(f"kept = bytearray(60_000_000)\n{WAITS}")
    (tmp_path / "a").write_bytes(b"x" * 3 * MB)
    assert passed(pid, Limits(memory_mb=500, processes=5, disk_mb=5), (tmp_path,)) == ""
    assert passed(pid, Limits(memory_mb=50), ()) == "It used more than 50 MB of memory."
    assert passed(pid, Limits(disk_mb=2), (tmp_path,)) == "It wrote more than 2 MB to the disk."
    assert passed(pid, Limits(disk_mb=2), ()) == ""
    other = started(f"import os\nif not os.fork():\n    import time; time.sleep(60)\n{WAITS}")
    assert passed(other, Limits(processes=1), ()) == "It started more than 1 processes."


async def test_what_is_printed_is_watched_too(started):
    pid = started(WAITS)
    said = await asyncio.wait_for(watch(pid, Limits(output_mb=1), (), lambda: 2 * MB), 30)
    assert said == "It printed more than 1 MB."


def test_what_lies_in_folders_is_counted_without_following_links(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a").write_bytes(b"x" * MB)
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "up").symlink_to("..")
    assert MB <= written_in((tmp_path, tmp_path / "not there")) < 2 * MB


def test_a_process_that_is_gone_uses_nothing():
    assert passed(2**22 + 1, Limits(memory_mb=1, processes=5), ()) == ""


def test_one_file_alone_cannot_be_larger_than_the_disk_limit(tmp_path):
    code = f"open({str(tmp_path / 'a')!r}, 'wb').write(b'x' * 3_000_000)"
    done = subprocess.run([*held(Limits(disk_mb=1)), sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode and (tmp_path / "a").stat().st_size <= MB


def test_the_usual_memory_leaves_some_of_the_machine():
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MB
    assert 2_000 <= usual_memory_mb() <= max(2_000, whole)
