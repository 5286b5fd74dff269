"""Processes found by their environment, in a tree of files as Linux shows it and on the machine itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from obra_tui.system.process_env import environments_are_files, find_by_env

linux = pytest.mark.skipif(sys.platform != "linux", reason="environments are files on Linux only")


def _machine(proc: Path, environments: dict[str, bytes]) -> Path:
    for name, environment in environments.items():
        (proc / name).mkdir()
        (proc / name / "environ").write_bytes(environment)
    return proc


def test_only_processes_that_carry_the_variable_are_found(tmp_path: Path):
    machine = _machine(tmp_path, {"7": b"A=1\0MARK=x\0", "8": b"A=1\0", "9": b"MARK=y\0"})
    assert set(find_by_env("MARK", proc=machine)) == {7, 9}


def test_a_beginning_narrows_it_down(tmp_path: Path):
    machine = _machine(tmp_path, {"7": b"MARK=task-1/check/a\0", "8": b"MARK=task-2/check/a\0"})
    assert list(find_by_env("MARK", "task-1/", proc=machine)) == [7]


def test_a_longer_name_and_a_value_that_looks_like_one_are_no_match(tmp_path: Path):
    machine = _machine(tmp_path, {"7": b"OTHER_MARK=x\0", "8": b"A=MARK=x\0", "self": b"MARK=x\0"})
    assert list(find_by_env("MARK", proc=machine)) == []


def test_a_process_that_has_ended_is_passed_over(tmp_path: Path):
    machine = _machine(tmp_path, {"8": b"MARK=x\0"})
    (machine / "7").mkdir()
    assert list(find_by_env("MARK", proc=machine)) == [8]


def test_a_system_without_such_files_says_so(tmp_path: Path):
    assert not environments_are_files(tmp_path)


@linux
def test_a_real_process_is_found_by_its_mark():
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={**os.environ, "OBRA_TEST_MARK": "here/1"}
    )
    try:
        assert environments_are_files()
        assert list(find_by_env("OBRA_TEST_MARK", "here/")) == [child.pid]
    finally:
        child.communicate(b"\n")


def test_a_process_whose_program_is_just_beginning_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Until Linux has laid out the new program, it shows an empty environment."""
    machine = _machine(tmp_path, {"7": b"", "8": b""})
    (machine / "7" / "exe").symlink_to("/bin/sleep")
    begins = lambda _: (machine / "7" / "environ").write_bytes(b"MARK=x\0")  # noqa: E731
    monkeypatch.setattr("time.sleep", begins)
    assert list(find_by_env("MARK", proc=machine)) == [7]


@linux
def test_a_process_without_any_environment_is_waited_for_only_a_moment():
    child = subprocess.Popen(["sleep", "60"], env={})
    try:
        assert list(find_by_env("OBRA_TEST_NOBODY")) == []
    finally:
        child.kill()
        child.wait()
