"""The Tasks screen: a plan is made, changed, imported and kept in step with its file, by keys alone."""

import os

import pytest
from msgspec.structs import replace

from obra_tui.core import commands as c
from obra_tui.core import events as e
from obra_tui.core.errors import PlanError
from obra_tui.core.lifecycle import State
from obra_tui.core.model import SessionKind
from obra_tui.ui.actions.plan_changes import undoable
from obra_tui.ui.screens.tasks.form import TaskForm
from obra_tui.ui.screens.tasks.picker import TaskPicker, found
from obra_tui.ui.screens.tasks.plan_preview import PlanPreview
from obra_tui.ui.screens.tasks.screen import TasksScreen
from obra_tui.ui.state import ViewState, apply_all
from tests.fakes.plan_engine import PlanEngine
from tests.ui import stories
from tests.ui.stage import FakePlans, Stage, settled
from widgets.lists.choice_list import ChoiceList

PLAN = "# Calculator\n\n- [ ] Write the parser\n  - It parses\n- [ ] Write the docs (after: T001)\n- [ ] Publish\n"


def at_work(plans=None, story=None):
    story = story or stories.Story()
    return Stage(story, engine=PlanEngine(story.records), plans=plans)


async def planned(stage, pilot):
    """Import the plan, so that a session of it is open."""
    await stage.press(pilot, "2", "i")
    await settled(pilot, lambda: "3 open tasks" in stage.text())
    await stage.press(pilot, "enter")
    await settled(pilot, lambda: isinstance(stage.screen, PlanPreview))
    await stage.press(pilot, "ctrl+s")
    await settled(pilot, lambda: isinstance(stage.screen, TasksScreen) and "Publish" in stage.text())
    session = stage.services.view.newest_session.id
    return lambda: [
        (item.spec.key, item.spec.title, *(["held"] if item.held_back else [])) for item in stage.engine.tasks(session)
    ]


@pytest.fixture
def plans():
    return FakePlans({"tasks.md": PLAN})


async def test_lines_of_the_file_that_look_like_tasks_and_are_none_are_named_before_and_after_it_comes_in():
    hidden = "<!-- not now:\n- [ ] Rewrite\n-->\n| [ ] | a table |\n"
    plans = FakePlans({"tasks.md": f"{PLAN}\n{hidden}"})
    stage = at_work(plans)
    async with stage.open() as pilot:
        await stage.press(pilot, "2", "i")
        await settled(pilot, lambda: "3 open tasks · 2 lines are no task" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: isinstance(stage.screen, PlanPreview))
        await settled(pilot, lambda: "tasks.md:9: No task: it stands in the comment" in stage.text())
        await stage.press(pilot, "ctrl+s")
        await settled(pilot, lambda: isinstance(stage.screen, TasksScreen) and "Publish" in stage.text())
        await settled(pilot, lambda: "! tasks.md:9: No task: it stands in the comment" in stage.text())
        await settled(pilot, lambda: any("And 1 more like it." in told.text for told in stage.app.notices.told))
        plans.write("tasks.md", PLAN)
        await settled(pilot, lambda: "No task" not in stage.text())


async def test_an_empty_list_names_its_keys_and_the_files_there_are(plans):
    stage = at_work(plans)
    async with stage.open() as pilot:
        await stage.press(pilot, "2")
        await settled(pilot, lambda: "found tasks.md" in stage.text())
        assert "n  write one in a line" in stage.text()
        assert "N  write one with its prompt" in stage.text()


async def test_a_task_is_added_in_one_line_which_is_judged_while_it_is_typed():
    stage = at_work()
    async with stage.open() as pilot:
        await stage.press(pilot, "2", "n")
        await settled(pilot, lambda: stage.app.focused is not None and stage.app.focused.id == "message-input")
        await stage.press(pilot, *"Sing")
        await settled(pilot, lambda: "T001" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "T001 queued" in stage.text())
        (opened,) = stage.engine.asked(c.OpenSession)
        assert (opened.kind, opened.title, opened.project) == (SessionKind.MILESTONE, "calc", "/home/ada/calc")
        await stage.press(pilot, "n")
        await stage.press(pilot, *"Dance (after T009)")
        await settled(pilot, lambda: "There is no task T009. Did you mean T001?" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: isinstance(stage.screen, TaskForm))
        assert stage.screen.fields.title == "Dance", "nothing that was typed is lost"


