"""The real Claude Code program, driven by a stage: the proof that the scripts work where it counts.

What `obra demo` shows in tests/e2e with the same scenarios is marked long here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from obra_tui.rehearsal import Fault, FaultKind, RehearsalServers, materialise
from tests.rehearsal.claude import Claude, run_pytest

pytestmark = pytest.mark.e2e


def open_room(stage: RehearsalServers, folder: Path) -> Claude:
    return Claude(folder / "home", materialise(stage.scenario, folder / "repo"), stage.claude_base_url)


@pytest.mark.long
def test_the_calculator_is_wrong_at_first_and_right_after_the_feedback(tmp_path: Path) -> None:
    with RehearsalServers.open("calculator", pace=0) as stage:
        claude = open_room(stage, tmp_path)
        first = claude.run("Write the calculator module\nEvery function has a docstring.")
        assert first.tools == ["Read", "Write"], first
        assert not first.result["is_error"]
        before = run_pytest(claude.repo)
        assert before.returncode == 1
        assert "FAILED tests/test_calculator.py::test_divide_by_zero_raises" in before.stdout

        feedback = f"The tests fail:\n{before.stdout}\nAnd `multiply` has no docstring."
        second = claude.run(feedback, "--resume", first.result["session_id"])
        assert second.tools == ["Read", "Edit", "Edit"], second
        assert run_pytest(claude.repo).returncode == 0
        assert "Return the product" in (claude.repo / "calculator.py").read_text()
        assert [(a.prompt_number, a.step) for a in stage.claude.requests] == [
            (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (2, 3),
        ]  # fmt: skip
        assert stage.claude.prompts[1] == feedback


@pytest.mark.long
def test_claude_repairs_only_what_the_feedback_names(tmp_path: Path) -> None:
    with RehearsalServers.open("calculator", pace=0) as stage:
        claude = open_room(stage, tmp_path)
        first = claude.run("Write the calculator module")
        second = claude.run("`multiply` has no docstring.", "--resume", first.result["session_id"])
        assert second.tools == ["Read", "Edit"]
        assert run_pytest(claude.repo).returncode == 1


def test_commands_that_nobody_allows_are_denied_and_the_run_goes_on(tmp_path: Path) -> None:
    with RehearsalServers.open("bash-user", pace=0) as stage:
        claude = open_room(stage, tmp_path)
        run = claude.run("Write the greeting module")
    assert run.tools == ["Write", "Bash", "Bash"]
    assert "git push origin HEAD" in [d["tool_input"]["command"] for d in run.result["permission_denials"]]
    assert (claude.repo / "greeting.py").is_file()


@pytest.mark.long
def test_tasks_in_one_conversation_and_feedback_find_their_scripts(tmp_path: Path) -> None:
    with RehearsalServers.open("two-tasks", pace=0) as stage:
        claude = open_room(stage, tmp_path)
        first = claude.run("Compute the area of a rectangle")
        claude.run("Compute the price of a carpet", "--resume", first.result["session_id"])
        assert [a.script for a in stage.claude.requests] == ["area"] * 2 + ["price"] * 3
    assert run_pytest(claude.repo).returncode == 0


def test_a_usage_limit_of_a_subscription_is_reported_with_its_end(tmp_path: Path) -> None:
    with RehearsalServers.open("csv", pace=0, claude_faults=[Fault(kind=FaultKind.LIMITED, seconds=900)]) as stage:
        claude = open_room(stage, tmp_path)
        run = claude.run("go", ANTHROPIC_API_KEY="", CLAUDE_CODE_OAUTH_TOKEN="made-up")
    assert run.result["is_error"]
    limits = [f["rate_limit_info"] for f in run.frames if f["type"] == "rate_limit_event"]
    assert limits[-1]["status"] == "rejected"
    assert limits[-1]["resetsAt"] > 0


def test_a_stream_that_breaks_is_asked_for_again_without_streaming(tmp_path: Path) -> None:
    with RehearsalServers.open("csv", pace=0, claude_faults=[Fault(kind=FaultKind.ERROR_EVENT, after=2)]) as stage:
        claude = open_room(stage, tmp_path)
        run = claude.run("go", CLAUDE_CODE_MAX_RETRIES="1")
        assert [a.stream for a in stage.claude.requests][:2] == [True, False]
    assert not run.result["is_error"]
    assert run_pytest(claude.repo).returncode == 0


def test_what_the_person_watches_comes_at_a_pace_to_be_read(tmp_path: Path) -> None:
    with RehearsalServers.open("two-tasks", pace=0.05) as stage:
        claude = open_room(stage, tmp_path)
        run = claude.run("Compute the area of a rectangle", "--include-partial-messages")
    deltas = [f for f in run.frames if f["type"] == "stream_event" and f["event"]["type"] == "content_block_delta"]
    assert len(deltas) > 10
