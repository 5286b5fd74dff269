"""Obra's ids and Claude's ids cannot be mixed up: a type checker refuses it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = """\
from obra_tui.api import ClaudeSessionId, Obra, SessionId, TaskId, Usage


def right(obra: Obra, ours: SessionId, task: TaskId) -> None:
    obra.session(ours)
    obra.execute_task(task, ours)
    obra.update_session_usage(ours, Usage())


def wrong(obra: Obra, theirs: ClaudeSessionId, task: TaskId) -> None:
    obra.session(theirs)
    obra.execute_task(task, theirs)
    obra.update_session_usage(theirs, Usage())
    obra.execute_task(SessionId("s1"))
"""
OPTIONS = ("--strict", "--follow-imports=silent", "--no-error-summary")


@pytest.mark.timeout(300)
def test_a_type_checker_refuses_claudes_id_where_ours_is_wanted(tmp_path):
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *OPTIONS, "--cache-dir", tmp_path / "cache", file],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert [line.partition("script.py:")[2] for line in done.stdout.splitlines()] == [
        refused(11, 1, "session", "ClaudeSessionId", "SessionId"),
        refused(12, 2, "execute_task", "ClaudeSessionId", "SessionId | None"),
        refused(13, 1, "update_session_usage", "ClaudeSessionId", "SessionId"),
        refused(14, 1, "execute_task", "SessionId", "TaskId"),
    ], done.stdout + done.stderr


def refused(line, argument, method, given, wanted):
    return (
        f'{line}: error: Argument {argument} to "{method}" of "Obra" has incompatible type "{given}"; '
        f'expected "{wanted}"  [arg-type]'
    )