async def test_a_file_is_looked_into_before_it_comes_in(plans):
    stage = at_work(plans)
    async with stage.open() as pilot:
        tasks = await planned(stage, pilot)
        assert tasks() == [("T001", "Write the parser"), ("T002", "Write the docs"), ("T003", "Publish")]
        await stage.press(pilot, "i")
        await settled(pilot, lambda: "3 open tasks" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "nothing new" in stage.text())
        await stage.press(pilot, "escape")
        assert len(stage.engine.asked(c.ChangePlan)) == 1


async def test_a_file_that_cannot_be_read_says_so_and_nothing_comes_in():
    stage = at_work(FakePlans({"tasks.md": "- [ ] T1 A (after: T2)\n- [ ] T2 B (after: T1)\n"}))
    async with stage.open() as pilot:
        await stage.press(pilot, "2", "i")
        await settled(pilot, lambda: "✗ tasks.md" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "in a circle" in stage.text())
        await stage.press(pilot, "tab", *"nowhere.md", "enter")
        await settled(pilot, lambda: "No such file" in stage.text())
        assert stage.engine.submitted == []


async def test_several_marked_tasks_are_held_moved_and_taken_out_together_and_all_is_undone(plans):
    stage = at_work(plans)
    async with stage.open() as pilot:
        tasks = await planned(stage, pilot)
        before = tasks()
        await stage.press(pilot, "space", "space", "h")
        await settled(pilot, lambda: [item[2:] for item in tasks()] == [("held",), ("held",), ()])
        assert "2 marked" in stage.text()
        await stage.press(pilot, "J")
        await settled(pilot, lambda: [key for key, *_ in tasks()] == ["T003", "T001", "T002"])
        await stage.press(pilot, "d", "j", "enter")
        await settled(pilot, lambda: [key for key, *_ in tasks()] == ["T003"])
        for _ in range(2):
            await stage.press(pilot, "z")
        await settled(pilot, lambda: "z undoes the change before it." in stage.text())
        await stage.press(pilot, "z")
        await settled(pilot, lambda: tasks() == before)
        await stage.press(pilot, "z")  # the file that was taken in: there is no change before it
        await settled(pilot, lambda: "Undone: 3 tasks from the file." in stage.text())
        assert tasks() == []
        assert "Undone: 3 tasks from the file. z" not in stage.text()


async def test_the_form_judges_keeps_and_can_be_undone(plans):
    stage = at_work(plans)
    async with stage.open() as pilot:
        tasks = await planned(stage, pilot)
        await stage.press(pilot, "e")
        await settled(pilot, lambda: isinstance(stage.screen, TaskForm) and stage.screen.is_mounted)
        form = stage.screen
        form.query_one("#field-after").value = "T002"
        await settled(pilot, lambda: "in a circle: T002 → T001 → T002" in stage.text())
        await stage.press(pilot, "ctrl+s")
        assert stage.screen is form, "what is wrong is not kept"
        form.query_one("#field-after").value = ""
        form.query_one("#field-title").value = "Write a good parser"
        form.query_one("#field-turns").value = "many"
        await settled(pilot, lambda: "'many' is not a whole number" in stage.text())
        form.query_one("#field-turns").value = "20"
        await stage.press(pilot, "ctrl+s")
        await settled(pilot, lambda: tasks()[0] == ("T001", "Write a good parser"))
        assert stage.engine.tasks(stage.services.view.newest_session.id)[0].spec.budget.max_turns == 20
        await stage.press(pilot, "z")
        await settled(pilot, lambda: tasks()[0] == ("T001", "Write the parser"))


