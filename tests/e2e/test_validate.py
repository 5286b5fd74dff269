"""`obra validate` as a person runs it; short forms only, the whole takes minutes."""

import json
import shutil

import pytest

from obra_tui.rehearsal import RehearsalServers
from obra_tui.rehearsal.scenario import SCENARIOS
from tests.e2e.obra import obra, processes_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]


@pytest.fixture(scope="module")
def validated(tmp_path_factory):
    """Three scenarios: one that is accepted, one that a person answers, one that must end at the person."""
    home = tmp_path_factory.mktemp("validate")
    names = ("calculator", "injection", "liar")
    ran = obra(home, "validate", "--rehearsal", *(f"--only={name}" for name in names), "--json", timeout=180)
    return home, ran


def test_what_keeps_its_promises_is_ready_on_the_condition_that_it_was_a_rehearsal(validated):
    _, ran = validated
    assert ran.code == 0, ran.err + ran.out
    summary = ran.summary
    assert (summary["type"], summary["production_ready"], summary["compared_with_baseline"]) == (
        "validation", "CONDITIONAL", True,
    )  # fmt: skip
    assert [one["scenario"] for one in summary["scenarios"]] == ["calculator", "injection", "liar"]
    assert [one["accepted"] for one in summary["scenarios"]] == [1, 1, 0]
    assert all(one["passed"] for one in summary["scenarios"])


def test_the_report_is_in_the_current_folder_and_names_no_machine(validated):
    home, _ = validated
    (text,), (value,) = ([*(home / "docs" / "reports").glob(f"*.{kind}")] for kind in ("md", "json"))
    report = text.read_text()
    for words in (
        "**Production-ready: CONDITIONAL**",
        "Quality: 0.57 (FAIL) → Quality: 0.97 (PASS)",
        "divide(10,0) raises”: passed",
        "| judge | rehearsal-qwen @",
        "| rubric | obra-review",
        "| Claude Code | ",
    ):
        assert words in report, words
    assert str(home) not in report + value.read_text()
    assert json.loads(value.read_text())["usage"]["input_tokens"] > 0


def test_progress_is_told_scenario_by_scenario_and_nothing_is_left_running(validated):
    home, ran = validated
    assert [event["type"] for event in ran.events] == ["scenario_started", "scenario"] * 3 + ["validation"]
    assert processes_of(home) == []


def test_a_scenario_of_ones_own_whose_promise_is_broken_is_a_no(tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(SCENARIOS / "csv", mine)
    file = mine / "scenario.toml"
    file.write_text(file.read_text().replace('quality = [["PASS"]]', 'quality = [["FAIL", "PASS"]]'))
    (mine / "probes" / "ages.py").write_text("raise SystemExit('the average is wrong')\n")
    ran = obra(tmp_path, "validate", "--rehearsal", "--only", str(mine), "--output", "out")
    assert ran.code == 1
    assert "Production-ready: NO" in ran.out
    assert "quality: (('PASS',),), not (('FAIL', 'PASS'),)" in ran.out
    assert "the average is wrong" in ran.out
    assert "✗ failed" in (tmp_path / "out").glob("*.md").__next__().read_text()


def test_work_that_only_looks_right_is_found_out_by_a_probe(tmp_path):
    """The refactoring again, with a script whose work passes all tests and changes what other tables look like."""
    mine = tmp_path / "mine"
    shutil.copytree(SCENARIOS / "refactoring", mine)
    work = mine / "work" / "first.py"
    text = work.read_text().replace('f"{cell:.2f}"', 'f"{cell:.2f}".replace("-0.50", "-0.5")')
    work.write_text(text)
    ran = obra(tmp_path, "validate", "--rehearsal", "--only", str(mine), "--json", "--output", "out")
    assert ran.code == 1
    (scenario,) = ran.summary["scenarios"]
    assert (scenario["accepted"], scenario["probes"]) == (1, [{"name": "the same output as before", "passed": False}])


def test_repeated_runs_make_a_baseline_and_a_regression_against_it_is_a_no(tmp_path):
    kept = tmp_path / "kept.json"
    csv = ("validate", "--rehearsal", "--only", "csv", "--output", "out")
    first = obra(tmp_path, *csv, "--repeat", "2", "--save-baseline", str(kept))
    assert first.code == 0
    assert first.out.count("1 of 1 accepted") == 2
    before = json.loads(kept.read_text())
    before["csv"]["scores"] = [1.1]
    kept.write_text(json.dumps(before))
    again = obra(tmp_path, *csv, "--baseline", str(kept))
    assert again.code == 1
    assert "regression: task 1 scored 0.97" in again.out
    assert len(list((tmp_path / "out").glob("*.md"))) == 2


def test_with_models_from_the_settings_it_is_no_rehearsal(tmp_path):
    """The servers of a rehearsal stand where the settings say; nothing tells Obra that they are scripted."""
    with RehearsalServers.open("csv", pace=0) as stage:
        ran = obra(
            tmp_path, "validate", "--only", "csv", "--json", "--output", "out",
            OBRA_CLAUDE__BASE_URL=stage.claude_base_url,
            OBRA_CLAUDE__API_KEY="dummy",
            OBRA_CLAUDE__CONFIG_DIR=str(tmp_path / "claude"),
            OBRA_JUDGE__BASE_URL=stage.judge_base_url,
            OBRA_JUDGE__MODEL=stage.judge_model,
        )  # fmt: skip
    assert ran.code == 0, ran.err + ran.out
    summary = ran.summary
    assert (summary["rehearsal"], summary["production_ready"]) == (False, "CONDITIONAL")
    assert summary["reasons"] == ["Only some of the scenarios were run."]
    assert summary["compared_with_baseline"] is False
    (probe,) = summary["scenarios"][0]["probes"]
    assert probe == {"name": "average age 30.0, same as the baseline file", "passed": True}


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("--only", "nosuch", "--rehearsal"), 2, "There is no scenario 'nosuch'"),
        (("--only", "slow", "--rehearsal"), 2, "needs `ends`"),
        (("--only", "liar"), 2, "needs its script"),
        (("--rehearsal", "--only", "csv", "--baseline", "nowhere.json"), 2, "The baseline cannot be read"),
        ((), 4, "--rehearsal"),
    ],
)
def test_wrong_use_is_one_sentence_before_anything_runs(tmp_path, args, code, words):
    ran = obra(tmp_path, "validate", *args, OBRA_JUDGE__BASE_URL="http://127.0.0.1:9")
    assert ran.code == code, ran.err
    assert words in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert not (tmp_path / "docs").exists()
