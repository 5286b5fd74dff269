"""The ends of programs, heard on the loops that started them and without threads."""

import asyncio
import subprocess
import sys

import pytest

from obra_tui.system.process import watch_without_threads

CODE = """
import asyncio, threading
from obra_tui.system.process import watch_without_threads

async def ends(*codes):
    started = [await asyncio.create_subprocess_exec("sh", "-c", f"exit {code}") for code in codes]
    said.append([await process.wait() for process in started])
    threads.add(threading.active_count())

said, threads = [], set()
watch_without_threads()
for codes in ((0, 3), (4, 1)):
    thread = threading.Thread(target=lambda codes=codes: asyncio.run(ends(*codes)))
    thread.start()
    thread.join()
print(said, threads)
"""
old_python = pytest.mark.skipif(sys.version_info >= (3, 12), reason="later Pythons do so by themselves")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_loops_in_different_threads_hear_of_their_own_programs_without_a_thread_for_each():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[[0, 3], [4, 1]] {2}"


@old_python
def test_a_kernel_that_cannot_tell_leaves_it_to_python(monkeypatch: pytest.MonkeyPatch):
    def refuse(pid: int) -> int:
        raise OSError(38, "Function not implemented")

    before = asyncio.get_child_watcher()
    monkeypatch.setattr("os.pidfd_open", refuse)
    watch_without_threads()
    assert asyncio.get_child_watcher() is before
