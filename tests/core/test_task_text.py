"""A task as text, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from obra_tui.core.errors import PlanError
from obra_tui.core.ids import TaskId
from obra_tui.core.model import Budget, CheckSpec, TaskSpec
from obra_tui.core.plans.fields import spec_of
from obra_tui.core.plans.text import fields_in, task_text

SPEC = TaskSpec(
    id=TaskId("t1"),
    key="T001",
    title="Add a parser",
    prompt="Two lines\n\nof it.",
    acceptance=("It parses", "It refuses"),
    depends_on=("T000",),
)


def read_task(text, spec):
    """The task that the form makes of a text that was edited."""
    return spec_of(replace(fields_in(text), key=spec.key), spec)


def test_a_task_comes_back_from_its_text_as_it_was():
    assert read_task(task_text(SPEC), SPEC) == SPEC


def test_what_the_person_changes_is_what_the_task_becomes():
    changed = read_task("Another\n\nShort.\nafter: T002, T003\n", SPEC)
    assert (changed.title, changed.prompt, changed.acceptance) == ("Another", "Short.", ())
    assert changed.depends_on == ("T002", "T003")
    assert changed.id == SPEC.id


FULL = TaskSpec(
    id=TaskId("t2"),
    key="T002",
    title="Add a command line",
    prompt="Write it.\n\naccept: this line is told to Claude\n\nand so on",
    acceptance=("It starts\n  - without an error", "It ends"),
    depends_on=("T001",),
    checks=(CheckSpec(name="unit", run="make unit", timeout_s=30.0, origin="plan"),),
    budget=Budget(max_turns=20, max_cost_usd=1.5, max_seconds=600.0, max_tokens=1_500_000),
)


def test_everything_comes_back_and_what_looks_like_it_in_the_prompt_stays_there():
    assert read_task(task_text(FULL), FULL) == FULL


def test_a_limit_that_is_none_is_refused():
    with pytest.raises(PlanError, match="no limit 'money'"):
        read_task("Title\n\nlimit: money 3", SPEC)
    with pytest.raises(PlanError, match="'many' is not a whole number"):
        read_task("Title\n\nlimit: turns many", SPEC)


_LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Cs", "Zs"))
_LINES = st.text(_LETTERS, min_size=1, max_size=9)
_CRITERIA = _LINES.filter(lambda line: not line.startswith("- "))


@given(_LINES, st.lists(_LINES, max_size=4), st.lists(_CRITERIA, max_size=3))
def test_whatever_stands_in_a_task_comes_back(title, prompt, acceptance):
    spec = replace(SPEC, title=title, prompt="\n".join(prompt), acceptance=tuple(acceptance))
    assert read_task(task_text(spec), spec) == spec
