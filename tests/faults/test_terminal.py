"""The terminal is the person's: whatever becomes of Obra, they get it back."""

import os
import shlex
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.e2e.obra import environment, git, processes_of
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.tmux, pytest.mark.timeout(120)]
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
USABLE = {"alternate": "0", "cursor": "1", "mouse": "0"}


@pytest.fixture
def place(tmp_path):
    (tmp_path / "tmp").mkdir()
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    (repo / "README.md").write_text("# a project\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "start")
    return tmp_path


@pytest.fixture
def start(place):
    """Start the app in a terminal; ends with the test."""
    opened = []

    def _start(*args, env=None, **size):
        # A shell around it, as a person has: the pane lives on, and shows what they are left with.
        program = shlex.join([sys.executable, "-m", "obra_tui", *args])
        words = ["sh", "-c", f"{program}; echo ENDED $?.; exec sleep 300"]
        terminal = Terminal(words, env={**environment(place), **(env or {})}, cwd=place / "repo", **size)
        opened.append(terminal)
        return terminal

    yield _start
    for terminal in opened:
        terminal.close()


def flags(app):
    names = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}"
    return dict(zip(("alternate", "cursor", "mouse"), app._tmux("display", "-p", names).stdout.split(), strict=True))


def guard_of(app):
    (guard,) = psutil.Process(int(app._tmux("display", "-p", "#{pane_pid}").stdout)).children()
    return guard


def ended(app):
    """Return the exit code that the shell saw."""
    shown = app.wait_for("ENDED", timeout=30)
    return int(shown.partition("ENDED ")[2].partition(".")[0])


def until(condition, limit_s=30.0):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.fault(54)
@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM", "SIGHUP"])
def test_fault_54_the_terminal_is_restored_whatever_ends_the_screen(start, place, name):
    app = start()
    app.wait_for("Help")
    until(lambda: flags(app)["alternate"] == "1" and flags(app)["cursor"] == "0")
    guard = guard_of(app)
    (screen,) = guard.children()
    screen.send_signal(getattr(signal, name))
    assert ended(app) == 128 + getattr(signal, name)
    assert flags(app) == USABLE
    until(lambda: processes_of(place / "data") == [])


@pytest.mark.fault(54)
@pytest.mark.fault(16)
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_fault_16_a_signal_to_obra_itself_ends_it_in_order(start, place, name):
    app = start()
    app.wait_for("Help")
    guard_of(app).send_signal(getattr(signal, name))
    assert ended(app) == 128 + getattr(signal, name)
    assert flags(app) == USABLE


@pytest.mark.fault(54)
def test_fault_54_a_killed_guard_leaves_no_screen_behind(start, place):
    app = start()
    app.wait_for("Help")
    guard = guard_of(app)
    (screen,) = guard.children()
    guard.kill()
    until(lambda: not screen.is_running() or screen.status() == psutil.STATUS_ZOMBIE)


LEADER = "import signal, subprocess, sys; signal.signal(1, lambda *_: None); subprocess.run(sys.argv[1:])"


@pytest.mark.fault(54)
@pytest.mark.parametrize("leader", [[], [sys.executable, "-c", LEADER]], ids=["itself", "one that passes nothing on"])
@pytest.mark.parametrize("keys", [(), ("3", "4", "slash", "x")], ids=["first screen", "typing"])
def test_fault_54_a_terminal_that_goes_away_ends_obra_in_order(place, leader, keys):
    """The kernel tells the leader of the session alone; make as a leader, for one, passes nothing on."""
    words = [*leader, sys.executable, "-m", "obra_tui", "demo", "slow"]
    app = Terminal(words, env=environment(place), cwd=place / "repo")
    try:
        app.wait_for("attempt")
        app.press(*keys) if keys else None
    finally:
        app.close()
    until(lambda: processes_of(place) == [])
    told = subprocess.run(
        [sys.executable, "-m", "obra_tui", "history", "--json"], env=environment(place), cwd=place, text=True, **PIPES
    )
    assert told.returncode == 0, told.stdout


@pytest.mark.fault(16)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_fault_16_a_run_without_a_screen_ends_in_order_on_a_signal(place, number):
    words = [sys.executable, "-m", "obra_tui", "demo", "slow", "--headless"]
    running = subprocess.Popen(words, env=environment(place), cwd=place, text=True, **PIPES)
    for line in running.stdout:
        if "attempt" in line.lower():
            break
    running.send_signal(number)
    out, _ = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "the work is kept" in out
    until(lambda: processes_of(place / "data") == [])


@pytest.mark.fault(16)
def test_fault_16_a_second_ctrl_c_ends_it_with_the_same_code_and_nothing_left(place):
    words = [sys.executable, "-m", "obra_tui", "demo", "slow", "--headless"]
    running = subprocess.Popen(words, env=environment(place), cwd=place, text=True, **PIPES)
    next(line for line in running.stdout if "attempt" in line.lower())
    running.send_signal(signal.SIGINT)
    next(line for line in running.stdout if "Stopping" in line)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "Traceback" not in out
    until(lambda: processes_of(place / "data") == [])


@pytest.mark.fault(55)
def test_fault_55_a_tiny_terminal_and_a_storm_of_sizes_are_survived(start):
    app = start(width=20, height=5)
    until(lambda: flags(app)["alternate"] == "1")
    for width, height in [(20, 5), (200, 50), (21, 6), (80, 24), (1, 1), (120, 36), (20, 5), (2, 90), (80, 24)] * 3:
        app._tmux("resize-window", "-x", str(width), "-y", str(height))
    app.wait_for("Help")
    app.press("C-q")
    assert ended(app) == 0
    assert flags(app) == USABLE


@pytest.mark.fault(55)
def test_fault_55_a_dumb_terminal_gets_a_sentence_and_no_screen(start):
    app = start(env={"TERM": "dumb"}, width=80, height=24)
    assert ended(app) == 2
    assert "needs a terminal" in app.screen()
    assert flags(app) == USABLE


@pytest.mark.fault(55)
def test_fault_55_a_terminal_without_colour_shows_everything(start):
    app = start(env={"NO_COLOR": "1"}, width=80, height=24)
    app.wait_for("Help")
    app.press("C-q")
    assert ended(app) == 0


@pytest.mark.fault(55)
def test_fault_55_without_a_terminal_there_are_lines_and_no_control_bytes(place):
    words = [sys.executable, "-m", "obra_tui"]
    done = subprocess.run(
        words, env=environment(place), cwd=place / "repo", capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 2
    assert b"needs a terminal" in done.stderr
    assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.fault(65)
def test_fault_65_nothing_of_obra_listens_on_the_network(start, place):
    app = start()
    app.wait_for("Help")
    family = [guard_of(app), *guard_of(app).children(recursive=True)]
    listening = [c for process in family for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert len(family) >= 2
    assert listening == []


def test_the_guard_is_there_only_on_a_terminal():
    from obra_tui.bootstrap.terminal_guard import guarded

    before = os.getpid()
    assert guarded(lambda: os.getpid() - before) == 0
