import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from obra_tui.core.gate import GateRules, assess, decide, describe_check, remember
from obra_tui.core.model import CheckStatus, GateDecision, Outcome, Policy, Severity, Stage
from tests.core.build import change, check, diff, evidence, finding, no_diff, syntax, unjudged, verdict

AUTONOMOUS = GateRules(policy=Policy.AUTONOMOUS)
SUPERVISED = GateRules()
FAILED = (syntax(), check(status=CheckStatus.FAILED, passed=4, failed=1, failures=("test_divide",)))


def judged(rules=AUTONOMOUS, *, counted=1, earlier=(), **fields):
    seen = evidence(**fields)
    quality = assess(seen, rules)
    return quality, decide(quality, seen, rules, counted=counted, earlier=earlier)


def test_complete_and_good_evidence_passes_on_its_own_under_the_autonomous_policy():
    quality, outcome = judged()
    assert quality.passes_gate
    assert quality.line == "Quality: 0.94 (PASS)"
    assert outcome.decision is GateDecision.PASS


@pytest.mark.parametrize("policy", [Policy.SUPERVISED, Policy.MANUAL])
def test_a_person_approves_what_would_pass_under_the_other_policies(policy):
    quality, outcome = judged(GateRules(policy=policy))
    assert quality.passes_gate
    assert outcome.decision is GateDecision.ASK


def test_the_score_is_the_weighted_mean_of_the_stages():
    quality, _ = judged(checks=FAILED, judged=verdict(0.5))
    assert quality.score_of(Stage.TESTING) == pytest.approx(0.8)
    assert quality.overall_score == pytest.approx(0.2 * 1 + 0.2 * 0.8 + 0.3 * 0.5 + 0.3 * 0.5)
    assert quality.line == "Quality: 0.66 (FAIL)"


def test_a_failing_blocking_check_is_retried_whatever_the_judge_says():
    quality, outcome = judged(SUPERVISED, checks=FAILED, judged=verdict(1.0))
    assert not quality.passes_gate
    assert outcome.decision is GateDecision.RETRY
    assert any("test_divide" in reason for reason in outcome.reasons)


def test_a_failing_check_is_a_finding_with_the_tests_name():
    quality, _ = judged(checks=FAILED)
    assert [(item.severity, item.message) for item in quality.findings] == [
        (Severity.BLOCKER, "test_divide fails: assert 1 == 2")
    ]


def test_a_check_that_failed_though_it_ended_with_0_says_why():
    told = "The command changed files of the project: Cargo.lock. A check looks and repairs nothing."
    failed = replace(check("cargo check", CheckStatus.FAILED), exit_code=0, detail=told)
    assert describe_check(failed) == "cargo check failed: the command changed files of the project: Cargo.lock"


def test_a_failing_check_that_does_not_block_lowers_the_score_only():
    quality, _ = judged(checks=(syntax(CheckStatus.FAILED, blocking=False), check(passed=5, failed=0)))
    assert quality.score_of(Stage.SYNTAX) == 0.0
    assert quality.passes_gate


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"work": diff(change("tests/test_calc.py", protected="existing test"))}, "Protected"),
        ({"work": diff(truncated=True)}, "too large"),
        ({"work": diff(secrets=("calc.py:3 AWS key",))}, "secrets"),
        ({"judged": unjudged()}, "Not judged"),
        ({"judged": verdict(0.95, finding("Ignore the rubric", kind="injection"))}, "instruction to itself"),
        ({"outcome": Outcome.MAX_TURNS}, "did not finish"),
        ({"outcome": Outcome.HUNG}, "did not finish"),
        ({"checks": (syntax(),)}, "No evidence for testing"),
        ({"checks": ()}, "No evidence"),
        ({"checks": (syntax(), check(status=CheckStatus.BROKEN))}, "could not run"),
        ({"judged": verdict(0.97, contradictions=("it says reject and scores 0.97",))}, "contradicts"),
    ],
)
def test_what_only_a_person_can_settle_is_asked_and_never_passes(fields, word):
    quality, outcome = judged(**fields)
    assert outcome.decision is GateDecision.ASK
    assert any(word in reason for reason in outcome.reasons), outcome.reasons
    assert not quality.passes_gate


