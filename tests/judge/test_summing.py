"""Parts become one verdict, and what in it does not fit together is said."""

import pytest
from msgspec.structs import replace

from obra_tui.core.model import CheckStatus, CriterionScore, Finding, Severity, Stage
from obra_tui.judge.aggregate import Weighed, contradictions, joined, mean
from obra_tui.judge.verdict import Opinion
from tests.judge.story import change, check, diff

pytestmark = pytest.mark.quick

BLOCKER = Finding(severity=Severity.BLOCKER, message="Deletes the data.", file="calculator.py", line=2)
MINOR = Finding(severity=Severity.MINOR, message="A long name.", file="calculator.py", line=1)


def opinion(score=0.9, said="approve", *findings):
    scores = (CriterionScore(criterion="correctness", stage=Stage.QUALITY, score=score, weight=2.0),)
    return Opinion(findings=findings, scores=scores, summary=f"{said} {score}", opinion=said)


def sum_of(*parts):
    return joined([Weighed(opinion=part, weight=weight) for part, weight in parts])


def test_scores_of_parts_are_weighted_by_their_lines():
    whole = sum_of((opinion(1.0), 30), (opinion(0.6), 10))
    assert whole.scores[0].score == pytest.approx(0.9)
    assert whole.scores[0].weight == 2.0


def test_with_a_blocker_anywhere_the_lowest_score_counts():
    assert sum_of((opinion(1.0), 1000), (opinion(0.2, "reject", BLOCKER), 1)).scores[0].score == 0.2


def test_the_worst_opinion_is_that_of_the_whole():
    assert sum_of((opinion(), 1), (opinion(0.5, "reject"), 1), (opinion(0.5, "revise"), 1)).opinion == "reject"


def test_findings_are_joined_and_the_same_one_is_kept_once():
    whole = sum_of((opinion(0.9, "approve", MINOR), 1), (opinion(0.9, "approve", MINOR, BLOCKER), 1))
    assert whole.findings == (MINOR, BLOCKER)
    assert whole.summary == "Part 1: approve 0.9\nPart 2: approve 0.9"


def test_one_part_is_taken_as_it_is():
    only = opinion(0.7, "revise", MINOR)
    assert sum_of((only, 3)) == only


def test_the_mean_follows_the_weights():
    light = CriterionScore(criterion="tests", stage=Stage.QUALITY, score=0.0, weight=1.0)
    assert mean((*opinion(0.9).scores, light)) == pytest.approx(0.6)


ODD = {
    "approves a low score": (opinion(0.2), (), "approve but scores 0.20"),
    "rejects a high score": (opinion(0.97, "reject", MINOR), (), "reject but scores 0.97"),
    "rejects without a finding": (opinion(0.4, "reject"), (), "names no finding"),
    "approves a blocker": (opinion(0.9, "approve", BLOCKER), (), "reports a blocker (calculator.py:2)"),
    "approves a failing check": (opinion(), (check(CheckStatus.FAILED),), "blocking check pytest failed"),
    "approves a check that ran out of time": (opinion(), (check(CheckStatus.TIMED_OUT),), "pytest timed out"),
    "reports an order": (opinion(0.3, "revise", replace(BLOCKER, kind="injection")), (), "addresses the judge"),
}


@pytest.mark.parametrize(("said", "checks", "expected"), ODD.values(), ids=ODD)
def test_what_contradicts_itself_or_a_check_is_said_once(said, checks, expected):
    (text,) = contradictions(said, checks, diff())
    assert expected in text and text.endswith(".")


FITTING = {
    "a good approval": (opinion(0.9, "approve", MINOR), (check(),)),
    "a rejection with reasons": (opinion(0.3, "reject", BLOCKER), (check(CheckStatus.FAILED),)),
    "changes wanted at a high score": (opinion(0.9, "revise", MINOR), ()),
    "a check that does not block": (
        opinion(),
        (replace(check(CheckStatus.FAILED), spec=replace(check().spec, blocking=False)),),
    ),
}


@pytest.mark.parametrize(("said", "checks"), FITTING.values(), ids=FITTING)
def test_what_fits_together_is_left_alone(said, checks):
    assert contradictions(said, checks, diff()) == ()


def test_a_binary_file_was_not_looked_at_and_a_person_must():
    with_picture = diff(diff().patch, change("logo.png", 0, binary=True))
    assert contradictions(opinion(), (), with_picture) == ("logo.png is binary: Qwen could not look at it.",)
