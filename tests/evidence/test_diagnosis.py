"""What is missing in the environment is told from what the work broke."""

import pytest

from obra_tui.core.model import CheckStatus, FailedCase, SandboxLevel
from obra_tui.evidence.diagnosis import of_environment
from obra_tui.evidence.reading import Execution

PROJECT = '[project]\nname = "p"\nversion = "1"\ndependencies = ["requests"]\n'


def execution(output="", *messages, status=CheckStatus.FAILED):
    failures = tuple(FailedCase(name=f"t{at}", message=message) for at, message in enumerate(messages))
    return Execution(status=status, level=SandboxLevel.BWRAP, output=output, failures=failures, exit_code=1)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "own.py").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    "found",
    [
        execution("", "ModuleNotFoundError: No module named 'requests.sessions'"),
        execution("Error: Cannot find module 'requests'\n    at x"),
        execution("sh: 1: requests: not found"),
    ],
)
@pytest.mark.parametrize(("is_set_up", "remedy"), [(False, "obra doctor --write"), (True, "workspace.setup")])
def test_what_the_manifest_names_and_is_not_there_is_broken_with_its_remedy(project, found, is_set_up, remedy):
    told = of_environment(found, project, is_set_up=is_set_up)
    assert told.status is CheckStatus.BROKEN
    assert "`requests` is not installed" in told.detail and remedy in told.detail


@pytest.mark.parametrize(
    "found",
    [
        execution("", "No module named 'own'"),
        execution("", "No module named 'reqests'"),
        execution("", "No module named 'requests'", "assert 1 == 2"),
        execution("assert 1 == 2"),
    ],
)
def test_a_module_of_the_project_a_slip_and_other_failures_stay_failures_of_the_work(project, found):
    assert of_environment(found, project, is_set_up=True) == found


def test_a_plugin_that_the_options_ask_for_is_named(project):
    found = execution("error: unrecognized arguments: --cov=p", status=CheckStatus.BROKEN)
    assert "--cov=p" in of_environment(found, project, is_set_up=True).detail


def test_what_passed_is_left_as_it_is(project):
    found = execution("No module named 'requests'", status=CheckStatus.PASSED)
    assert of_environment(found, project, is_set_up=False) == found
