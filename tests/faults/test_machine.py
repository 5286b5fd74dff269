"""Faults of the machine around Obra: no more processes, sleep, clocks, root."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from obra_tui.agents.claude_code import ClaudeCode
from obra_tui.agents.config import ClaudeConfig
from obra_tui.core import commands as do
from obra_tui.core.doctor import DoctorStatus
from obra_tui.core.errors import ImplementerError
from obra_tui.core.gate import GateRules
from obra_tui.core.lifecycle import State
from obra_tui.core.model import ConversationReason, ImplementRequest, Policy
from obra_tui.services.doctor import MachineDoctor
from obra_tui.system import clock
from obra_tui.system.clock import SystemClock
from obra_tui.system.oom import memory_kills
from tests.e2e.obra import environment
from tests.fakes.implementer import Play
from tests.scenarios.world import ME, WRITES, World

ROOT = Path(__file__).resolve().parents[2]
AUTONOMOUS = GateRules(policy=Policy.AUTONOMOUS)


@pytest.mark.fault(11)
@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM])
async def test_fault_11_a_system_that_starts_no_more_processes_stops_the_run_and_keeps_the_task(tmp_path, number):
    world = World(tmp_path, plays=(WRITES,), rules=AUTONOMOUS)
    prepare = world.workspace.prepare

    async def refused(*given):
        raise OSError(number, os.strerror(number))

    world.workspace.prepare = refused
    await world.run()
    await world.finished()
    assert world.problems() == ["system"]
    assert os.strerror(number) in str(world.told)
    assert world.state() is State.QUEUED
    world.workspace.prepare = prepare
    await world.do(do.Resume(session=world.session, by=ME))
    await world.finished(2)
    assert world.state() is State.ACCEPTED


@pytest.mark.fault(11)
async def test_fault_11_claude_code_that_cannot_be_forked_is_an_error_with_a_fix(tmp_path, monkeypatch):
    async def refused(*words, **how):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("asyncio.create_subprocess_exec", refused)
    (tmp_path / "copy").mkdir()
    request = ImplementRequest(
        task="t1", attempt="a1", prompt="x", cwd=str(tmp_path / "copy"),
        claude_session="22222222-2222-4222-8222-222222222222", reason=ConversationReason.FIRST,
    )  # fmt: skip
    with pytest.raises(ImplementerError) as caught:
        conversation = await ClaudeCode(ClaudeConfig(tmp_dir=tmp_path / "tmp", api_key="x")).start(request, print, None)
        await conversation.finished()
    assert "temporarily unavailable" in str(caught.value)


@pytest.mark.fault(11)
@pytest.mark.parametrize("most", [14, 20])
def test_fault_11_the_real_program_that_may_open_hardly_any_files_says_so_in_a_sentence(tmp_path, most):
    done = demo_with_few_files(tmp_path, most)
    assert "itself failed" not in done.stderr
    assert done.stderr.startswith("obra: ")
    assert done.stderr.count("\n") == 1
    assert "ulimit -n" in done.stderr or "cannot be opened" in done.stderr or "too many" in done.stderr.lower()


@pytest.mark.fault(11)
@pytest.mark.parametrize("most", [23, 25, 26])
def test_fault_11_however_far_it_comes_with_few_files_it_says_what_helps(tmp_path, most):
    done = demo_with_few_files(tmp_path, most)
    assert "ulimit -n" in done.stdout + done.stderr


def demo_with_few_files(tmp_path, most):
    """A rehearsal that may open so many files and fails for that, somewhere on its way."""
    code = (
        "import resource, runpy; resource.setrlimit(resource.RLIMIT_NOFILE, ({0}, {0})); "
        "runpy.run_module('obra_tui', run_name='__main__')"
    )
    words = [sys.executable, "-c", code.format(most), "demo", "--headless"]
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        words, env=environment(tmp_path), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.mark.fault(12)
def test_fault_12_the_kernels_counts_are_read_and_missing_ones_are_none(tmp_path):
    assert memory_kills(tmp_path, tmp_path) == 0
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("4:memory:/old\n0::/user/one\n")
    (tmp_path / "vmstat").write_text("pgfault 9\noom_kill 2\n")
    (tmp_path / "user" / "one").mkdir(parents=True)
    (tmp_path / "user" / "one" / "memory.events").write_text("oom 7\noom_kill 3\noom_group_kill 0\n")
    assert memory_kills(tmp_path, tmp_path) == 5


@pytest.mark.fault(14)
async def test_fault_14_a_wait_that_ended_while_the_computer_slept_is_over(monkeypatch):
    moments = iter([0.0, 0.0, 8 * 3600.0])
    monkeypatch.setattr(clock, "since_boot", lambda: next(moments))
    monkeypatch.setattr(clock, "_LOOK_EVERY_S", 0.0)
    await SystemClock().sleep(3600)
    assert next(moments, "all looked at") == "all looked at"


@pytest.mark.fault(15)
async def test_fault_15_a_wall_clock_that_jumps_back_and_forth_changes_nothing_but_the_times_shown(tmp_path):
    world = World(tmp_path, plays=(Play(writes={"calc.py": "x\n"}, holds=True), WRITES), rules=AUTONOMOUS)
    await world.run()
    for jump in (-86_400.0, 2 * 86_400.0):
        now = world.clock.now()
        world.clock.now = lambda at=now + jump: at
        await world.do(do.Pause(session=world.session, by=ME))
        await world.do(do.Resume(session=world.session, by=ME))
    await world.crash()
    world.implementer.go_on.set()
    await world.do(do.Resume(session=world.session, by=ME))
    await world.finished()
    assert world.state() is State.ACCEPTED
    seqs = [record.seq for record in world.journal.session_records(world.session)]
    assert seqs == sorted(seqs)


@pytest.mark.fault(68)
def test_fault_68_root_is_warned_and_nothing_is_skipped_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    line = next(line for line in MachineDoctor(tmp_path).run() if line.name == "user")
    assert line.status is DoctorStatus.WARN
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert next((line for line in MachineDoctor(tmp_path).run() if line.name == "user"), None) is None


@pytest.mark.fault(43)
def test_fault_43_doctor_says_which_sqlite_is_there_and_what_is_wrong_with_it(tmp_path, monkeypatch):
    from obra_tui.store import sqlite

    monkeypatch.setattr(sqlite, "has_wal_reset_bug", lambda version: True)
    line = next(line for line in MachineDoctor(tmp_path).run() if line.name == "sqlite")
    assert line.status is DoctorStatus.WARN
    assert "obra-tui[sqlite]" in line.detail
