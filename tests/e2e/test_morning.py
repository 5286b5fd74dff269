"""A whole morning at the gate in a real terminal: every kind of answer once, then database and git are looked at."""

import json
import sqlite3
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.house import CHECKS
from tests.e2e.obra import environment, git, processes_of
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.tmux, pytest.mark.timeout(240)]

UNDO_S = 5
NOTE = "Say in the docstring what is added."
SCENARIO = f'title = "A morning"\n{CHECKS}'
SCRIPT = """
[[scripts]]
name = "{name}"
match = ["{title}"]
[[scripts.turns]]
[[scripts.turns.replies]]
use = [{{ write = "{name}.py", from = "work/{name}.py" }}]
{more}
[[scripts.turns.replies]]
say = "It is written."
[[scripts.turns]]
[[scripts.turns.replies]]
use = [{{ read = "{name}.py" }}]
[[scripts.turns.replies]]
use = [{{ write = "{name}.py", from = "work/{name}_2.py" }}]
[[scripts.turns.replies]]
say = "It is done as you asked."
"""
PUSH = """
[[scripts.turns.replies]]
say = "Now I publish it."
use = [{ bash = "git push origin HEAD", why = "Push the branch" }]
"""
FILES = {
    "hello.py": '''"""Greetings."""


def hello(name: str) -> str:
    """Return a welcome."""
    return f"Hello, {name}"
''',
    "total.py": '''"""Sums."""


def total(numbers: list[int]) -> int:
    return sum(numbers)
''',
    "total_2.py": '''"""Sums."""


def total(numbers: list[int]) -> int:
    """Return the numbers added up."""
    return sum(numbers)
''',
    "shout.py": '''"""Noise."""


def shout(text: str) -> str:
    """Return the text in capitals."""
    return text.upper()
''',
}
TITLES = {"hello": "Write the welcome", "total": "Write the sum", "shout": "Write the shouting"}


@pytest.fixture
def scenario(tmp_path):
    folder = tmp_path / "morning"
    (folder / "repo" / "tests").mkdir(parents=True)
    (folder / "repo" / "tests" / "test_it.py").write_text("def test_it_is_there():\n    assert True\n")
    (folder / "work").mkdir()
    for name, text in FILES.items():
        (folder / "work" / name).write_text(text)
    for name in ("hello", "shout"):
        (folder / "work" / f"{name}_2.py").write_text(FILES[f"{name}.py"])
    (folder / "plan.md").write_text("# Morning\n\n" + "".join(f"- [ ] {title}\n" for title in TITLES.values()))
    scripts = (
        SCRIPT.format(name=name, title=title, more=PUSH if name == "hello" else "") for name, title in TITLES.items()
    )
    (folder / "scenario.toml").write_text(SCENARIO + "".join(scripts))
    return folder


@pytest.fixture
def app(tmp_path, scenario):
    (tmp_path / "tmp").mkdir()
    env = environment(tmp_path, OBRA_GATE__UNDO_S=str(UNDO_S))
    command = [sys.executable, "-m", "obra_tui", "demo", str(scenario), "--policy", "manual", "--pace", "0"]
    terminal = Terminal(command, env=env, cwd=tmp_path)
    yield terminal
    terminal.close()


class Records:
    """What the database holds, read beside the running app."""

    def __init__(self, home):
        self._path = home / "data" / "obra.db"

    def rows(self, query):
        with sqlite3.connect(f"file:{self._path}?mode=ro", uri=True) as db:
            return db.execute(query).fetchall()

    def events(self, kind):
        return [json.loads(body) for (body,) in self.rows(f"select body from event where type = '{kind}' order by at")]

    def until(self, query, wanted, timeout=60):
        deadline = time.monotonic() + timeout
        while self.rows(query) != wanted:
            assert time.monotonic() < deadline, f"{query} stayed {self.rows(query)}"
            time.sleep(0.1)


def write(app, text, *words):
    app.wait_for(*words)
    app.type(text)
    app.wait_for(text)
    app.press("C-s")


