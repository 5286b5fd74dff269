"""Plans: what people write becomes tasks; what cannot be one is told with its line."""

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obra_tui.core.errors import PlanError
from obra_tui.core.ids import TaskId
from obra_tui.core.model import Budget, Stage, TaskSpec
from obra_tui.core.plans.parse import format_of, order, parse_plan
from obra_tui.core.plans.sources import single_task_plan, typed_task
from obra_tui.engine.prompts import task_prompt


def markdown(text):
    return parse_plan(textwrap.dedent(text), "tasks.md", "markdown")


def toml(text):
    return parse_plan(textwrap.dedent(text), "plan.toml", "toml")


def only(plan):
    (task,) = plan.tasks
    return task


def refused(read, text):
    with pytest.raises(PlanError) as caught:
        read(text)
    return str(caught.value)


def task(key, *depends_on):
    return TaskSpec(id=TaskId(f"t{key}"), key=key, title=key, prompt="", depends_on=depends_on)


# --- Markdown


def test_every_open_checkbox_is_a_task_and_the_heading_names_the_plan():
    plan = markdown("""\
        # Calculator

        Some words.

        - [ ] Add numbers
        * [ ] Subtract numbers
        1. [ ] Divide numbers
        """)
    assert plan.title == "Calculator"
    assert [(item.key, item.title, item.source) for item in plan.tasks] == [
        ("T001", "Add numbers", "tasks.md:5"),
        ("T002", "Subtract numbers", "tasks.md:6"),
        ("T003", "Divide numbers", "tasks.md:7"),
    ]


def test_without_a_heading_the_file_names_the_plan():
    assert markdown("- [ ] a").title == "tasks"


def test_indented_bullets_are_criteria_and_other_text_is_the_prompt():
    item = only(
        markdown("""\
        - [ ] Write the report
          Read the file and
          print JSON.
          - the average is 30.0
            for the three people
          - [ ] every function has a docstring
            - also the small ones

          Use the standard library.

        This is no part of it.
        """)
    )
    assert item.prompt == "Read the file and\nprint JSON.\n\nUse the standard library."
    assert item.acceptance == (
        "the average is 30.0 for the three people",
        "every function has a docstring\n  - also the small ones",
    )


def test_fenced_code_stays_as_it_is_and_its_checkboxes_are_no_tasks():
    item = only(
        markdown("""\
        - [ ] Write the file
          ~~~
          ```
          - [ ] not a task
              - not a criterion
          ```
          after: T999
          ~~~
        ```
        - [ ] not a task either
        ```
        """)
    )
    assert item.prompt == "~~~\n```\n- [ ] not a task\n    - not a criterion\n```\nafter: T999\n~~~"
    assert item.acceptance == ()
    assert item.depends_on == ()


@pytest.mark.parametrize(
    ("words", "key", "title"),
    [
        ("T007 Do it", "T007", "Do it"),
        ("T007: Do it", "T007", "Do it"),
        ("**T007** Do it", "T007", "Do it"),
        ("**login-2**: Do it", "login-2", "Do it"),
        ("Do it <!-- id: login -->", "login", "Do it"),
        ("Do it <!-- login -->", "login", "Do it"),
        ("T012 [P] [US1] Do it in src/a.py", "T012", "Do it in src/a.py"),
        ("UTF-8 support", "T001", "UTF-8 support"),
        ("**Important** thing", "T001", "**Important** thing"),
        ("T-shirts for all", "T001", "T-shirts for all"),
    ],
)
def test_ids_are_taken_from_the_title_and_other_words_are_left_in_it(words, key, title):
    item = only(markdown(f"- [ ] {words}"))
    assert (item.key, item.title) == (key, title)


@pytest.mark.parametrize(
    "second",
    [
        "- [ ] T002 b\n  after: T001",
        "- [ ] T002 b\n  - depends on: `T001`.",
        "- [ ] T002 b\n  - [ ] depends: T001",
        "- [ ] T002 b (after T001)",
        "- [ ] T002 b (depends on: T001)",
    ],
)
def test_dependencies_are_written_as_people_write_them(second):
    plan = markdown(f"- [ ] T001 a\n{second}\n")
    assert plan.tasks[1].depends_on == ("T001",)
    assert plan.tasks[1].title == "b"
    assert plan.tasks[1].acceptance == ()


def test_a_sentence_with_after_is_no_dependency():
    item = only(markdown("- [ ] a\n  - after: the login works\n"))
    assert item.acceptance == ("after: the login works",)


def test_done_tasks_are_left_out_with_all_that_is_under_them_and_free_what_waits_for_them():
    plan = markdown("""\
        - [x] T001 a
          - [ ] T005 part of a
          text
        - [ ] T002 b (after: T001)
        - [X] c
        - [ ] d
        """)
    assert [(item.key, item.depends_on) for item in plan.tasks] == [("T002", ()), ("T004", ())]


