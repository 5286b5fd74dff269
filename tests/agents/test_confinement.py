"""What confinement says when it does not work, and what a confined run can and cannot see."""

import os
from pathlib import Path

import pytest

from obra_tui.agents.confinement import level
from obra_tui.agents.environment import CERTIFICATES
from obra_tui.agents.program_home import visible_to
from obra_tui.core.errors import ImplementerError
from obra_tui.core.events import ClaudeNoticed, ClaudeStarted, ToolFinished
from obra_tui.core.model import Confinement, Outcome
from tests.agents.stage import Stage, allow, runs, says


@pytest.fixture
def bwrap(tmp_path, monkeypatch):
    """Put a bubblewrap of ours first in the search path, or none at all."""

    def setup(script: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        if script:
            (folder / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
            (folder / "bwrap").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/bin" if script else str(folder))

    return setup


def test_a_machine_without_bubblewrap_is_told_the_package(bwrap, tmp_path):
    bwrap("")
    found = level(tmp_path / "tmp")
    assert found.confinement is Confinement.NONE
    assert "install the package bubblewrap" in found.problem and found.fix == "apt install bubblewrap"


@pytest.mark.parametrize(
    "said",
    [
        "bwrap: No permissions to create a new namespace, likely because the kernel does not allow it",
        "bwrap: Creating new namespace failed: Operation not permitted",
        "bwrap: setting up uid map: Permission denied",
    ],
)
def test_bubblewrap_that_may_not_be_used_is_one_sentence_with_the_remedy(bwrap, tmp_path, said):
    bwrap(f"echo '{said}' >&2; exit 1")
    problem = level(tmp_path / "tmp").problem
    assert said in problem and "seccomp=unconfined" in problem and "\n" not in problem


def test_bubblewrap_that_confines_nothing_is_not_believed(bwrap, tmp_path):
    bwrap('while [ "$1" != -- ]; do shift; done; shift; exec "$@"')
    found = level(tmp_path / "tmp")
    assert (found.confinement, found.problem) == (
        Confinement.NONE,
        "bubblewrap does not hold here: the canary got out.",
    )


async def test_where_confinement_is_required_nothing_starts_without_it(bwrap, stage: Stage):
    bwrap("exit 1")
    stage.set(sandbox="required")
    with pytest.raises(ImplementerError, match="may only run confined"):
        await stage.run()


@pytest.mark.e2e
async def test_a_run_that_is_not_confined_says_so_and_why(stage: Stage):
    stage.set(sandbox="off")
    stage.play(says("Done."))
    result = await stage.run()
    assert result.confinement is Confinement.NONE
    assert stage.of(ClaudeStarted)[0].confinement is Confinement.NONE
    assert any("not confined: claude.sandbox is off" in event.text for event in stage.of(ClaudeNoticed))


@pytest.mark.e2e
@pytest.mark.skipif(not os.path.exists("/usr/bin/bwrap"), reason="no bubblewrap")  # noqa: PTH110
async def test_with_the_network_closed_the_api_is_reached_and_other_servers_are_not(stage: Stage):
    stage.set(sandbox="required", network="api")
    look = "python3 -c \"import socket; socket.create_connection(('127.0.0.1', 22), 2)\"; cat /proc/net/dev | wc -l"
    stage.play(runs(look), says("Done."))
    stage.person.answers = [allow()]
    result = await stage.run()
    assert (result.outcome, result.confinement) == (Outcome.COMPLETED, Confinement.BWRAP)
    output = stage.of(ToolFinished)[0].output
    assert "refused" in output and output.rstrip().endswith("3"), output


@pytest.mark.parametrize("name", CERTIFICATES)
def test_certificates_are_shown_to_a_confined_program_and_an_empty_name_shows_nothing(stage: Stage, name):
    def tools(value):
        parent = {"HOME": str(stage.folder / "home"), "PATH": "/bin", name: value}
        return visible_to(stage.config, parent, str(stage.copy), program=Path("/bin/true")).tools

    assert "/root/corp.pem" in tools("/root/corp.pem")
    assert str(Path.cwd()) not in map(os.path.realpath, tools(""))


async def test_a_home_that_cannot_be_made_is_said_with_what_to_set(stage: Stage):
    stage.set(home=Path("/proc/nobody"))
    with pytest.raises(ImplementerError) as refused:
        await stage.run()
    assert "cannot be made" in refused.value.what and "Set HOME" in refused.value.fix


async def test_a_home_that_is_not_there_is_made(stage: Stage):
    stage.set(home=stage.folder / "new" / "home")
    stage.play(says("Done."))
    assert (await stage.run()).outcome is Outcome.COMPLETED
