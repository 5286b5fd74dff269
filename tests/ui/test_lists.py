from obra_tui.core import commands as c
from obra_tui.core.errors import StoreError
from obra_tui.core.events import TaskRemoved, TasksOrdered, WorkReverted
from obra_tui.core.model import DecisionKind, Reversal
from obra_tui.ui.screens.attempt.screen import AttemptScreen
from obra_tui.ui.screens.live.screen import LiveScreen
from obra_tui.ui.screens.review.screen import ReviewScreen
from obra_tui.ui.screens.tasks.rows import task_detail, task_rows
from obra_tui.ui.state import ViewState, apply_all
from tests.ui import stories
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import Stage, settled


async def test_tasks_show_state_dependencies_and_score():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "2")
        text = stage.text()
        for part in ("T001 gate", "after T001", "1× 0.90", "Accepted when", "divide(10, 0) raises"):
            assert part in text


async def test_a_task_opens_in_the_live_view():
    story = stories.streaming().on(2).attempt_started().says("z", "second task")
    stage = Stage(story)
    async with stage.open() as pilot:
        await stage.press(pilot, "2", "enter")
        await settled(pilot, lambda: isinstance(stage.screen, LiveScreen) and "four operations" in stage.text())


async def test_a_run_begins_at_the_task_that_is_named():
    stage = Stage(stories.two_tasks())
    async with stage.open((120, 40)) as pilot:
        await stage.press(pilot, "2", "R")
        await settled(pilot, lambda: stage.engine.asked(c.RunFrom))


async def test_the_list_follows_the_order_of_the_plan_and_forgets_what_was_taken_out():
    story = stories.two_tasks()
    stage = Stage(story)
    async with stage.open((120, 40)) as pilot:
        await stage.press(pilot, "2")
        first, second, *rest = stage.services.view.sessions[stories.SESSION].tasks
        stage.play(lambda s: s.tell(TasksOrdered(order=(second, first, *rest), by="person:ada")))
        await settled(pilot, lambda: stage.services.view.sessions[stories.SESSION].tasks[0] == second)
        stage.play(lambda s: s.on(1).tell(TaskRemoved(by="person:ada")))
        await settled(pilot, lambda: first not in stage.services.view.sessions[stories.SESSION].tasks)


async def test_cancelling_a_task_asks_first():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "2", "x", "enter")
        assert stage.engine.submitted == []
        await stage.press(pilot, "x", "j", "enter")
        await settled(pilot, lambda: stage.engine.asked(c.CancelTask))


async def test_an_empty_list_names_the_next_key():
    stage = Stage()
    async with stage.open() as pilot:
        await stage.press(pilot, "2")
        assert "No task yet" in stage.text()
        await stage.press(pilot, "3")
        assert "No gate is waiting" in stage.text()


async def test_gates_are_listed_and_opened():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "3")
        assert "1 gate waiting" in stage.text()
        await stage.press(pilot, "enter")
        assert isinstance(stage.screen, ReviewScreen)
        assert stage.engine.submitted == []


async def test_answered_gates_say_who_answered():
    stage = Stage(stories.at_gate().decided(DecisionKind.REJECT))
    async with stage.open() as pilot:
        await stage.press(pilot, "3")
        await settled(pilot, lambda: "rejected by ada" in stage.text())


async def test_the_history_goes_from_sessions_to_a_transcript_and_back():
    stage = Stage(stories.at_gate(), history=FakeHistory.sample())
    async with stage.open() as pilot:
        await stage.press(pilot, "4")
        await settled(pilot, lambda: "3 sessions" in stage.text())
        assert "REHEARSAL Read a CSV file" in stage.text()
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "Attempts of Calculator" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "four operations" in stage.text())
        assert isinstance(stage.screen, AttemptScreen)
        assert "Quality: 0.90 (PASS)" in stage.text()
        await stage.press(pilot, "d")
        await settled(pilot, lambda: "new file mode" in stage.text())
        await stage.press(pilot, "escape")
        await settled(pilot, lambda: "Attempts of Calculator" in stage.text())
        await stage.press(pilot, "escape")
        await settled(pilot, lambda: "3 sessions" in stage.text())


async def test_the_history_can_be_searched():
    history = FakeHistory.sample()
    stage = Stage(stories.at_gate(), history=history)
    async with stage.open() as pilot:
        await stage.press(pilot, "4")
        await settled(pilot, lambda: "3 sessions" in stage.text())
        await stage.press(pilot, "slash")
        await settled(pilot, lambda: stage.app.focused is not None and stage.app.focused.id == "message-input")
        await stage.press(pilot, *"write", "enter")
        await settled(pilot, lambda: "1 match" in stage.text() and "filter: write" in stage.text())


async def test_a_history_that_cannot_be_read_says_so():
    class Broken(FakeHistory):
        def sessions(self, *_):
            raise StoreError("The database cannot be read.", fix="obra doctor")

    stage = Stage(stories.at_gate(), history=Broken())
    async with stage.open() as pilot:
        await stage.press(pilot, "4")
        await settled(pilot, lambda: "The database cannot be read." in stage.text())


def test_reverted_work_is_named_so_in_the_plan():
    story = stories.at_gate().decided(DecisionKind.APPROVE)
    commit = Reversal(commit="f" * 40, branch="obra/s1", reverted="a" * 40)
    story.tell(WorkReverted(reversal=commit, by="person:ada", note="Too slow."))
    view = apply_all(ViewState(), story.records)
    task = view.tasks[story.task]
    (row, *_) = task_rows(view, [task], (), 80)
    assert "reverted" in row.text and "accepted" not in row.text
    assert any("by ada with ffffffffff: Too slow." in line.text for line in task_detail(task, (), None))