def test_a_nested_checkbox_with_an_id_is_a_task():
    plan = markdown("- [ ] T001 a\n  - [ ] T002 b (after T001)\n    text of b\n")
    assert [(item.key, item.prompt) for item in plan.tasks] == [("T001", ""), ("T002", "text of b")]


def test_a_task_without_an_id_never_takes_the_id_of_another():
    plan = markdown("- [ ] a\n- [ ] T001 b\n- [ ] T002 c\n- [ ] d\n")
    keys = [item.key for item in plan.tasks]
    assert keys[1:3] == ["T001", "T002"]
    assert len(set(keys)) == 4


def test_line_ends_tabs_and_a_byte_order_mark_do_not_matter():
    item = only(parse_plan("\ufeff# P\r\n\r\n- [ ] a\r\n\t- b\r\n\ttext\r\n", "x.md", "markdown"))
    assert (item.title, item.acceptance, item.prompt) == ("a", ("b",), "text")


def test_tasks_come_after_those_they_depend_on():
    plan = markdown("- [ ] T001 a (after T003)\n- [ ] T002 b\n- [ ] T003 c\n")
    assert [item.key for item in plan.tasks] == ["T002", "T003", "T001"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "tasks.md: There is no task in this plan. Write at least one: `- [ ] title`."),
        ("# Title\n\n- a bullet\n", "tasks.md: There is no task in this plan."),
        ("- [x] done\n", "tasks.md: Every task of this plan is ticked."),
        ("\n- [ ]\n", "tasks.md:2: This task has no title."),
        ("- [ ] T001\n", "tasks.md:1: This task has no title."),
        ("- [ ] T001 a\n- [ ] T001 b\n", "tasks.md:2: Two tasks have the id 'T001'."),
        ("- [ ] T001 a\n  text\n  after: T01\n", "tasks.md:3: 'T001' waits for 'T01', which is no task of this plan."),
        ("- [ ] T1 a\n  after: T1\n", "tasks.md:1: The tasks wait for each other in a circle: T1 → T1."),
        (
            "- [ ] T0 x (after T1)\n- [ ] T1 a (after T2)\n- [ ] T2 b (after T1)\n",
            "tasks.md:2: The tasks wait for each other in a circle: T1 → T2 → T1.",
        ),
    ],
)
def test_what_cannot_be_a_plan_is_told_with_its_line(text, message):
    assert refused(markdown, text).startswith(message)


# --- TOML


def test_a_toml_plan_has_all_fields_of_a_task():
    plan = toml("""\
        title = "Carpets"

        [[tasks]]
        id = "area"
        title = "Area"

        [[tasks]]
        id = "price"
        title = "Price"
        prompt = "Multiply."
        acceptance = ["once only"]
        depends_on = ["area"]

        [[tasks.checks]]
        name = "lint"
        run = "ruff check ."
        stage = "syntax"
        blocking = false
        timeout_s = 5

        [tasks.budget]
        max_turns = 3
        max_cost_usd = 0.5
        """)
    assert plan.title == "Carpets"
    price = plan.tasks[1]
    assert (price.prompt, price.acceptance, price.depends_on) == ("Multiply.", ("once only",), ("area",))
    assert price.source == "plan.toml:7"
    assert price.budget == Budget(max_turns=3, max_cost_usd=0.5)
    (check,) = price.checks
    assert (check.name, check.stage, check.blocking, check.timeout_s) == ("lint", Stage.SYNTAX, False, 5.0)
    assert check.origin == "plan"


def test_checks_may_be_plain_command_lines():
    item = only(toml('[[tasks]]\ntitle = "a"\nchecks = ["pytest -q --junitxml=$OBRA_JUNIT"]\n'))
    assert (item.checks[0].name, item.checks[0].junit) == ("pytest -q --junitxml=$OBRA_JUNIT", True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\ntitle = ", "plan.toml:2: This is not valid TOML: invalid value."),
        ("title = 1 2", "plan.toml:1:11: This is not valid TOML"),
        ("x = " + "[" * 5000, "plan.toml: This is not valid TOML: nested too deep."),
        ("", "plan.toml: There is no task in this plan."),
        ("task = 1\n", "plan.toml:1: There is no 'task' in a plan. Did you mean 'tasks'?"),
        ("tasks = 1\n", "plan.toml:1: 'tasks' must be a list of tables."),
        ("[[tasks]]\nid = 'a'\n", "plan.toml:1: This task has no title."),
        ("[[tasks]]\ntitle = 1\n", "plan.toml:2: 'title' must be text."),
        ("[[tasks]]\ntitle = 'a'\nid = 'a b'\n", "plan.toml:3: 'a b' cannot be an id."),
        ("[[tasks]]\ntitle='a'\n[[tasks]]\ntitle='b'\npromt='c'\n", "plan.toml:5: There is no 'promt' in a plan."),
        ("[[tasks]]\ntitle='a'\ndepends_on='b'\n", "plan.toml:3: 'depends_on' must be a list of texts."),
        ("[[tasks]]\ntitle='a'\ndepends_on=['b']\n", "plan.toml:3: 'T001' waits for 'b'"),
        ("[[tasks]]\ntitle='a'\n[tasks.budget]\nmax_turns=true\n", "plan.toml:4: 'max_turns' must be a whole number"),
        ("[[tasks]]\ntitle='a'\n[tasks.budget]\nmax_cost_usd=nan\n", "plan.toml:4: 'max_cost_usd' must be a number"),
        ("[[tasks]]\ntitle='a'\n[[tasks.checks]]\nname='x'\n", "plan.toml:3: This check has no command."),
        ("[[tasks]]\ntitle='a'\n[[tasks.checks]]\nrun='x'\nstage='quality'\n", "plan.toml:5: 'stage' must be 'syntax'"),
        ("[[tasks]]\ntitle='a'\n[[tasks.checks]]\nrun='x'\nstage=[]\n", "plan.toml:5: 'stage' must be 'syntax'"),
    ],
)
def test_what_cannot_be_a_toml_plan_is_told_with_its_line(text, message):
    assert refused(toml, text).startswith(message)