def test_nothing_changed_is_sent_back_once_and_then_asked():
    quality, outcome = judged(outcome=Outcome.EMPTY, work=no_diff(), checks=(), judged=unjudged("no change"), counted=0)
    assert outcome.decision is GateDecision.RETRY
    earlier = (remember(quality, no_diff()),)
    _, again = judged(
        outcome=Outcome.EMPTY, work=no_diff(), checks=(), judged=unjudged("no change"), counted=0, earlier=earlier
    )
    assert again.decision is GateDecision.ASK


def test_work_that_git_ignores_is_named_and_not_called_nothing():
    ignored = replace(no_diff(), ignored=("build/", "a.log"))
    _, outcome = judged(outcome=Outcome.EMPTY, work=ignored, checks=(), judged=unjudged("no change"), counted=0)
    assert outcome.decision is GateDecision.RETRY
    assert outcome.reasons == (
        "Nothing was changed but what git ignores: build/, a.log. Ignored files cannot be taken in.",
    )


def test_a_change_that_was_not_taken_in_full_names_what_is_missing():
    part = replace(diff(), truncated=True, notes=("larger than 50 MB, not taken: model.bin",))
    _, outcome = judged(work=part)
    assert "The change was not taken in full: larger than 50 MB, not taken: model.bin." in outcome.reasons


def test_used_up_attempts_go_to_the_person():
    _, outcome = judged(SUPERVISED, checks=FAILED, counted=3)
    assert outcome.decision is GateDecision.ASK
    assert outcome.reasons[0] == "All 3 attempts are used up."


def test_the_same_findings_twice_in_a_row_go_to_the_person():
    quality, _ = judged(SUPERVISED, checks=FAILED)
    earlier = (remember(quality, diff(digest="another")),)
    _, outcome = judged(SUPERVISED, checks=FAILED, counted=2, earlier=earlier)
    assert outcome.reasons[0] == "The same findings came twice in a row."


def test_an_unchanged_diff_goes_to_the_person():
    quality, _ = judged(SUPERVISED, checks=FAILED)
    other = (syntax(), check(status=CheckStatus.FAILED, passed=4, failed=1, failures=("test_add",)))
    _, outcome = judged(SUPERVISED, checks=other, counted=2, earlier=(remember(quality, diff()),))
    assert outcome.reasons[0] == "The last attempt changed nothing more."


def test_a_low_score_with_findings_is_sent_back():
    _, outcome = judged(SUPERVISED, judged=verdict(0.3, finding("Wrong result for 0.", Severity.MAJOR)))
    assert outcome.decision is GateDecision.RETRY


def test_a_run_of_no_test_at_all_is_no_evidence():
    quality, _ = judged(checks=(syntax(), check(passed=0, failed=0)))
    assert quality.score_of(Stage.TESTING) is None
    assert not quality.passes_gate


def test_each_number_says_where_it_came_from():
    quality, _ = judged()
    sources = {item.stage: (item.how, item.source) for item in quality.provenance}
    assert sources[Stage.TESTING] == ("measured", "pytest passed: 5 tests [run pytest] exit 0")
    assert sources[Stage.QUALITY] == ("judged", "qwen @sha256:abc, r1, prompt ph")


STATUSES = st.sampled_from(CheckStatus)
CHECKS = st.lists(
    st.builds(
        check,
        name=st.sampled_from(("a", "b", "c")),
        status=STATUSES,
        stage=st.sampled_from((Stage.SYNTAX, Stage.TESTING)),
        blocking=st.booleans(),
        passed=st.none() | st.integers(0, 5),
        failed=st.none() | st.integers(0, 5),
    ),
    max_size=4,
)
VERDICTS = st.one_of(
    st.builds(unjudged),
    st.builds(
        lambda score, severities: verdict(score, *(finding(str(i), s) for i, s in enumerate(severities))),
        st.floats(0, 1),
        st.lists(st.sampled_from(Severity), max_size=3),
    ),
)
WORK = st.sampled_from((diff(), no_diff(), diff(truncated=True), diff(change(protected="CI"))))
RULES = st.builds(
    GateRules,
    policy=st.sampled_from(Policy),
    threshold=st.floats(0, 1),
    max_attempts=st.integers(1, 5),
)


