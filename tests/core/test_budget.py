"""The arithmetic of budgets."""

from obra_tui.core.budget import Consumed, left, overspent, smallest
from obra_tui.core.model import Budget, Usage

SPENT = Consumed(usage=Usage(input_tokens=70, output_tokens=30, cost_usd=2.0), seconds=30.0)


def test_each_limit_that_is_reached_is_named_and_no_other():
    said = overspent(SPENT, Budget(max_cost_usd=2.0, max_tokens=101, max_seconds=29.0), "T001")
    assert said == (
        "The budget of T001 is used up: $2.00 of $2.00.",
        "The budget of T001 is used up: 30 of 29 s.",
    )
    assert overspent(SPENT, Budget(), "T001") == ()


def test_what_is_left_is_never_less_than_nothing():
    assert left(Budget(max_cost_usd=1.5, max_seconds=40.0, max_turns=3), SPENT) == Budget(
        max_cost_usd=0.0, max_seconds=10.0, max_turns=3
    )


def test_of_several_budgets_each_limit_is_the_tightest():
    assert smallest((Budget(max_turns=5, max_cost_usd=2.0), Budget(max_cost_usd=1.0, max_tokens=9))) == Budget(
        max_turns=5, max_cost_usd=1.0, max_tokens=9
    )


def test_tokens_that_were_used_are_no_longer_left():
    spent = Consumed(usage=Usage(input_tokens=900, output_tokens=50))
    assert left(Budget(max_tokens=1_000), spent).max_tokens == 50
    assert left(Budget(max_tokens=900), spent).max_tokens == 0
