"""What the gate does with a pass that nobody would look at, by the judge's record."""

from hypothesis import given
from hypothesis import strategies as st

from obra_tui.core.judging.authority import JudgeRecord, authorised, is_audited, lines
from obra_tui.core.judging.standing import AUDIT_SHARE, Decided, Level, Standing, record_of, standing_of
from obra_tui.core.model import GateDecision, GateOutcome

PASS = GateOutcome(decision=GateDecision.PASS, reasons=("All stages have evidence and pass.",))


def test_a_judge_without_a_record_asks_and_says_what_is_missing():
    outcome = authorised(PASS, standing_of(record_of(())), "a1")
    assert outcome.decision is GateDecision.ASK
    assert "record does not allow" in outcome.reasons[0]
    assert "50 more decided passes" in outcome.reasons[1]


def test_a_judge_with_a_record_passes_what_is_not_audited_and_names_its_record():
    standing = standing_of(record_of([Decided(bad=False)] * 60))
    outcomes = [authorised(PASS, standing, f"a{number}") for number in range(400)]
    asked = [outcome for outcome in outcomes if outcome.decision is GateDecision.ASK]
    assert 50 <= len(asked) <= 115
    assert all("audit" in outcome.reasons[0] for outcome in asked)
    passed = next(outcome for outcome in outcomes if outcome.decision is GateDecision.PASS)
    assert "0 of 60 false passes, at most" in passed.reasons[-1]


@given(st.sampled_from(Level), st.text(min_size=1), st.sampled_from(GateDecision))
def test_authority_only_ever_takes_away(level, attempt, decision):
    outcome = GateOutcome(decision=decision, reasons=("why",))
    allowed = authorised(outcome, Standing(level=level, why="so"), attempt)
    if decision is not GateDecision.PASS:
        assert allowed is outcome
    elif level < Level.PROBATION:
        assert allowed.decision is GateDecision.ASK


def test_the_draw_is_fixed_by_the_attempt_and_has_its_share():
    assert is_audited("a1", Level.PASSES) == is_audited("a1", Level.PASSES)
    for level, share in AUDIT_SHARE.items():
        drawn = sum(is_audited(f"attempt {number}", level) for number in range(4_000)) / 4_000
        assert abs(drawn - share) < 0.03
    assert is_audited("a1", Level.ADVISES)


def test_few_cases_are_told_without_a_percentage():
    few = JudgeRecord(model="qwen", digest="sha256:abc", rubric="r 1", record=record_of([Decided(bad=False)] * 7))
    assert "%" not in "".join(lines(few))
    assert "0 of 7 false passes, too few to say" in "\n".join(lines(few))
