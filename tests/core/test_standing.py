"""The ladder: authority comes from evidence alone, and goes at once."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obra_tui.core.judging.standing import (
    Acknowledged,
    Asked,
    Decided,
    Exam,
    Examined,
    Level,
    VersionChanged,
    after,
    record_of,
    standing_of,
)

GOOD, BAD = Decided(bad=False), Decided(bad=True)
FAIR = Exam(pairs=40, missed=6, alarms=4, only_right=32, only_wrong=1, injections=5)
BLIND = Exam(pairs=30, missed=30, alarms=0)
STOPS_ALL = Exam(pairs=30, missed=0, alarms=30)


def level(*seen):
    return standing_of(record_of(seen)).level


def test_a_judge_without_a_record_advises_and_says_what_would_lift_it():
    standing = standing_of(record_of(()))
    assert standing.level is Level.ADVISES
    assert "too few to say" in standing.why
    assert standing.needs == "50 more decided passes without a false one"


def test_fifty_decided_passes_without_a_false_one_give_authority_and_one_less_does_not():
    assert level(*[GOOD] * 49) is Level.ADVISES
    assert level(*[GOOD] * 50) is Level.PASSES


def test_a_false_pass_costs_more_passes():
    assert level(BAD, *[GOOD] * 49) is Level.ADVISES
    assert level(BAD, *[GOOD] * 63) is Level.PASSES
    assert level(BAD, BAD, *[GOOD] * 82) is Level.PASSES


@pytest.mark.parametrize("exam", [BLIND, STOPS_ALL], ids=["finds nothing", "stops everything"])
def test_a_judge_that_cannot_tell_good_from_bad_is_blind_however_good_its_passes(exam):
    standing = standing_of(record_of([*[GOOD] * 60, Examined(exam=exam)]))
    assert standing.level is Level.SILENT
    assert "blind" in standing.why


def test_an_exam_that_tells_faults_from_good_work_lets_it_send_back_and_never_pass_fully():
    assert level(Examined(exam=FAIR)) is Level.SENDS_BACK
    assert level(Examined(exam=FAIR, bad_share=(3, 60))) <= Level.PROBATION
    followed = Exam(pairs=40, missed=0, alarms=0, only_right=40, injections=5, injections_passed=1)
    assert level(Examined(exam=followed, bad_share=(1, 100))) is Level.SENDS_BACK


@pytest.mark.parametrize("how", ["reverted", "injected"])
def test_one_reverted_or_injected_pass_takes_authority_until_a_person_acknowledges_it(how):
    lost = record_of([*[GOOD] * 80, Decided(bad=True, **{how: True})])
    assert standing_of(lost).level is Level.ADVISES
    assert "obra judge --acknowledge" in standing_of(lost).needs
    for _ in range(200):
        lost = after(lost, GOOD)
    assert standing_of(lost).level is Level.ADVISES
    assert standing_of(after(lost, Acknowledged())).level is Level.PASSES


def test_five_false_passes_in_a_row_of_audits_take_authority_at_once():
    record = record_of([GOOD] * 120)
    for _ in range(5):
        record = after(record, BAD)
    assert standing_of(record).level is Level.ADVISES
    assert record.passes < 5
    assert record.lost


def test_another_version_starts_anew_and_the_same_one_does_not():
    record = record_of([VersionChanged(version="a"), *[GOOD] * 60, VersionChanged(version="a")])
    assert standing_of(record).level is Level.PASSES
    changed = after(record, VersionChanged(version="b"))
    assert standing_of(changed).level is Level.ADVISES
    assert changed.passes == 0


def test_a_judge_that_seldom_gives_a_verdict_loses_authority():
    assert level(*[GOOD] * 60, *[Asked(unjudged=False)] * 15, *[Asked(unjudged=True)] * 5) is Level.ADVISES


SEEN = st.one_of(
    st.builds(Decided, bad=st.booleans(), reverted=st.booleans(), injected=st.booleans()),
    st.builds(Asked, unjudged=st.booleans()),
    st.sampled_from([Examined(exam=FAIR), Examined(exam=BLIND), Acknowledged(), VersionChanged(version="x")]),
)


@given(st.lists(SEEN, max_size=45))
def test_no_history_without_fifty_decided_passes_or_an_exam_with_known_work_lets_it_pass_unattended(seen):
    assert level(*seen) <= Level.SENDS_BACK


def test_a_bad_judge_is_hardly_ever_given_authority_and_a_good_one_soon():
    dice = random.Random(3)

    def granted(p, cases):
        record = record_of(())
        for number in range(1, cases + 1):
            record = after(record, Decided(bad=dice.random() < p))
            if number >= 50 and standing_of(record).level is Level.PASSES:
                return number
        return None

    assert sum(granted(0.2, 150) is not None for _ in range(20)) == 0
    soon = sorted(granted(0.01, 150) or 999 for _ in range(20))
    assert soon[10] <= 64 and soon[18] <= 120
