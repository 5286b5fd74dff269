"""The Tasks screen and its dialogs as they look, at three sizes."""

from msgspec.structs import replace

from obra_tui.core import events as e
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import Budget, CheckSpec, DecisionKind
from tests.fakes.plan_engine import PlanEngine
from tests.ui import stories
from tests.ui.stage import FakePlans, Stage

TASKS = """# Calculator

- [ ] T010 Write the parser
  Create `parser.py` with a function `parse` that reads one line.
  - It parses an empty line
  - It says where a mistake is
- [ ] T011 Write a command line for the calculator and all of its options (after T010)
- [ ] T012 Write the docs (after T010, T011)
- [x] T013 Publish
"""


def planned(plans=None):
    """A plan in which every state is to be seen."""
    story = stories.Story().opened()
    story.records[0] = replace(story.records[0], event=replace(story.records[0].event, plan_source="tasks.md"))
    story.with_tasks(
        "Write a calculator", "Read a CSV file", "Stream the answers of the judge", "Search the history", "Old idea",
        "Compare two attempts", "Plot the figures", "Write the guide", "Ship it",
    )  # fmt: skip
    accepted(story.on(1))
    story.on(2).attempt_started().claude_works()
    story.on(3).attempt_started().claude_works().claude_done().checks_started().checks_done().judge_streams().verdict()
    story.scored().asks()
    story.attempt = None
    story.on(4).tell(e.TaskHeld(by="person:ada"))
    story.on(5).moved(State.BLOCKED, Trigger.CANCEL, State.CANCELLED)
    story.on(6).moved(State.BLOCKED, Trigger.UNBLOCK, State.QUEUED)
    story.on(7).attempt_started().moved(State.IMPLEMENTING, Trigger.FAIL, State.FAILED, "Claude Code could not start.")
    story.on(8).attempt_started().moved(State.IMPLEMENTING, Trigger.INTERRUPT, State.INTERRUPTED)
    story.task = story.attempt = None
    return Stage(story, engine=PlanEngine(story.records), plans=plans)


def accepted(story):
    story.attempt_started().claude_works().claude_done().checks_started().checks_done()
    story.judge_streams().verdict().scored().asks().decided(DecisionKind.APPROVE)
    story.attempt = None


def waiting(plans=None):
    """Three tasks that nobody was told of yet."""
    story = stories.Story().opened()
    story.records[0] = replace(story.records[0], event=replace(story.records[0].event, plan_source="tasks.md"))
    story.with_tasks("Write the parser", "Write a command line", "Write the docs")
    unit = CheckSpec(name="unit", run="make unit", origin="plan")
    spec = story.records[1].event.spec
    spec = replace(spec, checks=(unit,), budget=Budget(max_turns=20, max_cost_usd=1.5), source="tasks.md:3")
    story.records[1] = replace(story.records[1], event=replace(story.records[1].event, spec=spec))
    return Stage(story, engine=PlanEngine(story.records), plans=plans)


def test_no_task_yet(looks_right):
    looks_right(Stage(plans=FakePlans({"tasks.md": TASKS})), "2", shows="found tasks.md")


def test_a_plan_with_every_state(looks_right):
    looks_right(planned(), "2", shows="interrupted")


def test_two_tasks_marked(looks_right):
    looks_right(waiting(), "2", "space", "space", shows="2 marked")


def test_the_line_for_a_new_task(looks_right):
    looks_right(waiting(), "2", "n", *"Sing (after T9)", shows="There is no task T9")


def test_the_form(looks_right):
    looks_right(waiting(), "2", "e", shows="ctrl+t Pick tasks")


def test_the_form_with_mistakes(looks_right):
    looks_right(waiting(), "2", "N", "S", "tab", "tab", "tab", *"T009", shows="no task T009")


def test_the_picker_of_dependencies(looks_right):
    looks_right(waiting(), "2", "j", "D", shows="waits for this one")


def test_the_choice_of_a_file(looks_right):
    broken = "- [ ] T1 A (after T2)\n- [ ] T2 B (after T1)\n"
    plans = FakePlans({"tasks.md": TASKS, "TODO.md": broken, "specs/001-parser/tasks.md": TASKS})
    looks_right(Stage(plans=plans), "2", "i", shows="in a circle")


def test_what_a_file_would_bring(looks_right):
    looks_right(Stage(plans=FakePlans({"tasks.md": TASKS})), "2", "i", "enter", shows="It says where a mistake is")


def test_what_was_changed_on_both_sides(looks_right):
    text = "- [ ] T001 Write the parser\n  In verse.\n  - It rhymes\n- [ ] T002 Write a command line\n- [ ] T009 Sing\n"
    stage = waiting(FakePlans({"tasks.md": text}))
    story, spec = stage.story, stage.story.records[1].event.spec
    story.on(1).tell(e.TaskEdited(spec=replace(spec, title="Write my parser", acceptance=("It is fast",))))
    stage.engine.known[:] = story.records
    looks_right(stage, "2", "c", shows="-Write my parser")


def test_the_list_says_that_a_file_was_changed_too(looks_right):
    stage = waiting(FakePlans({"tasks.md": "- [ ] T001 Write the parser\n  - It rhymes\n- [ ] T009 Sing\n"}))
    story, spec = stage.story, stage.story.records[1].event.spec
    story.on(1).tell(e.TaskEdited(spec=replace(spec, title="Write my parser")))
    stage.engine.known[:] = story.records
    looks_right(stage, "2", shows="1 more in tasks.md")
