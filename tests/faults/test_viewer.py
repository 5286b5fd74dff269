"""A second Obra on the same data is a viewer, and its commands reach the first one."""

import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from obra_tui.core import commands as do
from obra_tui.core.errors import GateDecided, StoreError
from obra_tui.core.ids import GateId, SessionId
from obra_tui.core.model import Binding, Decision, DecisionKind
from obra_tui.store.commands import NAME, CommandAnswer, CommandTable
from tests.e2e.obra import environment, git, obra
from tests.e2e.terminal import Terminal

BINDING = Binding(attempt="a1", tree="t" * 40, diff_digest="d" * 64, rubric_hash="")
DECIDE = do.Decide(
    gate=GateId("g1"),
    binding=BINDING,
    decision=Decision(kind=DecisionKind.REJECT, by="person:ada", note="no \x1b[2J ü"),
)


@pytest.fixture
def table(tmp_path):
    return CommandTable(tmp_path)


def test_a_command_arrives_as_it_was_given_and_once(table, tmp_path):
    number = table.put(DECIDE)
    table.put(do.Pause(session=SessionId("s1"), by="person:bob"))
    other = CommandTable(tmp_path)
    assert other.changed()
    assert other.take() == [(number, DECIDE), (number + 1, do.Pause(session=SessionId("s1"), by="person:bob"))]
    assert other.take() == []
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_an_answer_comes_back_as_value_or_as_the_error_it_was(table):
    first, second = table.put(DECIDE), table.put(DECIDE)
    assert table.answer_of(first) is None
    table.answer(first, CommandAnswer(value=("t1", "t2")))
    table.answer(second, CommandAnswer(error=GateDecided(GateId("g1"), "person:bob", "12:00")))
    assert table.answer_of(first).value == ("t1", "t2")
    error = table.answer_of(second).error
    assert isinstance(error, GateDecided)
    assert "person:bob at 12:00" in str(error)


def test_a_new_owner_carries_out_nothing_of_the_old_ones(table):
    number = table.put(DECIDE)
    table.clear()
    assert table.take() == []
    with pytest.raises(StoreError, match="has ended"):
        table.answer_of(number)


def test_a_command_of_another_version_is_refused_and_the_rest_is_done(table, tmp_path):
    number = table.put(DECIDE)
    with sqlite3.connect(tmp_path / NAME) as db:
        db.execute("update command set kind = 'Dance'")
    known = table.put(DECIDE)
    assert table.take() == [(known, DECIDE)]
    assert "does not know" in str(table.answer_of(number).error)


# --- the whole program ---------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path):
    (tmp_path / "tmp").mkdir()
    return tmp_path


@pytest.fixture
def terminal(home):
    """Start Obra in a terminal; ends with the test."""
    opened = []

    def _start(*args, cwd=home, **size):
        words = [sys.executable, "-m", "obra_tui", *args]
        opened.append(Terminal(words, env=environment(home), cwd=cwd, **size))
        return opened[-1]

    yield _start
    for one in opened:
        one.close()


def waiting_gate(home):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        shown = obra(home, "review", "--json").events if (home / "data" / "obra.db").exists() else []
        if shown:
            return shown[0]
        time.sleep(0.2)
    raise AssertionError("no gate came")


@pytest.mark.long
@pytest.mark.e2e
@pytest.mark.tmux
@pytest.mark.fault(47)
@pytest.mark.timeout(180)
def test_fault_47_a_second_obra_shows_the_first_ones_work_and_a_decision_reaches_it(terminal, home):
    first = terminal("demo", "--pace", "0")
    gate = waiting_gate(home)
    (repo,) = (home / "data" / "rehearsals").iterdir()
    second = terminal(cwd=repo)
    second.wait_for("viewer (pid", "Quality: 0.97 (PASS)")
    done = obra(home, "review", "--approve", gate["id"], "--json")
    assert (done.code, done.events[-1]["state"]) == (0, "accepted"), done.err
    first.wait_for("ACCEPTED")
    second.wait_for("ACCEPTED")
    again = obra(home, "review", "--reject", gate["id"], "--note", "no")
    assert (again.code, "already answered" in again.err) == (2, True)
    first.press("q")
    assert first.wait_for_end(60) == 0
    second.wait_for("has ended", "Take over")
    second.press("Down", "Enter")
    second.wait_for(without=["viewer (pid", "has ended"])
    second.press("C-q")
    assert second.wait_for_end(60) == 0
    assert git(repo, "log", "--all", "--format=%(trailers:key=Obra-Attempt,valueonly)").split() == [gate["attempt"]]


@pytest.mark.e2e
@pytest.mark.fault(47)
@pytest.mark.fault(13)
@pytest.mark.timeout(120)
def test_fault_13_a_frozen_owner_is_said_not_to_answer(home, monkeypatch):
    words = [sys.executable, "-m", "obra_tui", "demo", "slow", "--headless"]
    owner = subprocess.Popen(words, env=environment(home), cwd=home, stdout=subprocess.PIPE, text=True)
    next(line for line in owner.stdout if "attempt" in line.lower())
    owner.send_signal(signal.SIGSTOP)
    try:
        refused = obra(
            home, "run", "--task", "x", "--headless", "-C", str(next((home / "data" / "rehearsals").iterdir()))
        )
    finally:
        owner.send_signal(signal.SIGCONT)
        owner.terminate()
        owner.communicate(timeout=30)
    assert refused.code == 7
    assert f"process {owner.pid}" in refused.err
