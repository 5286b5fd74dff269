"""What a reader of Markdown does not show is no task, and nothing that looks like a task is lost without a word."""

import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obra_tui.core.errors import PlanError
from obra_tui.core.plans.blocks import looks_like_task
from obra_tui.core.plans.file import ticked
from obra_tui.core.plans.markdown import read_markdown
from obra_tui.core.plans.parse import parse_plan


def plan(text):
    return parse_plan(textwrap.dedent(text), "plan.md", "markdown")


def titles(text):
    return [task.title for task in plan(text).tasks]


def refusal(text):
    with pytest.raises(PlanError) as caught:
        plan(text)
    return str(caught.value)


HIDDEN = {
    "comment": "<!-- not now:\n- [ ] Rewrite\n-->",
    "comment of one line": "<!-- - [ ] Rewrite -->\n<!-- - [ ] Rewrite -->",
    "indented code": "Such as:\n\n    - [ ] Rewrite",
    "fence": "```\n- [ ] Rewrite\n```",
    "tilde fence": "~~~md\n- [ ] Rewrite\n~~~",
    "fence in a quotation": "> ```\n> - [ ] Rewrite\n> ```",
    "HTML": "<details>\n- [ ] Rewrite\n</details>",
}


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_what_no_reader_shows_is_no_task_and_its_line_is_named_with_the_reason(hidden):
    read = parse_plan(f"- [ ] One\n\n{hidden}\n\n- [ ] Two\n", "plan.md", "markdown")
    assert [task.title for task in read.tasks] == ["One", "Two"]
    lines = f"\n\n{hidden}".split("\n")
    expected = [number for number, line in enumerate(lines, start=1) if looks_like_task(line)]
    assert [int(note.split(":")[1]) for note in read.notes] == expected
    assert "<!--" not in read.tasks[0].prompt


def test_a_comment_below_a_task_does_not_go_into_its_prompt():
    read = plan("- [ ] One\n  Do it.\n\n  <!-- not now:\n  - [ ] Two\n  -->\n  And well.\n")
    assert read.tasks[0].prompt == "Do it.\n\nAnd well."


def test_a_fence_ends_with_its_list_item():
    assert titles("- [ ] One\n  ```python\n  x = 1\n- [ ] Two\n- [ ] Three\n") == ["One", "Two", "Three"]


def test_three_backticks_within_a_line_begin_no_fence():
    assert titles("- [ ] One\n  ```code``` in a line\n- [ ] Two\n") == ["One", "Two"]


@pytest.mark.parametrize(
    "line",
    [
        *("- [] Two", "- [ ]Two", "-[ ] Two", "> - [ ] Two", "- [  ] Two", "1.[ ] Two", "- [~] Two", "[ ] Two"),
        *("• [ ] Two", "→ [ ] Two", "-- [ ] Two", "1.1 [ ] Two", "(1) [ ] Two", "a) [ ] Two", "- [_] Two"),
        *("- - [ ] Two", "- 1. [ ] Two", "- > [ ] Two", "### [ ] Two", r"- \[ \] Two", r"* \[ ] Two", "- **[ ]** Two"),
        *("- ☐ Two", "☐ Two", "- ［ ］ Two", "- [ ](soon) Two", "- [ ]: Two", "\ufeff- [ ] Two", "-\u00a0[ ] Two"),
    ],
)
def test_a_line_that_is_nearly_a_task_is_an_error_with_its_line(line):
    assert refusal(f"- [ ] One\n\n{line}\n").startswith("plan.md:3: This looks like a task, but ")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("| [ ] | Two |", "in a table"),
        ("- [o] Two", "behind a box that is neither"),
        ("- [TODO] Two", "behind a box that is neither"),
    ],
)
def test_a_line_that_may_be_meant_as_something_else_is_named_and_no_error(line, reason):
    read = plan(f"- [ ] One\n\n{line}\n")
    assert [task.title for task in read.tasks] == ["One"]
    assert read.notes[0].startswith(f"plan.md:3: No task: it stands {reason}")


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\v", "\f", "\x85"])
def test_a_task_behind_a_line_end_that_markdown_does_not_know_is_an_error(end):
    assert "no line end for Markdown" in refusal(f"- [ ] One{end}- [ ] Two\n")


