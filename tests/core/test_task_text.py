"""A task as text, and back."""

import pytest

from obra_tui.core.errors import PlanError
from obra_tui.core.ids import TaskId
from obra_tui.core.model import TaskSpec
from obra_tui.core.task_text import read_task, task_text

SPEC = TaskSpec(
    id=TaskId("t1"),
    key="T001",
    title="Add a parser",
    prompt="Two lines\n\nof it.",
    acceptance=("It parses", "It refuses"),
    depends_on=("T000",),
)


def test_a_task_comes_back_from_its_text_as_it_was():
    assert read_task(task_text(SPEC), SPEC) == SPEC


def test_what_the_person_changes_is_what_the_task_becomes():
    changed = read_task("Another\n\nShort.\nafter: T002, T003\n", SPEC)
    assert (changed.title, changed.prompt, changed.acceptance) == ("Another", "Short.", ())
    assert changed.depends_on == ("T002", "T003")
    assert changed.id == SPEC.id


def test_a_task_without_a_title_is_refused():
    with pytest.raises(PlanError, match="no title"):
        read_task(" \n ", SPEC)