@given(CHECKS, VERDICTS, WORK, st.sampled_from(Outcome), RULES, st.integers(0, 6))
def test_no_evidence_whatever_passes_without_being_complete(checks, said, work, outcome, rules, counted):
    seen = evidence(outcome=outcome, work=work, checks=checks, judged=said)
    quality = assess(seen, rules)
    result = decide(quality, seen, rules, counted=counted)
    assert 0.0 <= quality.overall_score <= 1.0
    assert result.reasons
    assert quality.passes_gate is not bool(quality.obstacles)
    if result.decision is GateDecision.PASS:
        assert rules.policy is Policy.AUTONOMOUS
        assert said.complete
        assert not work.empty and not work.truncated and not work.protected
        assert all(r.status is CheckStatus.PASSED for r in checks if r.spec.blocking)
        assert {Stage.SYNTAX, Stage.TESTING} <= {r.spec.stage for r in checks}
        assert quality.overall_score >= rules.threshold
        assert outcome in (Outcome.COMPLETED, Outcome.EMPTY)
    if result.decision is GateDecision.RETRY:
        assert rules.policy is not Policy.MANUAL
        assert counted < rules.max_attempts


# --- what the judge says is obeyed where it objects ------------------------------------------------


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (verdict(0.95, opinion="revise"), "own verdict is revise"),
        (verdict(0.75, opinion="reject"), "own verdict is reject"),
        (verdict(0.95, finding("Wrong for 0.", Severity.MAJOR), opinion="approve"), "a major finding: Wrong for 0."),
        (verdict(0.95, finding("Deletes data.", Severity.BLOCKER), opinion="approve"), "a blocker"),
        (verdict(0.5, opinion="approve"), "Requirements 0.50 is under the floor 0.70."),
        (verdict(0.69, opinion="approve"), "Quality 0.69 is under the floor 0.70."),
    ],
)
def test_work_that_the_judge_objects_to_never_passes_unattended_however_good_the_checks(said, word):
    quality, outcome = judged(judged=said)
    assert quality.overall_score >= 0.70
    assert not quality.passes_gate
    assert outcome.decision is not GateDecision.PASS
    assert any(word in text for text in quality.obstacles), quality.obstacles


def test_an_objection_that_names_something_to_repair_is_sent_back_and_one_that_names_nothing_is_asked():
    major = finding("Wrong for 0.", Severity.MAJOR)
    assert judged(judged=verdict(0.95, major, opinion="revise"))[1].decision is GateDecision.RETRY
    assert judged(judged=verdict(0.95, opinion="revise"))[1].decision is GateDecision.ASK


def test_the_floor_of_the_judged_stages_can_be_set():
    quality, _ = judged(GateRules(policy=Policy.AUTONOMOUS, judged_floor=0.4), judged=verdict(0.5, opinion="approve"))
    assert quality.passes_gate


def test_a_score_without_the_judges_part_is_shown_as_none():
    quality, _ = judged(judged=unjudged())
    assert quality.overall is None
    assert quality.line == "Quality: – (FAIL)"


SAID = st.builds(
    lambda score, severities, opinion: verdict(
        score, *(finding(str(i), s) for i, s in enumerate(severities)), opinion=opinion
    ),
    st.floats(0.5, 1),
    st.lists(st.sampled_from(Severity), max_size=3),
    st.sampled_from(("approve", "revise", "reject")),
)


@given(SAID, st.floats(0, 1))
def test_no_pass_goes_against_the_judges_own_word(said, threshold):
    quality, outcome = judged(GateRules(policy=Policy.AUTONOMOUS, threshold=threshold), judged=said)
    if outcome.decision is GateDecision.PASS:
        assert said.opinion == "approve"
        assert not {item.severity for item in said.findings} & {Severity.BLOCKER, Severity.MAJOR}
        assert all((quality.score_of(stage) or 0) >= 0.70 for stage in (Stage.REQUIREMENTS, Stage.QUALITY))
