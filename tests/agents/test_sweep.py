"""What a dead Obra left running is killed, and nothing else."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from obra_tui.agents.environment import OWNER_MARK
from obra_tui.agents.sweep import owner_mark, sweep_leftovers
from obra_tui.core.ids import AttemptId, new_attempt_id
from obra_tui.system.process_env import ATTEMPT_MARK
from obra_tui.system.process_sweep import alive, identity, marked
from tests.agents.stage import Stage, exists, left_of, runs


@pytest.fixture
def spawn():
    children = []

    def start(**environment):
        child = subprocess.Popen(["sleep", "300"], env={"PATH": os.environ["PATH"], **environment})
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.wait()


@pytest.fixture
def dead():
    """The identity of a process that has ended."""
    child = subprocess.Popen(["sleep", "300"])
    name = identity(child.pid)
    child.kill()
    child.wait()
    return name


def test_a_process_has_a_name_that_no_later_one_can_have(dead):
    assert alive(identity(os.getpid()))
    assert not alive(dead)
    assert not alive(f"{os.getpid()}-1")
    assert not alive("") and not alive("x-y")


def test_processes_of_a_dead_owner_are_killed(tmp_path, spawn, dead):
    child = spawn(**{OWNER_MARK: f"{dead}@{tmp_path}", ATTEMPT_MARK: "a1"})
    swept = sweep_leftovers(tmp_path)
    assert (swept.killed, swept.attempts) == ((child.pid,), ("a1",))
    child.wait(5)


def test_processes_of_the_living_of_other_data_and_of_nobody_are_left_alone(tmp_path, spawn, dead):
    children = [
        spawn(**{OWNER_MARK: owner_mark(tmp_path), ATTEMPT_MARK: "a1"}),
        spawn(**{OWNER_MARK: f"{dead}@{tmp_path}-other", ATTEMPT_MARK: "a1"}),
        spawn(ATTEMPT="a1"),
    ]
    assert sweep_leftovers(tmp_path).killed == ()
    assert all(child.poll() is None for child in children)


def test_sockets_of_dead_processes_are_removed(tmp_path):
    (tmp_path / "cc-socks").mkdir()
    for name in (str(os.getpid()), "999999999", "notes"):
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(tmp_path / "cc-socks" / f"{name}.sock"))
    assert sweep_leftovers(tmp_path).sockets == 1
    assert sorted(path.stem for path in (tmp_path / "cc-socks").iterdir()) == sorted([str(os.getpid()), "notes"])


def test_a_folder_that_is_not_there_yet_is_no_fault(tmp_path):
    assert sweep_leftovers(tmp_path / "new").sockets == 0


@dataclass
class Owned:
    """An Obra of its own that runs a command through Claude Code."""

    obra: asyncio.subprocess.Process
    attempt: AttemptId
    """Of its own, too: other tests look for such processes at the same time."""

    @property
    def program(self) -> list[psutil.Process]:
        found = [process for process, _ in marked(ATTEMPT_MARK, self.attempt) if _is_claude(process)]
        assert found
        return found

    @property
    def left(self) -> list[str]:
        return left_of(self.attempt)


def _is_claude(process: psutil.Process) -> bool:
    try:
        return "claude" in process.name()
    except psutil.Error:
        return False


@pytest.fixture(params=["auto"])
async def owned(stage: Stage, request: pytest.FixtureRequest) -> AsyncIterator[Owned]:
    stage.play(runs("touch started; sleep 304"))
    attempt = new_attempt_id()
    words = (sys.executable, "-m", "tests.agents.owner", str(stage.folder), stage.server.url, attempt, request.param)
    owner = await asyncio.create_subprocess_exec(*words, cwd=Path(__file__).parents[2])
    await exists(stage.copy / "started")
    yield Owned(owner, attempt)
    if owner.returncode is None:
        owner.kill()
        await owner.wait()
    sweep_leftovers(stage.folder / "tmp")


@pytest.mark.e2e
@pytest.mark.parametrize("owned", ["off"], indirect=True)  # confined, the system itself ends them with the program
async def test_commands_of_a_killed_obra_are_killed_at_the_next_start(stage: Stage, owned: Owned):
    owned.obra.send_signal(signal.SIGSTOP)  # neither of the two is to end the commands when the other dies
    for process in (*owned.program, owned.obra):
        process.kill()
    await owned.obra.wait()
    assert owned.left
    sweep_leftovers(stage.folder / "tmp")
    assert owned.left == []


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a program of its parent's death")
async def test_the_program_and_its_command_die_with_obra(owned: Owned):
    owned.obra.kill()
    await owned.obra.wait()
    async with asyncio.timeout(30):
        while owned.left:
            await asyncio.sleep(0.1)