@pytest.mark.parametrize("part", ["- ", "-", "1.", "> ", "1", "a) ", "|[ ", "\\["])
def test_a_long_line_of_bullets_is_read_in_a_moment(part):
    assert not looks_like_task(f"{part * 40_000}x")


def test_all_lines_that_are_nearly_tasks_are_named_at_once():
    said = refusal("- [ ] One\n- [] Two\n- [ ]Three\n-[ ] Four\n> - [ ] Five\n")
    assert re.findall(r"plan\.md:(\d)", said) == ["2", "3", "4", "5"]


@pytest.mark.parametrize("opening", ["```", "~~~~", "<!-- later"])
def test_a_task_behind_what_is_never_closed_is_an_error_with_its_line_and_where_that_begins(opening):
    said = refusal(f"- [ ] One\n\n{opening}\n\n- [ ] Two\n")
    assert said.startswith("plan.md:5: ")
    assert "begins in line 3 and is never closed" in said


def test_an_open_box_below_a_ticked_task_is_named():
    assert plan("- [x] One\n  - [ ] Left over\n- [ ] Two\n").notes == (
        "plan.md:2: No task: it stands under the ticked task in line 1.",
    )


@pytest.mark.parametrize(
    "line",
    ["- [link](x.md)", "- [x](x.md)", "- [x]: http://x", "- [1] a note", "text [ ] here", "- `[ ]` x", "e.g. [ ] x"],
)
def test_a_link_or_a_footnote_does_not_look_like_a_task(line):
    assert not looks_like_task(line)


def test_a_box_in_a_comment_is_not_ticked_for_the_task_of_the_same_name():
    text = "<!--\n- [ ] One\n-->\n- [ ] One\n"
    assert ticked(text, key="T001", title="One") == "<!--\n- [ ] One\n-->\n- [x] One <!-- id: T001 -->\n"


PIECES = st.sampled_from(
    [
        *("- [ ] a", "- [x] b", "1. [ ] c", "  - [ ] d", "    - [ ] e", "      - [ ] f", "- [ ] T7 g", "  - [ ] T8 h"),
        *("- [] j", "-[ ] k", "> - [ ] l", "- [ ]m", "[ ] n", "- [ ]", "  - [ ]", "\t- [ ] o", "* [X] i"),
        *("- - [ ] p", "| [ ] | q |", "- [o] r", "- ☐ s", r"- \[ ] t", "1.1 [ ] u", "### [ ] v", "  - [wip] w"),
        *("```", "  ```", "~~~", "````", "<!--", "-->", "  <!-- -->", "<div>", "", ""),
        *("text", "  text", "# heading", "- bullet", "  - bullet", "> quote", "---"),
    ]
)


@given(st.lists(PIECES | st.text(alphabet="-*+ []xX`~>#<!1.a\t|\\☐\u2028", max_size=12), max_size=14))
def test_tasks_and_criteria_and_named_lines_are_all_the_lines_that_look_like_tasks(lines):
    looking = {number for number, line in enumerate(lines, start=1) if looks_like_task(line.expandtabs(4))}
    try:
        _, drafts, skipped = read_markdown("\n".join(lines), "plan.md")
    except PlanError as error:
        assert {int(number) for number in re.findall(r"plan\.md:(\d+)", str(error))} <= looking
        return
    made = {draft.line for draft in drafts}
    named = {found.line for found in skipped}
    assert made | named <= looking
    assert not made & named
    criteria = "\n".join(words for draft in drafts for words in draft.acceptance)
    for number in looking - made - named:
        assert lines[number - 1].expandtabs(4).partition("]")[2].strip() in criteria
