"""From the command line to an exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from obra_tui.cli.entry import run
from obra_tui.cli.fast_start import bare_start


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
        "obra_tui.cli.entry", "obra_tui.bootstrap.app", "obra_tui.services.doctor",
        "obra_tui.ui.app", "obra_tui.ui.screens.registry",
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


@pytest.mark.parametrize(
    "line", [["demo"], ["validate", "--rehearsal", "--only", "calculator"], ["run", "--task", "x", "--headless"]]
)
def test_a_data_directory_that_cannot_be_made_is_told_in_one_line(line, tmp_path, monkeypatch, capfd):
    (tmp_path / "file").touch()
    monkeypatch.setenv("OBRA_DATA_DIR", str(tmp_path / "file" / "data"))
    author = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, *author, "commit", "-q", "--allow-empty", "-m", "begin"], check=True)
    monkeypatch.chdir(tmp_path)
    assert run(line) != 0
    said = "".join(capfd.readouterr())
    assert "Not a directory" in said
    assert "Obra itself failed" not in said


def test_a_user_without_a_home_is_told_so(monkeypatch, capsys):
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert run(["history"]) == 2
    assert capsys.readouterr().err == "obra: HOME: No home directory is known. Set HOME to a folder of yours.\n"


def test_an_empty_home_is_not_set(monkeypatch, capsys):
    monkeypatch.setenv("HOME", "")
    assert run(["--version"]) == 0
    assert "HOME" not in os.environ


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_what_the_encoding_of_the_output_lacks_is_no_crash(encoding, tmp_path):
    (tmp_path / "plan.md").write_text("[ ] Größe – 寸法 🎌\n", encoding="utf-8")
    lines = (["keys"], ["guide", "plans"], ["run", str(tmp_path / "plan.md"), "--headless"])
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    for line in lines:
        done = subprocess.run([sys.executable, "-m", "obra_tui", *line], capture_output=True, env=environment)
        assert b"itself failed" not in done.stderr, line
        assert done.stdout or b"looks like a task" in done.stderr


def test_a_name_that_is_no_utf8_is_printed_and_no_crash(tmp_path):
    project = os.fsencode(tmp_path) + b"/pl\xff"
    Path(os.fsdecode(project)).mkdir()
    done = subprocess.run([sys.executable, "-m", "obra_tui", "run", "x.md", "-C", project], capture_output=True)
    assert done.returncode == 2
    for line in ([b"run", project + b"/x.md", b"--headless"], [b"run", b"--headless", b"-C", project]):
        done = subprocess.run([sys.executable, "-m", "obra_tui", *line], capture_output=True)
        assert b"pl\\udcff" in done.stderr
        assert b"itself failed" not in done.stderr
