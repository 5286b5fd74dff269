"""A task as the fields of a form, and what is said about it while it is typed."""

import pytest
from msgspec.structs import replace

from obra_tui.core.errors import PlanError
from obra_tui.core.ids import TaskId
from obra_tui.core.model import Budget, CheckSpec, Stage, TaskSpec
from obra_tui.core.plans.fields import TaskFields, fields_of, free_key, remarks_on, spec_of

LINT = CheckSpec(name="lint", run="make lint", stage=Stage.SYNTAX, blocking=False, origin="plan")
SPEC = TaskSpec(
    id=TaskId("t2"),
    key="T002",
    title="Write the parser",
    prompt="Write `parser.py`.",
    acceptance=("It parses",),
    depends_on=("T001",),
    checks=(LINT,),
    budget=Budget(max_turns=20, max_cost_usd=0.5),
)


def other(key, *after):
    return TaskSpec(id=TaskId(f"t-{key}"), key=key, title=key, prompt=key, depends_on=after)


OTHERS = (other("T001"), other("T003", "T002"))


def said(**changes):
    return [(item.field, item.text, item.blocks) for item in remarks_on(changed(**changes), SPEC, OTHERS)]


def changed(**changes):
    return replace(fields_of(SPEC), **changes)


def test_fields_that_nobody_touched_are_the_task_as_it_was():
    assert spec_of(fields_of(SPEC), SPEC) == SPEC
    assert said() == []


def test_a_check_that_stays_keeps_what_the_plan_said_of_it():
    spec = spec_of(changed(checks="make lint\n\nmake unit $OBRA_JUNIT"), SPEC)
    assert spec.checks[0] is LINT
    assert (spec.checks[1].run, spec.checks[1].origin, spec.checks[1].junit) == ("make unit $OBRA_JUNIT", "plan", True)


def test_a_title_says_enough_for_a_task():
    spec = spec_of(TaskFields(title=" Do it "), SPEC)
    assert (spec.title, spec.prompt, spec.acceptance) == ("Do it", "", ())


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"title": " "}, "title", "no title"),
        ({"key": "T001"}, "key", "There is a task T001 already"),
        ({"key": "T 1"}, "key", "cannot be an id"),
        ({"after": "T002"}, "after", "cannot wait for itself"),
        ({"after": "T01"}, "after", "There is no task T01. Did you mean T001?"),
        ({"after": "T003"}, "after", "in a circle: T003 → T002 → T003"),
        ({"turns": "many"}, "turns", "'many' is not a whole number"),
        ({"cost": "-1"}, "cost", "'-1' is not a number above 0"),
        ({"tokens": "inf"}, "tokens", "'inf' is not a whole number"),
    ],
)
def test_what_is_wrong_is_said_at_once(changes, field, words):
    place, text, blocks = said(**changes)[0]
    assert (place, blocks) == (field, True)
    assert words in text


def test_a_task_without_a_criterion_is_only_warned_of():
    assert said(acceptance="") == [("acceptance", "No line says when it is done.", False)]
    assert spec_of(changed(acceptance=""), SPEC).acceptance == ()


def test_what_cannot_be_kept_is_refused():
    with pytest.raises(PlanError, match="not a number above 0"):
        spec_of(changed(seconds="0"), SPEC)


def test_the_next_key_is_one_that_no_task_has():
    assert free_key([]) == "T001"
    assert free_key(["T001", "T003"]) == "T004"
