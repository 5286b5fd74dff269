"""The real Claude Code program, driven by a stage: the proof that the scripts work where it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from obra_tui.rehearsal import Stage, materialise
from tests.rehearsal.claude import Claude, run_pytest

pytestmark = pytest.mark.e2e


def open_room(stage: Stage, folder: Path) -> Claude:
    return Claude(folder / "home", materialise(stage.scenario, folder / "repo"), stage.claude_base_url)


def test_the_calculator_is_wrong_at_first_and_right_after_the_feedback(tmp_path: Path) -> None:
    with Stage.open("calculator", pace=0) as stage:
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


def test_claude_repairs_only_what_the_feedback_names(tmp_path: Path) -> None:
    with Stage.open("calculator", pace=0) as stage:
        claude = open_room(stage, tmp_path)
        first = claude.run("Write the calculator module")
        second = claude.run("`multiply` has no docstring.", "--resume", first.result["session_id"])
        assert second.tools == ["Read", "Edit"]
        assert run_pytest(claude.repo).returncode == 1
