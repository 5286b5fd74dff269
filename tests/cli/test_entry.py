"""From the command line to an exit code."""

import subprocess
import sys
from pathlib import Path

import pytest

from obra_tui.cli.entry import run
from obra_tui.cli.plain import bare_start


@pytest.mark.parametrize(
    ("line", "folder"),
    [([], Path()), (["-C", "calc"], Path("calc")), (["--project", "/src/calc"], Path("/src/calc"))],
)
def test_the_bare_start_needs_no_parser(line, folder):
    assert bare_start(line) == folder


@pytest.mark.parametrize("line", [["run"], ["--help"], ["-C"], ["-C", ""], ["-C", "--help"], ["-C", "calc", "run"]])
def test_every_other_line_is_left_to_the_parser(line):
    assert bare_start(line) is None


def test_the_way_to_the_first_paint_loads_no_parser_and_nothing_heavy():
    modules = (
        "obra_tui.cli.entry", "obra_tui.wiring.screen", "obra_tui.wiring.doctor",
        "obra_tui.ui.app", "obra_tui.ui.screens.first",
    )  # fmt: skip
    heavy = (
        "typer", "pydantic", "sqlalchemy", "alembic", "httpx", "claude_agent_sdk", "mcp", "structlog", "unidiff",
        "tomlkit", "markdown_it", "secrets", "obra_tui.core.model", "obra_tui.core.events",
    )  # fmt: skip
    code = f"import sys, {', '.join(modules)}\nprint(sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("line", [["nonsense"], ["run", "--policy", "never"], ["run", "--nonsense"]])
def test_a_wrong_line_is_a_usage_error_and_no_crash(line, capsys):
    assert run(line) == 2
    told = capsys.readouterr().err
    assert told.startswith("obra: ")
    assert "--help`" in told
    assert "itself failed" not in told


def test_a_start_without_a_terminal_says_what_to_do(capsys):
    assert run([]) == 2
    assert "needs a terminal" in capsys.readouterr().err
