"""The report says everything that a person must know before a release, and nothing about their machine."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from obra_tui.core.errors import ConfigError
from obra_tui.rehearsal import ScenarioError, list_scenarios, load_scenario
from obra_tui.validation import baseline
from obra_tui.validation.expectations import expectation_of, is_acceptance
from obra_tui.validation.judging import Judged, conclude
from obra_tui.validation.outcome import ValidationRequest
from obra_tui.validation.report import ValidationReport, as_json, markdown
from obra_tui.validation.validating import ValidationOptions, choose, write
from tests.validation.runs import ENVIRONMENT, RUN, judged


def report(*results: Judged, request: ValidationRequest | None = None, compared: bool = True) -> ValidationReport:
    asked = request or ValidationRequest(rehearsal=True)
    return ValidationReport(
        at="2026-03-01 10:00:00+00:00",
        request=asked,
        environment=ENVIRONMENT,
        results=results,
        conclusion=conclude(results, asked),
        compared=compared,
    )


def test_it_holds_the_verdict_the_versions_the_quality_lines_and_the_limitations() -> None:
    text = markdown(report(judged()))
    for words in (
        "**Production-ready: CONDITIONAL**",
        "| git | 2.43.0 |",
        "| Claude Code | 2.1.3 |",
        "Quality: 0.54 (FAIL) → Quality: 0.82 (PASS)",
        "✓ passed",
        "| 8.0 s | 240 | $0.20 |",
        "probe “the four operations”: passed",
        "## Known limitations",
        "Both models were scripted",
    ):
        assert words in text, words


def test_what_went_wrong_stands_in_it() -> None:
    text = markdown(report(judged(replace(RUN, errors=("the | judge\nwas down",)))))
    assert "**Production-ready: NO**" in text
    assert "* calculator: the \\| judge was down" in text
    assert "✗ failed" in text
    assert "* errors: 1" in text


def test_missing_isolation_and_a_missing_baseline_are_limitations() -> None:
    weak = replace(report(judged(), compared=False), environment=replace(ENVIRONMENT, sandboxes=("none",)))
    text = markdown(weak)
    assert "sandbox level none" in text
    assert "no baseline" in text


def test_the_json_holds_the_same() -> None:
    value = json.loads(as_json(report(judged())))
    assert value["production_ready"] == "CONDITIONAL"
    (scenario,) = value["scenarios"]
    assert (scenario["passed"], scenario["attempts"], scenario["usage"]["input_tokens"]) == (True, 2, 200)
    assert scenario["tasks"][0]["quality"] == ["Quality: 0.54 (FAIL)", "Quality: 0.82 (PASS)"]


def test_an_earlier_report_is_kept(tmp_path: Path) -> None:
    first = write(report(judged()), tmp_path / "docs" / "reports")
    second = write(report(judged()), tmp_path / "docs" / "reports")
    assert [path.name for path in (*first, *second)] == [
        "validation-2026-03-01.md", "validation-2026-03-01.json",
        "validation-2026-03-01-2.md", "validation-2026-03-01-2.json",
    ]  # fmt: skip


def test_a_place_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write(report(judged()), tmp_path / "file")


# --- baselines -----------------------------------------------------------------------------------


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(baseline.render([replace(RUN, seconds=5.0), RUN]))
    assert baseline.load(file) == {"calculator": baseline.baseline_of(RUN)}


@pytest.mark.parametrize("text", ["", "[]", '{"calculator": {}}', '{"calculator": 3}'])
def test_a_broken_baseline_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match="no baseline"):
        baseline.load(file)


def test_the_packaged_baseline_knows_every_acceptance_scenario() -> None:
    known = baseline.packaged()
    wanted = {one.name: len(expectation_of(one).ends) for one in list_scenarios(hidden=True) if is_acceptance(one)}
    assert {name: len(before.ends) for name, before in known.items()} == wanted


# --- choosing ------------------------------------------------------------------------------------


def test_a_rehearsal_runs_every_acceptance_scenario_and_the_three_of_the_release_first() -> None:
    names = [one.name for one in choose(ValidationOptions(rehearsal=True))]
    assert names[:3] == ["stress", "calculator", "csv"]
    assert set(names[3:]) == {
        "bash-user", "bug-fix", "feature", "flaky-test", "impossible", "injection", "large-diff", "liar",
        "refactoring", "test-weakener", "two-tasks",
    }  # fmt: skip


def test_real_models_are_not_asked_to_lie() -> None:
    names = {one.name for one in choose(ValidationOptions(rehearsal=False))}
    assert {"stress", "calculator", "csv", "impossible"} <= names
    assert not names & {"liar", "test-weakener", "injection", "bash-user"}
    with pytest.raises(ScenarioError, match="needs its script"):
        choose(ValidationOptions(rehearsal=False, only=("liar",)))


def test_every_expectation_can_be_read_and_is_about_every_task() -> None:
    for scenario in list_scenarios(hidden=True):
        if is_acceptance(scenario):
            promised = expectation_of(scenario)
            titles = scenario.plan.read_text().count("- [ ]") or scenario.plan.read_text().count("[[tasks]]")
            assert len(promised.ends) == titles, scenario.name
            assert {len(promised.attempts), len(promised.quality)} <= {0, titles}, scenario.name


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("acepted = 1", "no expectation acepted"),
        ("accepted = 1", "needs `ends`"),
        ('ends = ["acceptd"]', "acceptd"),
        ('ends = ["accepted"]\nfiles = {a = 1}', "a table is no expectation"),
    ],
)
def test_a_wrong_expectation_is_an_error(tmp_path: Path, expect: str, words: str) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "plan.md").write_text("- [ ] x\n")
    (tmp_path / "scenario.toml").write_text(f'title = "x"\n[expect]\n{expect}\n')
    with pytest.raises(ScenarioError, match=words):
        choose(ValidationOptions(rehearsal=True, only=(str(tmp_path),)))
    assert load_scenario(tmp_path).title == "x"
