"""The app in a real terminal, with the real Claude Code program, keys typed as a person types them."""

import sqlite3
import sys

import pytest

from tests.e2e.obra import environment, git, processes_of
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.tmux, pytest.mark.timeout(180)]


@pytest.fixture
def start(tmp_path):
    """Start the app in a terminal; ends with the test."""
    opened = []
    (tmp_path / "tmp").mkdir()

    def _start(*args, **size):
        env = environment(tmp_path, OBRA_GATE__UNDO_S="0.5")
        terminal = Terminal([sys.executable, "-m", "obra_tui", *args], env=env, cwd=tmp_path, **size)
        opened.append(terminal)
        return terminal

    yield _start
    for terminal in opened:
        terminal.close()


def database(home):
    return sqlite3.connect(f"file:{home / 'data' / 'obra.db'}?mode=ro", uri=True)


def test_the_panes_fill_the_gate_waits_and_the_person_accepts(start, tmp_path):
    app = start("demo", "--pace", "0.2")
    app.wait_for("REHEARSAL", "Claude Code")
    shown = app.wait_for("Press g", "Quality: 0.97 (PASS)", timeout=90)
    assert "Write" in shown or "Edit" in shown
    app.press("g")
    app.wait_for("Approve", "calculator.py", "why you")
    app.listen("a Approve →")
    app.press("a")
    app.wait_for("ACCEPTED")
    app.press("q")
    assert app.wait_for_end() == 0
    assert processes_of(tmp_path) == []
    with database(tmp_path) as db:
        assert db.execute("select kind, by from decision").fetchone()[0] == "approve"
    (repo,) = (tmp_path / "data" / "rehearsals").iterdir()
    (branch,) = git(repo, "branch", "--list", "obra/*", "--format=%(refname:short)").splitlines()
    assert "def divide" in git(repo, "show", f"{branch}:calculator.py")
    assert not (repo / "calculator.py").exists()


def test_typing_words_while_a_gate_arrives_decides_nothing(start, tmp_path):
    app = start("demo", "--pace", "0")
    app.wait_for("Press g", timeout=90)
    app.type("cat a rat y 1\r")
    app.press("Enter")
    app.wait_for("REHEARSAL")
    with database(tmp_path) as db:
        assert db.execute("select count(*) from decision").fetchone() == (0,)
    app.press("C-q")
    app.wait_for_end()


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_the_demo_is_whole_at_other_sizes(start, size):
    app = start("demo", "--pace", "0", width=size[0], height=size[1])
    app.wait_for("REHEARSAL", "Press g", timeout=90)
    app.press("C-q")
    assert app.wait_for_end() == 0


def test_quitting_in_the_middle_asks_and_leaves_no_process(start, tmp_path):
    app = start("demo", "slow", "--pace", "1")
    app.wait_for("IMPLEMENTING", timeout=60)
    app.press("q")
    app.wait_for("top now")
    app.press("Escape")
    app.wait_for("IMPLEMENTING")
    app.press("C-q")
    app.wait_for("top now")
    app.press("Down", "Down", "Enter")
    assert app.wait_for_end() == 0
    assert processes_of(tmp_path) == []
