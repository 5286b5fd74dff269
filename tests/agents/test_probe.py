"""What the doctor learns of Claude Code."""

import pytest

from obra_tui.agents.claude_code import bundled_program
from obra_tui.agents.confinement import _TRAMPOLINE, _works, launcher
from obra_tui.agents.probe import probe
from tests.agents.stage import Stage


@pytest.mark.e2e
def test_the_bundled_program_is_found_with_its_version(stage: Stage):
    found = probe(stage.config)
    assert found.program == str(bundled_program())
    assert found.version[0].isdigit() and found.sdk_version == "0.2.187"
    assert (found.logged_in, found.login, found.problems) == (True, "settings", ())


@pytest.mark.e2e
def test_a_missing_login_is_found_without_asking_the_network(stage: Stage):
    stage.set(api_key="")
    found = probe(stage.config, {"PATH": "/usr/bin:/bin"})
    assert (found.logged_in, found.login) == (False, "none")
    assert "/login" in found.problems[0][1]
    assert stage.server.exchanges == ()


@pytest.mark.e2e
def test_a_login_from_the_environment_is_named(stage: Stage):
    stage.set(api_key="", base_url="")
    assert probe(stage.config, {"ANTHROPIC_API_KEY": "x", "PATH": "/bin"}).login == "ANTHROPIC_API_KEY"


def test_a_missing_program_is_a_problem_with_a_fix(stage: Stage):
    stage.set(cli_path=stage.folder / "nowhere")
    what, fix = probe(stage.config).problems[0]
    assert str(stage.folder / "nowhere") in what and "claude.cli_path" in fix


def test_a_program_that_says_nothing_is_a_problem(stage: Stage):
    program = stage.folder / "claude"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    stage.set(cli_path=program, api_key="", base_url="")
    found = probe(stage.config, {})
    assert (found.version, found.logged_in, found.login) == ("", None, "not checked")
    assert "version" in found.problems[0][0]


def test_there_is_a_way_to_die_with_the_parent_with_and_without_setpriv():
    import sys

    assert launcher() and _works(launcher())
    assert _works((sys.executable, "-I", "-S", "-c", _TRAMPOLINE))
    assert not _works(("/nonexistent/setpriv",))
