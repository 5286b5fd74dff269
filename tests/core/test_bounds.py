"""Limits of a judge's record: valid at every look, honest for few cases."""

import random

import pytest

from obra_tui.core.judging.bounds import clopper_pearson, mcnemar, paired_difference, sequence_upper


@pytest.mark.parametrize(
    ("k", "n", "most"), [(0, 50, 0.085), (2, 100, 0.085), (5, 200, 0.07), (1, 64, 0.10), (2, 84, 0.10)]
)
def test_the_price_of_looking_every_time_is_small(k, n, most):
    fixed = clopper_pearson(k, n)[1]
    assert fixed - 0.01 < sequence_upper(k, n) <= most


def test_more_bad_cases_raise_the_limit_and_more_good_ones_lower_it():
    assert sequence_upper(0, 0) == 1.0
    for n in (1, 10, 100):
        limits = [sequence_upper(k, n) for k in range(n + 1)]
        assert limits == sorted(limits)
        assert sequence_upper(0, n + 1) < sequence_upper(0, n)


@pytest.mark.parametrize("p", [0.02, 0.10, 0.30])
def test_the_limit_is_seldom_below_the_truth_at_any_look(p):
    dice, runs, below = random.Random(7), 60, 0
    for _ in range(runs):
        k = 0
        for n in range(1, 151):
            k += dice.random() < p
            if n % 3 == 0 and sequence_upper(k, n) < p:
                below += 1
                break
    assert below / runs <= 0.10


def test_impossible_counts_are_refused():
    for k, n in ((-1, 3), (4, 3)):
        with pytest.raises(ValueError, match="not possible"):
            sequence_upper(k, n)


def test_pairs_that_agree_say_nothing_and_a_judge_that_stops_everything_shows_no_difference():
    low, high = paired_difference(0, 0, 40)
    assert low <= 0 <= high
    assert paired_difference(30, 0, 40)[0] > 0.4
    assert mcnemar(0, 0) == 1.0 and mcnemar(12, 0) < 0.01 and mcnemar(5, 5) == 1.0
