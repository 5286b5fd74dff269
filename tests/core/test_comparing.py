"""Two judges on the same cases, and how often a comparison is right, by simulation with known rates."""

import random

import pytest

from obra_tui.core.ids import AttemptId
from obra_tui.core.judging.authority import is_audited
from obra_tui.core.judging.book import PastWork, audits_due, cases_of, wrong_tasks
from obra_tui.core.judging.comparing import compared
from obra_tui.core.judging.exam import answers_of
from obra_tui.core.judging.standing import Decided, Examined, Level, after, record_of, standing_of
from obra_tui.core.model import CaseSource, JudgeCase, Trial, Truth

RUNS = 500


def pairs(count):
    found = {}
    for number in range(count):
        for truth, source in ((Truth.GOOD, CaseSource.ACCEPTED), (Truth.BAD, CaseSource.PLANTED)):
            case = JudgeCase(id=f"{truth.value}{number}", source=source, truth=truth, strength="A", base=str(number))
            found[case.id] = case
    return found


def judged(dice, cases, *, miss, alarm, hard=None):
    """`hard` says of each case how hard it is for everybody: every second answer follows from that alone."""

    def passes(case):
        drawn = dice.random() if hard is None or dice.random() < 0.5 else hard[case.id]
        return drawn < (miss if case.truth is Truth.BAD else 1 - alarm)

    return [Trial(case=name, version="v", model="q", passes=passes(case)) for name, case in cases.items()]


@pytest.mark.quick
def test_flips_are_listed_and_only_cases_that_both_answered_count():
    cases = pairs(3)
    right = [Trial(case=name, version="a", model="a", passes=case.truth is Truth.GOOD) for name, case in cases.items()]
    blind = [Trial(case=name, version="b", model="b", passes=True) for name in cases if name != "bad2"]
    found = compared(cases, right, blind)
    assert (found.cases, found.right, found.only_first) == (5, (5, 3), ("bad0", "bad1"))
    assert found.difference == pytest.approx(-1.0)
    assert found.verdict == "no difference shown"  # two flips are too few
    assert compared(cases, right, []).verdict == "no case was shown to both"


@pytest.mark.long
def test_a_difference_of_three_tenths_is_found_at_sixty_pairs_and_none_is_not_claimed():
    dice = random.Random(5)
    cases = pairs(60)
    found = cries = 0
    for _ in range(RUNS):
        hard = {name: dice.random() for name in cases}
        one = judged(dice, cases, miss=0.30, alarm=0.10, hard=hard)
        better = judged(dice, cases, miss=0.04, alarm=0.06, hard=hard)
        same = judged(dice, cases, miss=0.30, alarm=0.10, hard=hard)
        found += compared(cases, one, better).verdict == "the second is better"
        cries += compared(cases, one, same).verdict != "no difference shown"
    assert found >= 0.8 * RUNS
    assert cries <= 0.05 * RUNS


@pytest.mark.long
@pytest.mark.parametrize(("miss", "alarm"), [(1.0, 0.0), (0.0, 1.0)])
def test_a_judge_that_passes_all_or_stops_all_is_named_blind_in_every_run(miss, alarm):
    dice = random.Random(6)
    cases = pairs(30)
    for _ in range(RUNS):
        exam = answers_of(cases, judged(dice, cases, miss=miss, alarm=alarm)).exam
        assert standing_of(after(record_of(()), Examined(exam=exam, bad_share=(1, 10)))).level <= Level.ADVISES


@pytest.mark.long
def test_audits_estimate_the_share_of_false_passes_without_bias():
    dice = random.Random(7)
    errors = []
    for run in range(1_000):
        bad = [dice.random() < 0.08 for _ in range(1_000)]
        drawn = [worth for number, worth in enumerate(bad) if is_audited(f"{run} {number}", Level.PASSES)]
        errors.append(sum(drawn) / len(drawn) - sum(bad) / len(bad))
    assert abs(sum(errors) / len(errors)) <= 0.005


def work(number, **fields):
    known = {"is_accepted": True, "is_known": True, "decision": "approve", "files": (f"f{number}.py",)}
    return PastWork(attempt=AttemptId(f"a{number}"), task=f"t{number}", **{**known, **fields})


@pytest.mark.quick
def test_past_work_is_a_case_of_what_became_of_it():
    past = [
        work(0),
        work(1, is_accepted=False, is_known=False, decision="", failing=1),
        work(2, is_reverted=True),
        work(3, is_accepted=False, decision="reject"),
        work(4, is_known=False),
        work(5, is_truncated=True),
        work(6, is_accepted=False, decision=""),
    ]
    found = {case.attempt: (case.source, case.truth, case.strength) for case in cases_of(past, ())}
    assert found == {
        "a0": (CaseSource.ACCEPTED, Truth.GOOD, "C"),
        "a1": (CaseSource.ATTEMPT_FAILED, Truth.BAD, "A"),
        "a2": (CaseSource.REVERTED, Truth.BAD, "A"),
        "a3": (CaseSource.PERSON, Truth.BAD, "C"),
    }
    assert [item.attempt for item in audits_due(past, ())] == ["a4"]


@pytest.mark.quick
def test_work_is_shown_under_another_task_only_where_no_file_is_the_same():
    past = [work(0), work(1, files=("f0.py",)), work(2)]
    assert {(case.attempt, case.task_of) for case in wrong_tasks(past)} == {("a0", "a2"), ("a1", "a2"), ("a2", "a0")}


@pytest.mark.quick
def test_no_history_of_decisions_passes_anything_unattended_below_probation():
    dice = random.Random(8)
    for _ in range(50):
        record = record_of([Decided(bad=dice.random() < 0.5) for _ in range(30)])
        assert standing_of(record).level < Level.PROBATION
