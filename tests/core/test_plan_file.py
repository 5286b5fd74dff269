"""A person's plan file: only the checkbox and the id change, whatever else is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obra_tui.core.plan import parse_plan
from obra_tui.core.plan_file import ticked

ODD = (
    "\ufeff# Plan\r\n\r\n*  [ ]   T001   Add a parser   \r\n\t- a criterion\r\n"
    "```\r\n- [ ] T001 in a fence\r\n```\r\n1) [ ] Write the docs (after: T001)\t\r\n- [X] T009 done\r\nno end"
)


def test_only_the_checkbox_of_a_task_with_an_id_changes():
    assert ticked(ODD, key="T001", title="whatever") == ODD.replace("[ ]   T001", "[x]   T001")


def test_a_task_without_an_id_gets_it_as_a_comment_and_keeps_its_blanks():
    done = ticked(ODD, key="T002", title="Write the docs")
    assert done == ODD.replace(
        "1) [ ] Write the docs (after: T001)", "1) [x] Write the docs (after: T001) <!-- id: T002 -->"
    )
    assert ticked(done, key="T002", title="renamed") == done


@pytest.mark.parametrize(
    "line",
    ["- [ ] **api-1** Add it", "- [ ] Add it <!-- id: api-1 -->", "- [ ] Add it <!-- api-1 -->"],
)
def test_every_way_to_write_an_id_is_known(line):
    assert ticked(line, key="api-1", title="") == line.replace("[ ]", "[x]")


def test_a_task_that_is_gone_or_there_twice_changes_nothing():
    assert ticked("- [ ] A\n- [ ] A\n", key="T001", title="A") == "- [ ] A\n- [ ] A\n"
    assert ticked("# nothing\n", key="T001", title="A") == "# nothing\n"


def test_a_spec_kit_line_is_found_without_its_tags():
    line = "- [ ] T012 [P] [US1] Create model in src/models.py\n"
    assert ticked(line, key="T012", title="Create model in src/models.py") == line.replace("[ ]", "[x]")


@given(st.lists(st.sampled_from(["a", " ", "\t", "\n", "\r\n", "- [ ] ", "T001 ", "```", "<!-- x -->", "é", "- [x] "])))
def test_nothing_but_one_line_ever_changes(pieces):
    text = "".join(pieces)
    done = ticked(text, key="T001", title="a")
    before, after = text.splitlines(keepends=True), done.splitlines(keepends=True)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) <= 1
    for old, new in changed:
        assert new.replace("[x]", "[ ]").replace(" <!-- id: T001 -->", "") == old.replace("[x]", "[ ]")


def test_what_was_ticked_is_left_out_of_the_plan_the_next_time():
    text = "# Plan\n- [ ] First\n- [ ] Second\n"
    plan = parse_plan(text, "tasks.md", "markdown")
    done = ticked(text, key=plan.tasks[0].key, title=plan.tasks[0].title)
    again = parse_plan(done, "tasks.md", "markdown")
    assert [(task.key, task.title) for task in again.tasks] == [(plan.tasks[1].key, "Second")]