def test_a_whole_morning(app, tmp_path):
    records = Records(tmp_path)
    deny_the_push(app, records)
    app.wait_for("3 gates wait", timeout=120)
    approve_and_undo(app, records)
    send_back_with_a_finding(app)
    app.listen("T001", "a Approve →")
    app.press("a")
    reject_with_a_reason(app)
    # T003 is rejected; what is open then is the gate of T002, which was sent back before.
    records.until("select count(*) from task where key = 'T003' and state = 'rejected'", [(1,)])
    records.until("select count(*) from gate where closed_at is null", [(1,)])
    refuse_the_stale_approval(app, records)
    records.until("select key, state from task order by key", ENDS, timeout=30)
    # The run ends after its last task; before the screen has heard of it, quitting asks what to do with it.
    last = "select type from event where type in ('run_started', 'run_finished') order by id desc limit 1"
    records.until(last, [("run_finished",)])
    app.wait_for("ACCEPTED", "t New task")
    app.press("C-q")
    assert app.wait_for_end() == 0
    check_records(records)
    check_git(tmp_path, records)
    assert processes_of(tmp_path) == []


ENDS = [("T001", "accepted"), ("T002", "accepted"), ("T003", "rejected")]


def deny_the_push(app, records):
    app.wait_for("git push origin HEAD", "Press A", timeout=90)
    app.press("A")
    app.listen("d Deny", "Allow once →")
    app.press("d")
    write(app, "Not from here.", "Claude reads your reason")
    records.until("select count(*) from permission where verdict = 'deny'", [(1,)])


def approve_and_undo(app, records):
    app.press("g")
    app.listen("T001", "hello.py", "a Approve →")
    app.press("a")
    records.until("select count(*) from event where type = 'decision_held'", [(1,)])
    app.listen("T002", "a Approve →")
    app.press("z")
    records.until("select count(*) from event where type = 'decision_undone'", [(1,)])
    assert records.rows("select count(*) from decision") == [(0,)]


def send_back_with_a_finding(app):
    app.listen("T002", "total.py", "docstring")
    app.press("Tab")
    app.press("Space")
    app.press("c")
    app.wait_for("word for word", "[x]")
    write(app, NOTE, "Request changes")


def reject_with_a_reason(app):
    app.listen("T003", "shout.py", "a Approve →")
    app.press("r")
    write(app, "Nobody wants to be shouted at.", "Reject T003")


def refuse_the_stale_approval(app, records):
    app.wait_for("1 gate waits")
    app.press("g")
    app.listen("T002", "attempt 2", "a Approve →")
    ((copy,),) = records.rows("select copy_path from task where key = 'T002'")
    file = Path(copy, "total.py")
    before = file.read_text()
    file.write_text(f"{before}# slipped in\n")
    app.press("a")
    app.wait_for("changed since it was shown")
    file.write_text(before)
    app.listen("changed since it was shown")
    app.press("a")


def check_records(records):
    kinds = [
        (item["decision"]["kind"], item["decision"]["note"], len(item["decision"]["chosen"]))
        for item in records.events("decision_made")
    ]
    assert sorted(kinds) == [
        ("approve", "", 0),
        ("approve", "", 0),
        ("changes", NOTE, 1),
        ("reject", "Nobody wants to be shouted at.", 0),
    ]
    held, undone = records.events("decision_held"), records.events("decision_undone")
    assert len(held) == 5, "four that were carried out, and the one that was undone"
    assert [item["gate"] for item in undone] == [held[0]["gate"]]
    (denied,) = records.events("permission_answered")
    assert (denied["answer"]["verdict"], denied["answer"]["note"]) == ("deny", "Not from here.")
    sent_back = records.events("prompt_sent")[-1]["text"]
    (changes,) = [item for item in records.events("decision_made") if item["decision"]["kind"] == "changes"]
    assert NOTE in sent_back
    assert changes["decision"]["chosen"][0]["message"] in sent_back


def check_git(home, records):
    (repo,) = (home / "data" / "rehearsals").iterdir()
    ((session,),) = records.rows("select id from session")
    branch = f"obra/{session}"
    assert git(repo, "ls-tree", "--name-only", branch).split() == ["hello.py", "tests", "total.py"]
    assert "Return the numbers added up." in git(repo, "show", f"{branch}:total.py")
    assert "slipped in" not in git(repo, "show", f"{branch}:total.py")
    assert len(git(repo, "log", "--format=%H", f"main..{branch}").splitlines()) == 2
    assert git(repo, "status", "--porcelain") == ""
    assert git(repo, "ls-tree", "--name-only", "main").split() == ["tests"]
