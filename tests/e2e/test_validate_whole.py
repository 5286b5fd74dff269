"""The whole validation, minutes long: once as it is, and once with a Claude that spoils every scenario."""

import re
import shutil

import pytest

from obra_tui.rehearsal import list_scenarios
from obra_tui.validation.expectations import is_acceptance
from tests.e2e.obra import obra

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1500)]

NAMES = [one.name for one in list_scenarios(hidden=True) if is_acceptance(one)]

LAZY = """
[[scripts]]
name = "lazy"
match = ["task", "Task", "e"]

[[scripts.turns]]

[[scripts.turns.replies]]
say = "It is done, and all tests pass."
"""
HONEST = """
[[scripts]]
name = "honest"

[[scripts.turns]]

[[scripts.turns.replies]]
use = [{ write = "greeting.py", content = '''
def greet(name: str) -> str:
    \"\"\"Return a greeting.\"\"\"
    return f"Hello, {name}!"
''' }]
"""


def test_every_scenario_keeps_its_promises(tmp_path):
    ran = obra(tmp_path, "validate", "--rehearsal", "--json", timeout=1400)
    assert ran.code == 0, ran.err
    assert sorted(one["scenario"] for one in ran.summary["scenarios"]) == sorted(NAMES)


def test_every_scenario_fails_when_claude_does_something_else(tmp_path):
    folders = []
    for one in list_scenarios(hidden=True):
        if is_acceptance(one):
            folder = tmp_path / "spoilt" / one.name
            shutil.copytree(one.folder, folder)
            file = folder / "scenario.toml"
            told, *_ = re.split(r"^\[\[scripts\]\]", file.read_text(), flags=re.MULTILINE)
            file.write_text(told + (HONEST if one.name == "liar" else LAZY))
            folders.append(str(folder))
    ran = obra(tmp_path, "validate", "--rehearsal", "--json", *(f"--only={folder}" for folder in folders), timeout=1400)
    assert (ran.code, ran.summary["production_ready"]) == (1, "NO")
    passed = [one["scenario"] for one in ran.summary["scenarios"] if one["passed"]]
    assert len(ran.summary["scenarios"]) == len(NAMES)
    assert passed == []
