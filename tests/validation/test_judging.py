"""The verdict can fail: each run here is wrong in one way, and is told so."""

import pytest
from msgspec.structs import replace

from obra_tui.core.lifecycle import State
from obra_tui.core.model import SessionKind, Usage
from obra_tui.validation.baseline import baseline_of
from obra_tui.validation.judging import Readiness, conclude
from obra_tui.validation.outcome import ProbeRun, ScenarioRun, ValidationRequest
from tests.validation.runs import BAD, GOOD, PROMISED, RUN, SESSION, judged, with_task

REHEARSED = ValidationRequest(rehearsal=True)
REAL = ValidationRequest(rehearsal=False)


def test_a_run_that_kept_everything_passes() -> None:
    assert judged().passed
    assert judged(scripted=False).passed


SPOILT = [
    (replace(RUN, errors=("auth: not logged in",)), "auth: not logged in"),
    (with_task(state=State.AWAITING_HUMAN, reason="unsure"), "T001 ended as awaiting_human, not as accepted (unsure)"),
    (with_task(state=State.AWAITING_HUMAN), "0 tasks were accepted, not 1"),
    (replace(RUN, tasks=()), "0 of 1 tasks were run"),
    (replace(RUN, probes=(ProbeRun(name="sums", passed=False, output="trace\n\nwrong sum\n"),)), "wrong sum"),
    (with_task(attempts=()), "T001 was accepted without evidence"),
    (with_task(attempts=(BAD, BAD, BAD, GOOD)), "4 attempts, more than 3"),
    (replace(RUN, seconds=301.0), "301 s, more than 300"),
    (with_task(seconds=30.5), "30.5 s a task on average, more than 30"),
    (replace(RUN, sessions=()), "0 sessions were made, not 1"),
    (replace(RUN, sessions=(SESSION, SESSION)), "2 sessions were made, not 1"),
    (replace(RUN, sessions=(replace(SESSION, closed=False),)), "session s1 was not closed"),
    (replace(RUN, sessions=(replace(SESSION, of_attempts=Usage()),)), "is not the sum of its attempts"),
    (replace(RUN, sessions=(replace(SESSION, usage=Usage(), of_attempts=Usage()),)), "no usage was recorded"),
    (replace(RUN, sessions=(replace(SESSION, kind=SessionKind.STANDALONE),)), "is of kind standalone, not milestone"),
]


@pytest.mark.parametrize("scripted", [True, False])
@pytest.mark.parametrize(("run", "words"), SPOILT, ids=[words for _, words in SPOILT])
def test_a_spoilt_run_fails_whoever_the_models_are(run: ScenarioRun, words: str, scripted: bool) -> None:
    result = judged(run, scripted=scripted)
    assert any(words in problem for problem in result.problems), result.problems
    assert conclude([result], REHEARSED if scripted else REAL).readiness is Readiness.NO


OFF_SCRIPT = [
    (with_task(attempts=(GOOD,)), "attempts: (1,), not (2,)"),
    (with_task(attempts=(GOOD, GOOD)), "quality: (('PASS', 'PASS'),), not (('FAIL', 'PASS'),)"),
    (with_task(attempts=(BAD, replace(GOOD, files=("calculator.py", "extra.py")))), "changed files"),
    (with_task(attempts=(BAD, replace(GOOD, prompt="Do it better."))), "the first feedback does not name test_divide"),
    (with_task(attempts=(replace(BAD, finding_kinds=()), GOOD)), "finding missing: correctness"),
    (with_task(attempts=(replace(BAD, reasons=()), replace(GOOD, reasons=()))), "no gate gave the reason"),
]


@pytest.mark.parametrize(("run", "words"), OFF_SCRIPT, ids=[words for _, words in OFF_SCRIPT])
def test_only_a_script_is_held_to_its_story(run: ScenarioRun, words: str) -> None:
    assert any(words in problem for problem in judged(run).problems), judged(run).problems
    assert judged(run, scripted=False).passed


def test_a_change_that_was_not_judged_in_parts_and_a_command_that_was_not_denied_are_noticed() -> None:
    promised = replace(PROMISED, judge_parts=3, denied=("git push",))
    problems = judged(promised=promised).problems
    assert "the change was judged in 1 parts, not in 3" in problems
    assert "denied command missing: git push" in problems


def test_standalone_tasks_have_a_session_each() -> None:
    one = replace(SESSION, kind=SessionKind.STANDALONE)
    assert judged(replace(RUN, sessions=(one,)), kind=SessionKind.STANDALONE).passed
    assert not judged(replace(RUN, sessions=(one, one)), kind=SessionKind.STANDALONE).passed


# --- the verdict ---------------------------------------------------------------------------------


def test_real_models_and_all_scenarios_are_ready() -> None:
    verdict = conclude([judged(scripted=False)], REAL)
    assert (verdict.readiness, verdict.exit_code) == (Readiness.YES, 0)


def test_a_rehearsal_is_ready_on_a_condition_that_it_names() -> None:
    verdict = conclude([judged()], REHEARSED)
    assert (verdict.readiness, verdict.exit_code) == (Readiness.CONDITIONAL, 0)
    assert verdict.reasons[0].startswith("Rehearsal only: both models were scripted.")


def test_a_part_is_not_the_whole() -> None:
    verdict = conclude([judged()], ValidationRequest(rehearsal=False, partial=True))
    assert (verdict.readiness, verdict.reasons) == (
        Readiness.CONDITIONAL, ("Only some of the scenarios were run.",),
    )  # fmt: skip


def test_one_failure_among_many_runs_is_a_no_that_names_it() -> None:
    wrong = judged(replace(RUN, name="csv", errors=("lost",)))
    verdict = conclude([judged(), wrong, judged()], REHEARSED)
    assert (verdict.readiness, verdict.exit_code, verdict.reasons) == (Readiness.NO, 1, ("csv: lost",))


def test_nothing_that_was_run_is_no_success() -> None:
    assert conclude([], REAL).readiness is Readiness.NO


# --- regressions ---------------------------------------------------------------------------------

BEFORE = baseline_of(RUN)

WORSE = [
    (replace(BEFORE, attempts=(1,)), "2 attempts, in the baseline 1"),
    (replace(BEFORE, quality=(("PASS",),)), "quality FAIL PASS, in the baseline PASS"),
    (replace(BEFORE, ends=("rejected",)), "ends accepted, in the baseline rejected"),
    (replace(BEFORE, scores=(0.9,)), "task 1 scored 0.82, in the baseline 0.9"),
    (replace(BEFORE, seconds=-6.0), "9 s; with -6 s before"),
]


@pytest.mark.parametrize(("before", "words"), WORSE, ids=[words for _, words in WORSE])
def test_what_is_worse_than_the_baseline_is_a_regression(before, words) -> None:  # type: ignore[no-untyped-def]
    result = judged(baseline=before)
    assert any(words in text for text in result.regressions), result.regressions
    assert not result.problems
    assert conclude([result], REHEARSED).readiness is Readiness.NO


def test_the_same_and_a_little_less_are_no_regression() -> None:
    assert judged(baseline=BEFORE).passed
    assert judged(baseline=replace(BEFORE, scores=(0.86,), seconds=2.0)).passed
