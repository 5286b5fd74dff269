"""Two tasks at the same time that meet in one file: the second is done again on top of the first."""

import pytest

from tests.e2e.house import CHECKS
from tests.e2e.obra import git, obra, processes_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

TEST = """\
import greetings


def test_everybody_is_greeted():
    said = [getattr(greetings, name)("Ada") for name in ("hello", "bye") if hasattr(greetings, name)]
    assert said and all("Ada" in text for text in said)
"""
START = '"""Words to greet with."""\n'
HELLO = 'def hello(name: str) -> str:\n    """Return a welcome."""\n    return f"Hello, {name}"\n'
BYE = 'def bye(name: str) -> str:\n    """Return a farewell."""\n    return f"Bye, {name}"\n'
SCENARIO = f'title = "Meeting"\n{CHECKS}'
SCRIPT = """
[[scripts]]
name = "{name}"
match = ["{title}"]
[[scripts.turns]]
[[scripts.turns.replies]]
use = [{{ write = "greetings.py", from = "work/{name}.py" }}]
[[scripts.turns.replies]]
say = "The function is there."
[[scripts.turns]]
[[scripts.turns.replies]]
say = "I look at what the other work made of it."
use = [{{ read = "greetings.py" }}]
[[scripts.turns.replies]]
use = [{{ write = "greetings.py", from = "work/both.py" }}]
[[scripts.turns.replies]]
say = "Both functions are there."
"""


@pytest.fixture
def meeting(tmp_path):
    folder = tmp_path / "meeting"
    (folder / "repo" / "tests").mkdir(parents=True)
    (folder / "repo" / "tests" / "test_greetings.py").write_text(TEST)
    (folder / "repo" / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    (folder / "repo" / "greetings.py").write_text(START)
    (folder / "work").mkdir()
    for name, body in (("hello", HELLO), ("bye", BYE), ("both", f"{HELLO}\n\n{BYE}")):
        (folder / "work" / f"{name}.py").write_text(f"{START}\n\n{body}")
    titles = {"hello": "Write the welcome", "bye": "Write the farewell"}
    (folder / "plan.md").write_text("# Greetings\n\n" + "".join(f"- [ ] {title}\n" for title in titles.values()))
    scripts = "".join(SCRIPT.format(name=name, title=title) for name, title in titles.items())
    (folder / "scenario.toml").write_text(SCENARIO + scripts)
    return folder


def test_the_second_of_two_parallel_tasks_goes_back_to_claude_with_the_conflict(tmp_path, meeting):
    ran = obra(tmp_path, "demo", str(meeting), "--headless", "--json", "--pace", "0", "--jobs", "2")
    assert ran.code == 0, ran.err + ran.out[-2000:]
    assert ran.summary["accepted"] == 2
    (found,) = ran.of("conflict_found")
    assert found["files"] == ["greetings.py"]
    started = [event["task"] for event in ran.of("attempt_started")]
    assert len(set(started[:2])) == 2, "both began before either was done again"
    again = ran.of("prompt_sent")[-1]["text"]
    assert "other work was accepted first" in again
    assert "greetings.py" in again
    (repo,) = (tmp_path / "data" / "rehearsals").iterdir()
    text = git(repo, "show", f"{ran.summary['branch']}:greetings.py")
    assert "def hello" in text
    assert "def bye" in text
    assert "<<<<" not in text
    assert len(git(repo, "log", "--format=%H", f"main..{ran.summary['branch']}").splitlines()) == 2
    assert processes_of(tmp_path) == []
