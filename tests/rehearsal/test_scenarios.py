"""Every scenario tells the story that its `expect` promises: wrong where it must be, right in the end."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from obra_tui.rehearsal import Scenario, ScenarioError, list_scenarios, load_scenario, materialise
from tests.rehearsal.acting import act, check, git, look

ALL = list_scenarios(hidden=True)
KNOWN = {
    "accepted", "attempts", "first_failure", "finding_kinds", "commands", "asks", "empty", "touches_tests",
    "average_age", "ends", "quality", "reasons", "denied", "files", "judge_parts", "max_attempts", "max_seconds",
    "average_seconds",
}  # fmt: skip


def task_text(scenario: Scenario) -> str:
    return scenario.plan.read_text()


def start(name: str, folder: Path) -> tuple[Scenario, Path]:
    scenario = load_scenario(name)
    return scenario, materialise(scenario, folder / "repo")


def test_the_scenarios_of_a_demo_are_listed_and_those_for_tests_only_on_request() -> None:
    shown = {s.name for s in list_scenarios()}
    assert shown == {"calculator", "stress", "csv", "two-tasks", "bash-user", "bug-fix", "refactoring", "feature"}
    assert {s.name for s in ALL} - shown == {
        "liar", "test-weakener", "slow", "injection", "impossible", "flaky-test", "large-diff",
    }  # fmt: skip


@pytest.mark.parametrize("scenario", ALL, ids=lambda s: s.name)
def test_a_scenario_is_complete(scenario: Scenario) -> None:
    assert scenario.title and scenario.description
    assert set(scenario.expect) <= KNOWN
    assert {c.stage.value for c in scenario.checks} == {"syntax", "testing"}
    titles = [title for script in scenario.scripts for title in script.match]
    assert len(scenario.scripts) == 1 or all(title in task_text(scenario) for title in titles)


@pytest.mark.parametrize("scenario", ALL, ids=lambda s: s.name)
def test_a_starting_repository_is_clean_and_its_commit_is_always_the_same(scenario: Scenario, tmp_path: Path) -> None:
    first, again = (materialise(scenario, tmp_path / name) for name in ("one", "two"))
    assert git(first, "status", "--porcelain") == ""
    assert git(first, "rev-parse", "HEAD") == git(again, "rev-parse", "HEAD")
    assert git(first, "log", "--format=%an <%ae>").strip() == "Obra Rehearsal <rehearsal@obra.invalid>"


def test_the_calculator_fails_one_test_and_the_feedback_repairs_what_it_names(tmp_path: Path) -> None:
    scenario, repo = start("calculator", tmp_path)
    (script,) = scenario.scripts
    act(script, 1, task_text(scenario), repo)
    good, output = check(scenario, repo)
    assert not good
    assert output.count("FAILED tests/") == 1
    assert scenario.expect["first_failure"] in output
    told = look(repo, task_text(scenario), output)
    assert {r.kind for r in told.remarks} == set(scenario.expect["finding_kinds"])
    assert told.opinion == "revise"

    act(script, 2, "\n".join(r.message for r in told.remarks), repo)
    good, output = check(scenario, repo)
    assert good, output
    again = look(repo, task_text(scenario), output)
    assert (again.remarks, again.opinion) == ((), "approve")
    assert again.score("correctness") > told.score("correctness")

    act(script, 3, "Please tidy the types.", repo)
    assert check(scenario, repo)[0]
    before = git(repo, "stash", "create")
    act(script, 4, "And now?", repo)
    assert git(repo, "diff", before.strip()) == ""


def test_a_calculator_without_feedback_on_docstrings_keeps_none(tmp_path: Path) -> None:
    scenario, repo = start("calculator", tmp_path)
    act(scenario.scripts[0], 1, "", repo)
    act(scenario.scripts[0], 2, "FAILED tests/test_calculator.py::test_divide_by_zero_raises", repo)
    assert check(scenario, repo)[0]
    assert "The function multiply has no docstring." in [r.message for r in look(repo, "Docstrings!", "").remarks]


@pytest.mark.parametrize("name", ["csv", "two-tasks", "bash-user", "slow", "stress"])
def test_work_that_is_right_at_once_passes_task_by_task(name: str, tmp_path: Path) -> None:
    scenario, repo = start(name, tmp_path)
    assert check(scenario, repo)[0] is (name != "csv")
    commands = []
    for script in scenario.scripts:
        commands += act(script, 1, task_text(scenario), repo)
        told = look(repo, script.match[0] if script.match else task_text(scenario), "")
        assert told.remarks == (), script.name
        git(repo, "-c", "user.name=T", "-c", "user.email=t@t", "commit", "-q", "-m", script.name)
    good, output = check(scenario, repo)
    assert good, output
    assert "skipped" not in output
    assert commands == list(scenario.expect.get("commands", []))
    assert set(scenario.expect.get("asks", [])) <= set(commands)


@pytest.mark.parametrize("name", ["bug-fix", "feature", "large-diff"])
def test_new_work_passes_the_checks_and_the_review(name: str, tmp_path: Path) -> None:
    scenario, repo = start(name, tmp_path)
    assert check(scenario, repo)[0] is (name != "bug-fix")
    for script in scenario.scripts:
        act(script, 1, task_text(scenario), repo)
        assert look(repo, "Write it.", "").remarks == ()
    good, output = check(scenario, repo)
    assert good, output


@pytest.mark.parametrize("name", ["refactoring", "flaky-test"])
def test_a_first_attempt_is_found_out_by_the_test_that_is_promised_and_the_second_is_right(
    name: str, tmp_path: Path
) -> None:
    scenario, repo = start(name, tmp_path)
    (script,) = scenario.scripts
    act(script, 1, task_text(scenario), repo)
    good, output = check(scenario, repo)
    assert not good
    assert scenario.expect["first_failure"] in output
    act(script, 2, output, repo)
    good, output = check(scenario, repo)
    assert good, output


def test_no_attempt_at_the_impossible_passes(tmp_path: Path) -> None:
    scenario, repo = start("impossible", tmp_path)
    for number in (1, 2, 3):
        act(scenario.scripts[0], number, "Once more.", repo)
        good, output = check(scenario, repo)
        assert not good
        assert output.count("FAILED tests/") == 1


def test_each_stress_task_has_its_own_title_and_file() -> None:
    scenario = load_scenario("stress")
    assert [s.match[0] for s in scenario.scripts] == [f"Stress Task {n}" for n in range(1, 11)]
    assert len({s.match[1] for s in scenario.scripts}) == 10


def test_the_plan_with_dependencies_names_them() -> None:
    tasks = tomllib.loads(load_scenario("two-tasks").plan.read_text())["tasks"]
    assert [t.get("depends_on") for t in tasks] == [None, ["area"]]


def test_the_liar_changes_nothing_however_often_he_is_asked(tmp_path: Path) -> None:
    scenario, repo = start("liar", tmp_path)
    for number in (1, 2, 3):
        act(scenario.scripts[0], number, "FAILED tests/test_greeting.py::test_greet", repo)
    assert git(repo, "status", "--porcelain") == ""
    assert look(repo, task_text(scenario), "").opinion == "reject"


def test_the_test_weakener_turns_the_checks_green_and_is_seen(tmp_path: Path) -> None:
    scenario, repo = start("test-weakener", tmp_path)
    (script,) = scenario.scripts
    assert not check(scenario, repo)[0]
    act(script, 1, "", repo)
    assert check(scenario, repo)[0]
    assert [r.kind for r in look(repo, "Round.", "").remarks] == scenario.expect["finding_kinds"]
    act(script, 2, "Put it back.", repo)
    good, output = check(scenario, repo)
    assert good, output
    assert git(repo, "diff", "--name-only", "HEAD").split() == ["prices.py"]


def test_the_injection_works_as_code_and_is_a_finding_until_it_is_gone(tmp_path: Path) -> None:
    scenario, repo = start("injection", tmp_path)
    (script,) = scenario.scripts
    act(script, 1, "", repo)
    assert check(scenario, repo)[0]
    assert {r.kind for r in look(repo, "Greet.", "").remarks} == set(scenario.expect["finding_kinds"])
    act(script, 2, "Take it out.", repo)
    assert look(repo, "Greet.", "").remarks == ()


def test_a_repository_is_never_made_over_something_else(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(ScenarioError, match="not empty"):
        materialise(load_scenario("csv"), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_an_unknown_scenario_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match=r"There are: .*calculator"):
        load_scenario("calculater")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("title = ", "cannot be read"),
        ('titel = "x"', "unknown key titel"),
        ('title = "x"', "plan.md"),
        (
            '[[scripts]]\nname = "x"\n[[scripts.turns]]\n[[scripts.turns.replies]]\nuse = [{write = "a", from = "b"}]',
            "b is missing",
        ),
    ],
)
def test_a_broken_scenario_names_the_file_and_the_reason(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text(text)
    if "scripts" in text:
        (tmp_path / "repo").mkdir()
        (tmp_path / "plan.md").write_text("- [ ] x\n")
    with pytest.raises(ScenarioError, match=why) as caught:
        load_scenario(tmp_path)
    assert "scenario.toml" in str(caught.value)
