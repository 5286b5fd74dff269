"""`obra gate` on real repositories, in a real pre-push hook, and as the steps of the Action that the guide shows."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from obra_tui.rehearsal.ollama_server import MODEL, OllamaServer
from tests.e2e.obra import environment, obra
from tests.evidence.scene import commit_files, git, make_project

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "ci.md").read_text(encoding="utf-8")
START = {
    "calc.py": 'def add(a, b):\n    """Add."""\n    return a + b\n',
    "tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    "pyproject.toml": '[project]\nname = "p"\nversion = "1"\n[tool.pytest.ini_options]\npythonpath = ["."]\n',
}
SUBTRACTS = {
    "calc.py": f'{START["calc.py"]}\n\ndef sub(a, b):\n    """Subtract."""\n    return a - b\n',
    "tests/test_sub.py": "from calc import sub\n\n\ndef test_sub():\n    assert sub(3, 1) == 2\n",
}
BREAKS = {"calc.py": START["calc.py"].replace("a + b", "a - b")}


@pytest.fixture
def project(tmp_path):
    made = make_project(tmp_path / "project", START)
    git(made, "checkout", "-q", "-b", "work")
    return made


@pytest.fixture
def judge():
    server = OllamaServer(pace=0).start()
    yield {"OBRA_JUDGE__BASE_URL": server.url, "OBRA_JUDGE__MODEL": MODEL}
    server.stop()


def test_a_change_passes_by_its_checks_and_the_judge_and_leaves_no_copy(tmp_path, project, judge):
    commit_files(project, SUBTRACTS, "Subtract numbers")
    ran = obra(tmp_path, "gate", "--base", "main", "-C", str(project), "--json", **judge)
    assert ran.code == 0, ran.err
    (told,) = ran.events
    assert (told["type"], told["conclusion"], told["passes"]) == ("change_gate", "passes", True)
    assert {check["spec"]["name"]: check["status"] for check in told["evidence"]["checks"]}["pytest"] == "passed"
    assert told["evidence"]["verdict"]["identity"]["model"] == MODEL
    assert not list((tmp_path / "data" / "copies").iterdir())
    assert not list((tmp_path / "data").glob("*.db"))


def test_broken_code_fails_by_the_tests_of_the_base_and_is_written_as_sarif(tmp_path, project):
    commit_files(project, {**BREAKS, "tests/test_calc.py": "def test_add():\n    pass\n"}, "All is well")
    ran = obra(
        *(tmp_path, "gate", "--base", "main", "-C", str(project), "--checks-only"),
        *("--sarif", str(tmp_path / "found.sarif")),
    )
    assert ran.code == 1, ran.err
    assert "pytest failed" in ran.out
    run = json.loads((tmp_path / "found.sarif").read_text())["runs"][0]
    told = json.dumps([run["results"], run["invocations"]])
    assert "test_add" in told


def test_what_main_has_gained_since_is_no_part_of_the_change(tmp_path, project):
    commit_files(project, SUBTRACTS, "Subtract numbers")
    git(project, "checkout", "-q", "main")
    commit_files(project, {"other.py": "import (\n"}, "Broken elsewhere")
    ran = obra(tmp_path, "gate", "--base", "main", "--head", "work", "-C", str(project), "--checks-only", "--json")
    assert ran.code == 0, ran.out
    assert [item["path"] for item in ran.events[0]["evidence"]["diff"]["files"]] == ["calc.py", "tests/test_sub.py"]


def test_a_change_of_the_settings_is_measured_by_the_old_ones_and_needs_a_person(tmp_path, project):
    git(project, "checkout", "-q", "main")
    says = "[[checks]]\nname = {!r}\nrun = {!r}\nstage = {!r}\n"
    honest = says.format("tests", "python3 -m pytest -q", "testing") + says.format("names", "true", "syntax")
    commit_files(project, {".obra/config.toml": honest}, "Checks")
    git(project, "checkout", "-q", "-B", "work")
    commit_files(project, {**BREAKS, ".obra/config.toml": says.format("tests", "true", "testing")}, "Quicker checks")
    command = (tmp_path, "gate", "--base", "main", "-C", str(project), "--checks-only")
    untrusted = obra(*command)
    assert untrusted.code == 2
    assert "obra config trust" in untrusted.err
    ran = obra(*command, "--trust-base")
    assert ran.code == 1, ran.err
    assert "tests failed" in ran.out


def test_a_changed_test_needs_a_person_unless_one_reviews_it_anyway(tmp_path, project):
    softer = START["tests/test_calc.py"].replace("== 3", ">= 3")
    commit_files(project, {"tests/test_calc.py": softer}, "Softer test")
    command = (tmp_path, "gate", "--base", "main", "-C", str(project), "--checks-only")
    ran = obra(*command)
    assert (ran.code, "A person must look" in ran.out) == (3, True), ran.out
    assert obra(*command, "--reviewed").code == 0


def test_a_judge_that_is_away_is_told_by_its_own_exit_code(tmp_path, project):
    commit_files(project, SUBTRACTS, "Subtract numbers")
    ran = obra(tmp_path, "gate", "--base", "main", "-C", str(project), OBRA_JUDGE__BASE_URL="http://127.0.0.1:9")
    assert ran.code == 5, ran.out
    assert "Not judged" in ran.out


@pytest.mark.parametrize("name", ["nobody", "--output=x", "main:calc.py", ""])
def test_a_base_that_is_no_commit_is_refused_with_what_to_do(tmp_path, project, name):
    ran = obra(tmp_path, "gate", f"--base={name}", "-C", str(project))
    assert ran.code == 2
    assert "names no commit" in ran.err
    assert "Traceback" not in ran.err


def test_histories_without_a_common_commit_are_refused(tmp_path, project):
    git(project, "checkout", "-q", "--orphan", "alone")
    commit_files(project, {}, "Alone")
    ran = obra(tmp_path, "gate", "--base", "main", "-C", str(project))
    assert ran.code == 2
    assert "no commit in common" in ran.err


# --- as the guide shows it -----------------------------------------------------------------------


def block(language, holding):
    found = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return next(text for text in found if holding in text)


@pytest.fixture
def command_path(tmp_path):
    """A folder with `obra`, as if it were installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "obra").write_text(f'#!/bin/sh\nexec {sys.executable} -m obra_tui "$@"\n')
    (folder / "obra").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def run(project, home, path, *argv, **more):
    (home / "tmp").mkdir(exist_ok=True)
    env = {**environment(home), "PATH": path, **more}
    return subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, timeout=110, check=False)