async def test_a_form_with_changes_is_left_by_the_second_escape_only(plans):
    stage = at_work(plans)
    async with stage.open() as pilot:
        await planned(stage, pilot)
        await stage.press(pilot, "N")
        await settled(pilot, lambda: isinstance(stage.screen, TaskForm))
        await stage.press(pilot, "X", "escape")
        await settled(pilot, lambda: "Not kept yet" in stage.text())
        await stage.press(pilot, "escape")
        await settled(pilot, lambda: isinstance(stage.screen, TasksScreen))


async def test_dependencies_are_found_by_a_few_letters_and_circles_are_refused(plans):
    stage = at_work(plans)
    async with stage.open() as pilot:
        await planned(stage, pilot)
        await stage.press(pilot, "D")
        await settled(pilot, lambda: isinstance(stage.screen, TaskPicker))
        await stage.press(pilot, "enter")
        assert "waits for this one" in stage.text()
        await stage.press(pilot, *"pbl")
        await settled(pilot, lambda: "T002" not in stage.screen.query_one(ChoiceList).highlighted)
        await stage.press(pilot, "enter", "ctrl+s")
        session = stage.services.view.newest_session.id
        await settled(pilot, lambda: stage.engine.tasks(session)[0].spec.depends_on == ("T003",))


def test_the_best_match_comes_first():
    tasks = stories.two_tasks()
    specs = [record.event.spec for record in tasks.records if hasattr(record.event, "spec")]
    assert [task.key for task in found("", specs)] == [task.key for task in specs]
    assert found("zzzz", specs) == []
    assert found(specs[1].key, specs)[0] == specs[1]


async def test_a_task_is_edited_in_the_persons_own_editor(plans, tmp_path, monkeypatch):
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "Sing\\n\\nAloud.\\n\\naccept: It is heard\\n" > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    stage = at_work(plans)
    async with stage.open() as pilot:
        await planned(stage, pilot)
        suspended = []
        monkeypatch.setattr(stage.app, "suspend", lambda: _suspended(suspended))
        await stage.press(pilot, "ctrl+g")
        await settled(pilot, lambda: isinstance(stage.screen, TaskForm) and stage.screen.fields.title == "Sing")
        assert (stage.screen.fields.prompt, stage.screen.fields.acceptance) == ("Aloud.", "It is heard")
        assert suspended == ["in", "out"]


class _suspended:
    def __init__(self, log):
        self._log = log

    def __enter__(self):
        self._log.append("in")

    def __exit__(self, *_):
        self._log.append("out")


async def test_what_the_person_changes_in_the_file_comes_in_and_can_be_undone(plans):
    stage = at_work(plans)
    async with stage.open() as pilot:
        tasks = await planned(stage, pilot)
        plans.write("tasks.md", PLAN.replace("- [ ] Publish", "- [ ] Proofread\n- [x] Publish"))
        await settled(pilot, lambda: [title for _, title, *_ in tasks()] == [
            "Write the parser", "Write the docs", "Proofread",
        ])  # fmt: skip
        await stage.press(pilot, "z")
        await settled(pilot, lambda: [title for _, title, *_ in tasks()][-1] == "Publish")


async def test_what_differed_when_the_file_was_first_seen_neither_comes_nor_goes_by_itself():
    story = stories.Story().opened()
    opened = story.records[0]
    story.records[0] = replace(opened, event=replace(opened.event, plan_source="tasks.md"))
    story.with_tasks("Write the parser", "Write the docs")
    plans = FakePlans({"tasks.md": "- [ ] T001 Write the parser\n- [ ] T009 Sing\n"})
    stage = at_work(plans, story)
    async with stage.open() as pilot:
        await stage.press(pilot, "2")
        await settled(pilot, lambda: "1 more in tasks.md" in stage.text())
        assert [item.spec.key for item in stage.engine.tasks(stories.SESSION)] == ["T001", "T002"]
        plans.write("tasks.md", "- [ ] T001 Write the parser\n- [ ] T009 Sing\n- [ ] T010 Dance\n")
        await settled(pilot, lambda: len(stage.engine.tasks(stories.SESSION)) == 3)
        plans.write("tasks.md", "- [ ] T001 Write the parser\n- [ ] T009 Sing\n")
        await settled(pilot, lambda: len(stage.engine.tasks(stories.SESSION)) == 2)


