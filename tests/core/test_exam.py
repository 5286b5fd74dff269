"""What a judge's answers to the kept cases say of it, and what they never say."""

import pytest

from obra_tui.core.judging.authority import JudgeRecord, beside, record_in
from obra_tui.core.judging.exam import answers_of
from obra_tui.core.judging.standing import Decided, Drifted, Examined, Level, after, record_of, standing_of
from obra_tui.core.model import CaseSource, JudgeCase, JudgeIdentity, Trial, Truth

pytestmark = pytest.mark.quick


def pair(number, source=CaseSource.PLANTED, strength="A", kind="comparison"):
    base = f"base {number}"
    good = JudgeCase(id=f"g{number}", source=CaseSource.ACCEPTED, truth=Truth.GOOD, strength="C", base=base)
    bad = JudgeCase(id=f"b{number}", source=source, truth=Truth.BAD, strength=strength, base=base, kind=kind)
    return good, bad


def book(count, **fields):
    return {case.id: case for number in range(count) for case in pair(number, **fields)}


def trial(case, passes, **fields):
    return Trial(case=case, version="v", model="qwen", passes=passes, **fields)


def asked(cases, passes):
    return [trial(name, passes(case)) for name, case in cases.items()]


def level(answers):
    return standing_of(after(record_of(()), Examined(exam=answers.exam, bad_share=(3, 100)))).level


def test_a_judge_that_passes_everything_is_named_blind_after_thirty_pairs():
    answers = answers_of(book(30), asked(book(30), lambda _: True))
    assert (answers.exam.pairs, answers.exam.missed) == (30, 30)
    assert level(answers) is Level.SILENT


def test_a_judge_that_stops_everything_is_no_better():
    answers = answers_of(book(30), asked(book(30), lambda _: False))
    assert len(answers.alarms) == 30
    assert level(answers) is Level.SILENT


def test_a_judge_that_tells_good_from_bad_may_send_back_or_more():
    cases = book(60)
    assert level(answers_of(cases, asked(cases, lambda case: case.truth is Truth.GOOD))) >= Level.SENDS_BACK


def test_many_faults_of_one_change_are_one_pair_and_the_real_one_goes_first():
    good, planted = pair(0)
    real = JudgeCase(id="r", source=CaseSource.REVERTED, truth=Truth.BAD, strength="A", base="base 0")
    cases = {item.id: item for item in (good, planted, real)}
    answers = answers_of(cases, [trial("g0", True), trial("b0", False), trial("r", True)])
    assert (answers.exam.pairs, answers.exam.missed) == (1, 1)


def test_an_imported_set_without_proofs_counts_for_nothing():
    cases = book(60, source=CaseSource.IMPORTED, strength="D")
    assert answers_of(cases, asked(cases, lambda case: case.truth is Truth.GOOD)).exam.pairs == 0


def test_the_first_answer_counts_and_asking_again_is_no_new_case():
    cases = book(1)
    answers = answers_of(cases, [trial("g0", True), trial("b0", True), trial("b0", False)])
    assert (answers.exam.missed, answers.flips, answers.repeats) == (1, 1, 1)


def test_other_answers_under_the_same_digest_take_authority():
    cases = book(12)
    first = asked(cases, lambda case: case.truth is Truth.GOOD)
    again = asked(cases, lambda _: False)
    answers = answers_of(cases, [*first, *again])
    assert answers.has_drifted
    record = record_of([Decided(bad=False)] * 60)
    assert standing_of(record).level is Level.PASSES
    lost = after(record, Drifted(flips=answers.flips, repeats=answers.repeats))
    assert standing_of(lost).level is Level.ADVISES
    assert "differently under the same digest" in standing_of(lost).why


def test_the_line_beside_a_verdict_says_counts_a_limit_and_what_it_may():
    few = JudgeRecord(model="q", digest="", rubric="r", record=record_of([Decided(bad=False)] * 3))
    assert beside(few, is_given=False) == "false passes 0 of 3, too few to say · may not pass alone"
    assert beside(few, is_given=True).startswith("UNMEASURED · ")
    many = JudgeRecord(
        model="q", digest="", rubric="r", record=record_of([Decided(bad=True)] * 2 + [Decided(bad=False)] * 59)
    )
    assert beside(many, is_given=False) == "false passes 2 of 61 (≤ 14 %) · may not pass alone"


def test_a_kind_of_fault_that_passes_is_named_beside_the_verdict():
    cases = book(6)
    answers = answers_of(cases, asked(cases, lambda _: True))
    found = JudgeRecord(model="q", digest="", rubric="r", record=record_of(()), answers=answers)
    assert beside(found, is_given=False).endswith("blind to: comparison 6/6")


@pytest.mark.parametrize("field", ["digest", "template_hash", "prompt_hash", "rubric_hash", "options_hash", "dialect"])
def test_anything_that_an_answer_depends_on_makes_another_judge(field):
    one = JudgeIdentity(model="qwen", digest="sha256:a")
    other = JudgeIdentity(model="qwen", **{"digest": "sha256:a", field: "other"})
    known = JudgeRecord(
        model="qwen", digest="sha256:a", rubric="", version=one.version, record=record_of([Decided(bad=False)] * 60)
    )
    assert record_in([known], one).standing.level is Level.PASSES
    assert record_in([known], other).standing.level is Level.ADVISES