# --- a single task, the format, the order


def test_what_a_person_types_becomes_a_plan_of_one_task():
    item = only(single_task_plan("Add a parser\n\nIt reads CSV.\n"))
    assert (item.key, item.title, item.prompt) == ("T001", "Add a parser", "It reads CSV.")


def test_a_long_sentence_keeps_its_full_length_in_the_prompt():
    text = "word " * 60
    item = only(single_task_plan(text))
    assert len(item.title) <= 100
    assert item.prompt == text.strip()


def test_what_the_first_line_says_is_not_said_again_in_the_prompt():
    task = typed_task("  Add a flag\nIt is called --verbose\n")
    assert task_prompt(task).count("Add a flag") == 1
    assert "It is called --verbose" in task_prompt(task)


def test_a_first_line_of_one_long_word_is_cut_within_the_word():
    item = only(single_task_plan("x" * 300))
    assert item.title == "x" * 99 + "…"
    assert item.prompt == "x" * 300


def test_an_empty_task_is_refused():
    with pytest.raises(PlanError, match="empty"):
        single_task_plan(" \n ")


def test_the_name_of_the_file_tells_the_format():
    assert [format_of(name) for name in ("a.toml", "A.TOML", "tasks.md", "TODO")] == [
        "toml",
        "toml",
        "markdown",
        "markdown",
    ]


def test_a_dependency_outside_the_given_tasks_is_taken_for_done():
    assert order((task("a", "gone"),))[0].key == "a"


@given(st.lists(st.lists(st.integers(0, 7), max_size=3), max_size=8))
def test_an_order_puts_every_task_once_and_after_its_dependencies(needs):
    tasks = tuple(task(str(index), *map(str, those)) for index, those in enumerate(needs))
    try:
        ordered = order(tasks)
    except PlanError as error:
        assert "→" in str(error)
        return
    places = {item.key: place for place, item in enumerate(ordered)}
    assert len(places) == len(tasks)
    for item in tasks:
        assert all(places[key] < places[item.key] for key in item.depends_on if key in places)


_LINES = st.lists(
    st.sampled_from(
        ["- [ ] a", "- [x] T1 b", "  - c", "    - d", "```", "  ```", "text", "  text", "", "# h", "  after: T1", "- e"]
    ),
    max_size=14,
).map("\n".join)


@given(st.one_of(st.text(), _LINES), st.sampled_from(["markdown", "toml"]))
def test_no_text_is_answered_with_anything_but_a_plan_or_a_plan_error(text, fmt):
    try:
        plan = parse_plan(text, "any", fmt)
    except PlanError as error:
        assert error.what and error.fix
    else:
        assert plan.tasks
        assert all(item.title and item.key for item in plan.tasks)
        assert len({item.key for item in plan.tasks}) == len(plan.tasks)


SPEC_KIT = """\
# Tasks: Login

## Phase 1: Setup
- [x] T001 Create the project
- [ ] T002 [P] Configure lint
- [ ] T003 [P] Configure tests

## Phase 2: User Story 1
- [ ] T004 [P] [US1] Model in src/user.py
- [ ] T005 [P] [US1] Contract test
- [ ] T006 [US1] Service in src/login.py
- [ ] T007 [US1] Endpoint

## Dependencies
Text that is no phase.
"""


def test_spec_kit_phases_and_parallel_marks_become_dependencies():
    plan = parse_plan(SPEC_KIT, "tasks.md", "markdown")
    assert {task.key: task.depends_on for task in plan.tasks} == {
        "T002": (),
        "T003": (),
        "T004": ("T002", "T003"),
        "T005": ("T002", "T003"),
        "T006": ("T004", "T005"),
        "T007": ("T006",),
    }
    assert plan.tasks[2].title == "Model in src/user.py"