async def test_what_was_changed_on_both_sides_is_shown_and_asked(plans):
    stage = at_work(plans)
    async with stage.open() as pilot:
        tasks = await planned(stage, pilot)
        await stage.press(pilot, "e")
        await settled(pilot, lambda: isinstance(stage.screen, TaskForm))
        stage.screen.query_one("#field-title").value = "Write my parser"
        await stage.press(pilot, "ctrl+s")
        await settled(pilot, lambda: tasks()[0][1] == "Write my parser")
        plans.write("tasks.md", PLAN.replace("It parses", "It parses all"))
        await settled(pilot, lambda: "1 task was changed here and in tasks.md" in stage.text())
        await stage.press(pilot, "c")
        await settled(pilot, lambda: "+accept: It parses all" in stage.text())
        assert "-Write my parser" in stage.text()
        await stage.press(pilot, "ctrl+s")
        await settled(pilot, lambda: isinstance(stage.screen, TasksScreen))
        assert tasks()[0][1] == "Write my parser", "not ticked: it stays as it is here"
        plans.write("tasks.md", PLAN.replace("It parses", "It parses all") + "\n")
        await settled(pilot, lambda: not stage.services.plan_file.conflicts)
        plans.write("tasks.md", PLAN.replace("It parses", "It parses much"))
        await settled(pilot, lambda: stage.services.plan_file.conflicts)
        await stage.press(pilot, "c", "space", "ctrl+s")
        await settled(pilot, lambda: tasks()[0][1] == "Write the parser")


async def test_a_file_that_became_unreadable_leaves_the_plan_as_it_is(plans):
    stage = at_work(plans)
    async with stage.open() as pilot:
        tasks = await planned(stage, pilot)
        before = tasks()
        plans.write("tasks.md", PLAN + "- [ ] T001 Again\n- [ ] T001 And again\n")
        await settled(pilot, lambda: "The plan file cannot be read" in stage.text())
        assert tasks() == before
        plans.write("tasks.md", PLAN)
        await settled(pilot, lambda: "The plan file cannot be read" not in stage.text())


async def test_a_tick_that_could_not_be_written_is_said(plans):
    stage = at_work(plans)
    async with stage.open() as pilot:
        await stage.press(pilot, "2")
        plans.told_problems[0](PlanError("The plan was not updated.", where="tasks.md", fix="Tick the task by hand."))
        await settled(pilot, lambda: "The plan was not updated" in stage.text())


async def test_an_answer_to_a_gate_is_undone_first_when_it_came_last():
    story = stories.at_gate()
    stage = at_work(story=story)
    async with stage.open() as pilot:
        await stage.press(pilot, "2")
        assert not stage.services.plan_changes.can_undo(stage.services.view.newest_session)
        assert os.environ.get("NO_COLOR") is None


def held_before_the_start():
    """Two tasks, one of which was held by somebody before the app was opened."""
    story = stories.Story().opened().with_tasks("Write the parser", "Write the docs")
    held = story.on(2).tell(e.TaskHeld(by="person:eve")).task
    story.task = None
    return story.tell(e.PlanChanged(records=1, tasks=(held,), by="person:eve", said="T002 held.")), held


async def test_a_change_made_before_the_app_was_opened_is_undone_by_the_key():
    story, _ = held_before_the_start()
    stage = at_work(story=story)
    async with stage.open() as pilot:
        await stage.press(pilot, "2")
        assert stage.engine.tasks(stories.SESSION)[1].held_back
        await stage.press(pilot, "z")
        await settled(pilot, lambda: "Undone: T002 held." in stage.text())
        assert not stage.engine.tasks(stories.SESSION)[1].held_back
        assert stage.services.plan_changes.can_undo(stage.services.view.newest_session) is False


def test_a_change_of_a_task_that_was_begun_leaves_the_key_to_the_gates():
    story, held = held_before_the_start()
    view = apply_all(ViewState(), story.records)
    assert undoable(view, view.newest_session).tasks == (held,)
    begun = replace(view.tasks[held], state=State.IMPLEMENTING)
    view = replace(view, tasks={**view.tasks, held: begun})
    assert undoable(view, view.newest_session) is None
