"""The examples of the guide on scripting do what they say."""

import re
from pathlib import Path

import pytest

from tests.e2e.house import House

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

GUIDE = Path(__file__).parent.parent.parent / "docs" / "guides" / "scripting.md"
SECTIONS = re.split(r"^## ", GUIDE.read_text(), flags=re.MULTILINE)[1:]
EXAMPLES = [
    (section.partition("\n")[0], code)
    for section in SECTIONS
    for code in re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
]
SHOWN = {
    "One task": ("calculator", ["accepted Quality: 0.97 (PASS)", "2 attempts, "]),
    "A milestone of several tasks": ("two-tasks", ["+def rectangle_area", "2 tasks on obra/s"]),
    "Answering Claude and steering": ("bash-user", ["git push"]),
    "Looking at what happened": ("csv", ["1 Quality: 0.97 (PASS)", "where from: ['", "1 session_opened"]),
    "Usage": ("csv", ["1500"]),
    "Rehearsing a script": ("csv", ["Quality: 0.97 (PASS)"]),
}


def test_every_example_is_tested():
    assert [title for title, _ in EXAMPLES] == list(SHOWN)
    assert GUIDE.read_text().count("```python") == len(EXAMPLES)


@pytest.mark.parametrize(("title", "code"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_an_example_runs_and_prints_what_it_promises(title, code, tmp_path, capsys):
    scenario, words = SHOWN[title]
    house = House(tmp_path, scenario)
    try:
        exec(compile(code, str(GUIDE), "exec"), {"project": house.repo, "config": house.config(), "plan": house.plan})
    finally:
        house.theatre.close()
    printed = capsys.readouterr().out
    for text in words:
        assert text in printed, printed
