"""A person's plan file: only the checkbox and the id change, whatever else is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obra_tui.core.errors import PlanError
from obra_tui.core.plans.file import ticked
from obra_tui.core.plans.parse import parse_plan

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


# --- whole files, as people and their editors write them -----------------------------------------

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12)
_BULLET = st.sampled_from(["- ", "* ", "+ ", "1. ", "12) ", "-\t"])
_INDENT = st.sampled_from(["", "  ", "    ", "\t", " \t"])
_KEYS = st.sampled_from(["", "T001 ", "T002: ", "**api-1** ", "T003 [P] [US1] "])
_LINE = st.one_of(
    st.tuples(_INDENT, _BULLET, st.sampled_from(["[ ] ", "[x] ", "[X]\t", "[ ]"]), _KEYS, _TEXT).map("".join),
    st.tuples(_INDENT, _BULLET, _TEXT).map("".join),
    st.sampled_from(["```", "~~~~", "  ```python", "", "   ", "<!-- id: T001 -->", "# Plan", "## Phase 1"]),
    _TEXT,
)
_END = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def _files(draw):
    """A file with a byte order mark or none, mixed line ends, tabs, nested lists, fences, and maybe no last end."""
    lines = draw(st.lists(st.tuples(_LINE, _END), max_size=12))
    text = draw(st.sampled_from(["", "\ufeff"])) + "".join(line + end for line, end in lines)
    return text + draw(st.one_of(st.just(""), _LINE))


@given(_files(), st.sampled_from(["T001", "T002", "T003", "api-1", "T009"]), _TEXT)
def test_of_any_file_only_one_box_and_its_comment_change(text, key, title):
    before, after = text.encode(), ticked(text, key=key, title=title).encode()
    if after == before:
        return
    start = next(place for place, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1])
    rest = after[start:]
    for old, new in ((b" ", b"x"), (b"", f" <!-- id: {key} -->".encode())):
        rest = rest.replace(new, old, 1) if rest.replace(new, old, 1) != rest else rest
    assert rest == before[start:]


@given(_files())
def test_a_task_of_any_file_is_found_again_in_it_and_done_the_next_time(text):
    try:
        plan = parse_plan(text, "tasks.md", "markdown")
    except PlanError:
        return
    task = plan.tasks[0]
    done = ticked(text, key=task.key, title=task.title)
    if done == text:
        return
    try:
        left = parse_plan(done, "tasks.md", "markdown").tasks
    except PlanError as nothing:
        assert "Every task of this plan is ticked" in str(nothing) or "no task" in str(nothing)
        return
    assert task.key not in {other.key for other in left} or len(left) < len(plan.tasks)


@given(_files())
def test_what_stands_in_a_fence_is_never_ticked(text):
    fenced = "```\n" + text.replace("`", "").replace("\r", "\n") + "\n- [ ] T001 Here\n```\n"
    assert ticked(fenced, key="T001", title="Here") == fenced
