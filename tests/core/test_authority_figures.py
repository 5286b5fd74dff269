"""How soon authority is given and lost, by simulation of judges with known rates: the promises in figures."""

import random

import pytest

from obra_tui.core.judging.standing import Decided, Level, after, level_of, record_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
RUNS = 500


def first_pass(dice, rate, cases=400):
    """After how many decided passes authority is given; None if never."""
    record = record_of(())
    for number in range(1, cases + 1):
        record = after(record, Decided(bad=dice.random() < rate))
        if level_of(record) is Level.PASSES:
            return number
    return None


def loses(dice, rate, *, good_before, false, cases=10_000):
    """Whether authority is lost before `false` false passes, or `cases` passes, were seen."""
    record = record_of([Decided(bad=False)] * good_before)
    seen = 0
    for _ in range(cases):
        bad = dice.random() < rate
        seen += bad
        record = after(record, Decided(bad=bad))
        if level_of(record) < Level.PROBATION:
            return True
        if seen >= false:
            return False
    return False


def test_a_good_judge_is_given_authority_after_fifty_passes_and_nine_of_ten_after_ninety():
    dice = random.Random(1)
    found = sorted(first_pass(dice, 0.01) or 9_999 for _ in range(RUNS))
    assert found[RUNS // 2] == 50
    assert found[RUNS * 9 // 10] <= 90


@pytest.mark.parametrize("rate", [0.10, 0.12, 0.20])
def test_a_judge_at_the_limit_is_given_authority_in_one_of_twenty_histories_at_most(rate):
    dice = random.Random(2)
    assert sum(first_pass(dice, rate) is not None for _ in range(RUNS)) <= 0.05 * RUNS


@pytest.mark.parametrize(("rate", "share"), [(0.20, 0.97), (0.30, 0.999), (0.50, 0.999)])
def test_a_judge_that_turns_bad_loses_authority_within_five_false_passes(rate, share):
    dice = random.Random(3)
    assert sum(loses(dice, rate, good_before=120, false=5) for _ in range(RUNS)) >= share * RUNS


@pytest.mark.parametrize(("rate", "share"), [(0.01, 0.01), (0.025, 0.13)])
def test_a_judge_that_stays_good_seldom_loses_authority(rate, share):
    dice = random.Random(4)
    lost = sum(loses(dice, rate, good_before=50, false=10_000, cases=350) for _ in range(RUNS))
    assert lost <= share * RUNS


def test_a_repaired_judge_has_authority_again_after_fifty_passes():
    record = record_of([Decided(bad=False)] * 60)
    while level_of(record) is Level.PASSES:
        record = after(record, Decided(bad=True))
    passes = 0
    while level_of(record) < Level.PASSES:
        record, passes = after(record, Decided(bad=False)), passes + 1
    assert 50 <= passes <= 102