def test_the_hook_of_the_guide_lets_good_work_be_pushed_and_stops_broken_work(tmp_path, project, command_path):
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", str(remote))
    git(project, "remote", "add", "origin", str(remote))
    git(project, "push", "-q", "origin", "main")
    hook = project / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(block("sh", "while read"))
    hook.chmod(0o755)
    good = commit_files(project, SUBTRACTS, "Subtract numbers")
    pushed = run(project, tmp_path, command_path, "git", "push", "origin", "work")
    assert pushed.returncode == 0, pushed.stderr
    assert "It passes." in pushed.stderr
    bad = commit_files(project, BREAKS, "Quicker")
    refused = run(project, tmp_path, command_path, "git", "push", "origin", "work")
    assert refused.returncode == 1
    assert "It does not pass." in refused.stderr
    assert git(remote, "rev-parse", "work") == good != bad
    removed = run(project, tmp_path, command_path, "git", "push", "origin", ":work")
    assert removed.returncode == 0, removed.stderr


def test_the_gate_step_of_the_action_runs_as_it_is_written(tmp_path, project, command_path):
    commit_files(project, SUBTRACTS, "Subtract numbers")
    workflow = yaml.safe_load(block("yaml", "jobs:"))
    job = workflow["jobs"]["gate"]
    (step,) = (step for step in job["steps"] if step.get("name") == "Gate")
    given = {"BASE": git(project, "rev-parse", "main"), "HEAD": git(project, "rev-parse", "work")}
    assert set(given) == set(job["env"]) - {"OBRA_PACKAGE"}
    ran = run(project, tmp_path, command_path, "bash", "-e", "-c", step["run"], **given)
    assert ran.returncode == 0, ran.stderr
    (upload,) = (step for step in job["steps"] if step.get("name") == "Findings")
    assert json.loads((project / upload["with"]["sarif_file"]).read_text())["version"] == "2.1.0"
