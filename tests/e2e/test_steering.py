"""Steering from a second terminal: `obra steer` and `obra permissions` act on an app that runs Claude Code."""

import json
import sqlite3
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.house import CHECKS
from tests.e2e.obra import environment, git, obra, processes_of
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.tmux, pytest.mark.timeout(180)]

SCENARIO = f"""
title = "Steering"
{CHECKS}
[[scripts]]
name = "hello"
match = ["Write the welcome"]
[[scripts.turns]]
[[scripts.turns.replies]]
use = [{{ write = "hello.py", from = "work/hello.py" }}]
[[scripts.turns.replies]]
use = [{{ bash = "git push origin HEAD", why = "Publish it" }}]
[[scripts.turns.replies]]
use = [{{ bash = "git push origin HEAD", why = "Publish it again" }}]
[[scripts.turns.replies]]
use = [{{ bash = "touch waits", why = "Wait for the person" }}]
[[scripts.turns.replies]]
say = "It is written."
"""
HELLO = '"""Greetings."""\n\n\ndef hello(name: str) -> str:\n    return f"Hello, {name}"\n'
BY_HAND = HELLO.replace("    return", '    """Return a welcome."""\n    return')
TEST = "from hello import hello\n\n\ndef test_hello():\n    assert hello('Ada') == 'Hello, Ada'\n"


@pytest.fixture
def app(tmp_path):
    scenario = tmp_path / "steering"
    (scenario / "repo" / "tests").mkdir(parents=True)
    (scenario / "work").mkdir()
    (scenario / "repo" / "tests" / "test_hello.py").write_text(TEST)
    (scenario / "repo" / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    (scenario / "work" / "hello.py").write_text(HELLO)
    (scenario / "plan.md").write_text("# Greetings\n\n- [ ] Write the welcome\n")
    (scenario / "scenario.toml").write_text(SCENARIO)
    (tmp_path / "tmp").mkdir()
    env = environment(tmp_path, OBRA_CLAUDE__HOLD_PROMPTS="true", OBRA_GATE__UNDO_S="0")
    command = [sys.executable, "-m", "obra_tui", "demo", str(scenario), "--policy", "manual", "--pace", "0"]
    terminal = Terminal(command, env=env, cwd=tmp_path)
    yield terminal
    terminal.close()


def until(home, wanted, *args):
    """Repeat a command until it tells of an object of this type; returns that."""
    deadline = time.monotonic() + 60
    while True:
        ran = obra(home, *args, "--json")
        found = ran.of(wanted)
        if found:
            return found[0]
        assert time.monotonic() < deadline, f"never told {wanted}: {ran.out} {ran.err}"
        time.sleep(0.2)


def asked(home, title):
    deadline = time.monotonic() + 60
    while True:
        question = until(home, "waiting_question", "permissions")
        if question["question"]["title"] == title:
            return question["question"]
        assert time.monotonic() < deadline
        time.sleep(0.2)


def do(home, *args):
    ran = obra(home, *args, "--json")
    assert ran.code == 0, ran.err + ran.out
    return ran.summary


def test_a_run_is_steered_from_a_second_terminal(app, tmp_path):
    app.wait_for("first prompt of T001 waits", timeout=90)
    prompt = until(tmp_path, "held_prompt", "steer", "T001", "--show-prompt")["text"]
    mine = tmp_path / "prompt.md"
    mine.write_text(f"{prompt}\n\nSay it in English.\n")
    do(tmp_path, "steer", "T001", "--send-prompt", str(mine))

    question = asked(tmp_path, "git push origin HEAD")
    assert "git push" in question["dangers"]
    do(tmp_path, "permissions", "--for-session", question["id"])
    question = asked(tmp_path, "touch waits")
    rule = until(tmp_path, "standing_rule", "permissions")
    assert (rule["pattern"], rule["used"]) == ("Bash(git push origin HEAD)", 1), (
        "what is dangerous is allowed word for word only"
    )
    do(tmp_path, "permissions", "--revoke", rule["id"])
    app.press("R")
    app.wait_for("Nothing was allowed for the session")
    app.press("Escape")

    do(tmp_path, "steer", "T001", "--take-over")
    app.wait_for("is in the hands of")
    with sqlite3.connect(f"file:{tmp_path / 'data' / 'obra.db'}?mode=ro", uri=True) as db:
        ((copy,),) = db.execute("select copy_path from task").fetchall()
    assert not (Path(copy) / "waits").exists()
    (Path(copy) / "hello.py").write_text(BY_HAND)
    assert do(tmp_path, "steer", "T001", "--give-back", "check")["changed"] == ["hello.py"]

    gate = until(tmp_path, "waiting_gate", "review")["id"]
    approved = obra(tmp_path, "review", "--approve", gate, "--note", "Mine.", "--json")
    assert approved.code == 0, approved.err + approved.out
    assert approved.summary["state"] == "accepted"
    app.press("C-q")
    assert app.wait_for_end() == 0
    check_records(tmp_path, mine.read_text())
    (repo,) = (tmp_path / "data" / "rehearsals").iterdir()
    (branch,) = [line.strip("* ") for line in git(repo, "branch", "--list", "obra/*").splitlines()]
    assert git(repo, "show", f"{branch}:hello.py").strip() == BY_HAND.strip()
    assert processes_of(tmp_path) == []


def check_records(home, prompt):
    with sqlite3.connect(f"file:{home / 'data' / 'obra.db'}?mode=ro", uri=True) as db:
        rows = db.execute("select type, attempt, body from event order by at, seq").fetchall()
    told = [(kind, attempt, json.loads(body)) for kind, attempt, body in rows]
    (sent,) = [body for kind, _, body in told if kind == "prompt_sent"]
    assert sent["text"] == prompt, "word for word"
    assert sent["by"].startswith("person:")
    attempts = [attempt for kind, attempt, _ in told if kind == "attempt_started"]
    ran = {attempt for kind, attempt, _ in told if kind == "claude_started"}
    assert ran == {attempts[0]}, "the second attempt is the person's"
    (back,) = [body for kind, _, body in told if kind == "work_handed_back"]
    assert (back["then"], back["files"]) == ("check", ["hello.py"])
    assert len([1 for kind, _, _ in told if kind == "rule_revoked"]) == 1
