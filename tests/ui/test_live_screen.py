import pytest

from obra_tui.core import commands as c
from obra_tui.core import events as e
from obra_tui.core.ids import SessionId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import DecisionKind
from obra_tui.ui.screens.dialogs.questions import ChoiceDialog, WriteDialog
from obra_tui.ui.screens.live.screen import LiveScreen
from obra_tui.ui.screens.live.shown_task import neighbour
from tests.fakes.engine import FakeEngine
from tests.ui import stories
from tests.ui.stage import Stage, settled
from tests.ui.stories import SESSION, Story
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane


async def shows(stage, pilot, text):
    await settled(pilot, lambda: text in stage.text())


async def test_streamed_text_appears_and_is_not_written_twice_when_it_is_complete():
    stage = Stage(stories.two_tasks().attempt_started())
    async with stage.open() as pilot:
        stage.play(lambda s: s.tell(e.TextStreamed(block="b", text="Hello ")))
        await shows(stage, pilot, "Hello")
        stage.play(lambda s: s.tell(e.TextStreamed(block="b", text="world")))
        stage.play(lambda s: s.tell(e.TextFinished(block="b", text="Hello world")))
        await shows(stage, pilot, "Hello world")
        assert stage.text().count("Hello world") == 1


async def test_text_that_was_dropped_disappears():
    stage = Stage(stories.two_tasks().attempt_started())
    async with stage.open() as pilot:
        stage.play(lambda s: s.tell(e.TextStreamed(block="b", text="half a sent")))
        await shows(stage, pilot, "half a sent")
        stage.play(lambda s: s.tell(e.TextDropped(block="b")))
        await settled(pilot, lambda: "half a sent" not in stage.text())


async def test_a_card_opens_to_its_input_and_output():
    story = stories.two_tasks().attempt_started()
    story.uses("c1", "Bash", "ls -la", output="\n".join(f"file-{n}" for n in range(9)))
    stage = Stage(story)
    async with stage.open() as pilot:
        assert "file-3" not in stage.text()
        await stage.press(pilot, "k", "j", "enter")
        await shows(stage, pilot, "file-3")


async def test_a_denied_call_and_a_failed_call_can_be_told_apart_without_colour():
    story = stories.two_tasks().attempt_started().uses("c1", "Bash", "pytest", output="boom", error=True)
    stage = Stage(story)
    async with stage.open():
        assert "! Bash" in stage.text()
        assert "failed" in stage.text()
        assert "boom" in stage.text()


async def test_the_running_check_shows_its_output_live():
    stage = Stage(stories.checking())
    async with stage.open() as pilot:
        stage.play(lambda s: s.tell(e.CheckPrinted(name="pytest", text="collecting ...\n")))
        await shows(stage, pilot, "collecting ...")


async def test_the_judge_is_read_as_far_as_it_got_and_raw_on_demand():
    stage = Stage(stories.judging())
    async with stage.open() as pilot:
        assert "major calculator.py:25" in stage.text()
        assert '"severity"' not in stage.text()
        await stage.press(pilot, "v")
        await shows(stage, pilot, '"severity"')
        await stage.press(pilot, "v")
        await settled(pilot, lambda: '"severity"' not in stage.text())


async def test_the_quality_line_reads_as_everywhere():
    stage = Stage(stories.at_gate())
    async with stage.open():
        assert "Quality: 0.90 (PASS)" in stage.text()


async def test_a_rehearsal_says_so_on_every_screen():
    stage = Stage(Story().opened(rehearsal="calculator").with_tasks("A task"), rehearsal="calculator")
    async with stage.open() as pilot:
        for key in "12361":
            await stage.press(pilot, key)
            await shows(stage, pilot, "REHEARSAL calculator")


async def test_silence_is_told_after_twenty_seconds():
    stage = Stage(stories.streaming(), after=18)
    async with stage.open() as pilot:
        assert "quiet" not in stage.text()
        stage.clock.at += 5
        stage.screen.tick()
        await shows(stage, pilot, "quiet 0:24 (model is thinking)")


async def test_nothing_ticks_when_nothing_runs():
    story = stories.at_gate().decided(DecisionKind.REJECT)
    story.tell(e.RunFinished(accepted=0, rejected=1, failed=0, waiting=0, interrupted=0, blocked=2))
    stage = Stage(story)
    async with stage.open():
        assert not stage.services.is_ticking


@pytest.mark.parametrize(
    ("key", "command"),
    [("p", c.Pause(session=SESSION, by="person:ada")), ("P", c.InterruptClaude)],
)
async def test_one_key_one_command(key, command):
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, key)
        await settled(pilot, lambda: stage.engine.submitted)
        sent = stage.engine.submitted[0]
        assert sent == command or isinstance(sent, command if isinstance(command, type) else ())


async def test_a_paused_run_goes_on_with_the_same_key():
    stage = Stage(stories.streaming().tell(e.Paused(by="person:ada")))
    async with stage.open() as pilot:
        assert "PAUSED" in stage.text()
        await stage.press(pilot, "p")
        await settled(pilot, lambda: len(stage.engine.submitted) == 2)
        assert stage.engine.submitted == [c.Resume(session=SESSION, by="person:ada"), c.StartRun(session=SESSION)]


async def test_interrupted_work_is_taken_up_again():
    story = stories.streaming().moved(State.IMPLEMENTING, Trigger.INTERRUPT, State.INTERRUPTED)
    story.tell(e.RunFinished(accepted=0, rejected=0, failed=0, waiting=0, interrupted=1, blocked=2))
    stage = Stage(story)
    async with stage.open() as pilot:
        assert "1 task stopped half-way (T001)" in stage.text()
        await stage.press(pilot, "p")
        await settled(pilot, lambda: stage.engine.asked(c.Resume))


async def test_a_message_goes_to_claude():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "m")
        await settled(pilot, lambda: stage.app.focused is not None and stage.app.focused.id == "message-input")
        await stage.press(pilot, *"use g", "enter")
        await settled(pilot, lambda: stage.engine.asked(c.SendText))
        assert stage.engine.asked(c.SendText)[0].text == "use g"
        assert isinstance(stage.app.focused, LogPane)


async def test_stopping_asks_how_and_the_harmless_answer_comes_first():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "s")
        assert isinstance(stage.screen, ChoiceDialog)
        await stage.press(pilot, "enter")
        assert stage.engine.submitted == []
        await stage.press(pilot, "s", "j", "enter")
        await settled(pilot, lambda: stage.engine.asked(c.StopRun))
        assert stage.engine.asked(c.StopRun)[0].mode == "after_stage"


async def test_a_typed_task_becomes_a_standalone_session():
    engine = FakeEngine((), {c.OpenSession: SessionId("s-new"), c.AddTasks: ("t-new",)})
    stage = Stage(engine=engine)
    async with stage.open() as pilot:
        assert "Nothing is running yet" in stage.text()
        await stage.press(pilot, "t")
        assert isinstance(stage.screen, WriteDialog)
        await stage.press(pilot, *"Add a flag", "enter", *"Keep it small", "ctrl+s")
        await settled(pilot, lambda: engine.asked(c.StartRun))
        assert [type(command) for command in engine.submitted] == [c.OpenSession, c.AddTasks, c.StartRun]
        spec = engine.asked(c.AddTasks)[0].tasks[0]
        assert (spec.title, spec.prompt) == ("Add a flag", "Keep it small")


async def test_another_task_can_be_watched_and_left_again():
    story = stories.streaming()
    story.on(2).attempt_started().says("z", "Reading the file of the second task.")
    stage = Stage(story)
    async with stage.open() as pilot:
        await shows(stage, pilot, "second task")
        await stage.press(pilot, "K")
        await shows(stage, pilot, "four operations")
        assert "pinned" in stage.text()
        await stage.press(pilot, "escape")
        await shows(stage, pilot, "second task")


async def test_the_work_that_ends_gives_way_to_the_work_that_goes_on():
    story = stories.at_gate()
    stage = Stage(story)
    async with stage.open() as pilot:
        stage.play(lambda s: s.on(2).attempt_started().says("z", "Now the second task."))
        await shows(stage, pilot, "Now the second task.")


async def test_find_jumps_to_a_match_and_says_how_many():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "slash")
        await settled(pilot, lambda: stage.app.focused is not None and stage.app.focused.id == "message-input")
        await stage.press(pilot, *"calculator")
        await shows(stage, pilot, "found")
        await stage.press(pilot, "escape")
        assert isinstance(stage.screen, LiveScreen)


async def test_a_pane_fills_the_screen_and_shrinks_again():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "plus")
        await settled(pilot, lambda: "Quality: 0.90" not in stage.text() and "T001 Write a calculator" in stage.text())
        await stage.press(pilot, "minus")
        await shows(stage, pilot, "Quality: 0.90")


async def test_help_lists_the_keys_that_work_here():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "question_mark")
        assert "Review gate" in stage.text()
        await stage.press(pilot, *"pause")
        await settled(pilot, lambda: "Review gate" not in stage.text())
        assert "Pause" in stage.text()


async def test_the_palette_finds_an_action_by_name():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "ctrl+p")
        await stage.press(pilot, *"review gate")
        await shows(stage, pilot, "Review gate  (g)")


async def test_the_session_can_be_changed_while_a_dialog_is_open():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "s")
        stage.play(lambda s: s.claude_done())
        await settled(pilot, stage.seen_all)
        await stage.press(pilot, "escape")
        await shows(stage, pilot, "result: success")


async def test_a_used_up_budget_and_a_limit_that_is_waited_for_can_be_gone_on_from():
    for code, until in (("budget", None), ("limited", stories.START + 1_000_000.0)):
        stage = Stage(stories.streaming())
        async with stage.open() as pilot:
            problem = e.ProblemRaised(code=code, text="Used up.", fix="Go on with p.", until=until)
            stage.play(lambda s, problem=problem: s.tell(problem))
            await settled(pilot, stage.seen_all)
            shown = stage.text()
            assert "Used up." in shown
            assert ("Goes on by itself in" in shown) is (until is not None)
            await stage.press(pilot, "p")
            (resume,) = stage.engine.asked(c.Resume)
            assert resume.session == SESSION


async def test_a_plan_that_nobody_started_says_how_to():
    story = stories.Story().opened().with_tasks("Write the parser", "Write the docs")
    story.records.pop()  # the start of the run
    stage = Stage(story)
    async with stage.open() as pilot:
        await settled(pilot, lambda: "Nothing works on this plan now." in stage.text())
        assert "2 then R  run it from a task on" in stage.text()
        stage.play(lambda s: s.tell(e.RunStarted()))
        await settled(pilot, lambda: "Nothing works on this plan now." not in stage.text())


async def test_what_happened_while_another_screen_was_in_front_is_there_on_the_way_back():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "4")
        stage.play(lambda story: story.says("b7", "Said behind the back of Live.").claude_done().checks_started())
        await settled(pilot, stage.seen_all)
        await stage.press(pilot, "1")
        await settled(pilot, lambda: "Said behind the back" in stage.text())
        assert "CHECKING" in stage.text()


async def test_what_happened_under_a_dialog_is_there_when_it_is_closed():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "s")
        stage.play(lambda story: story.says("b7", "Said behind a dialog."))
        await settled(pilot, stage.seen_all)
        await stage.press(pilot, "escape")
        await settled(pilot, lambda: "Said behind a dialog" in stage.text())


async def test_a_message_goes_to_the_task_that_the_line_was_opened_for():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "m", *"late")
        shown = stage.screen.focus_on.shown.task.id
        stage.screen.pin(neighbour(stage.services.view, stage.screen.focus_on.shown.task, 1).id)
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: stage.engine.asked(c.SendText))
        assert stage.engine.asked(c.SendText)[0].task == shown


async def test_a_message_for_a_task_that_is_over_is_kept_and_said_to_be_undelivered():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "m", *"late")
        stage.play(lambda story: story.moved(State.IMPLEMENTING, Trigger.CANCEL, State.CANCELLED))
        await settled(pilot, stage.seen_all)
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "Not delivered: T001 is cancelled" in stage.text())
        assert not stage.engine.asked(c.SendText)


async def test_text_that_waits_for_the_next_prompt_is_shown():
    story = stories.streaming().tell(e.SteerQueued(text="use g", by="person:ada", delivered=False))
    async with Stage(story).open((170, 45)) as pilot:
        await settled(pilot, lambda: True)
        assert "1 message queued for the next prompt" in pilot.app.screen.query_one("#status").render().plain


async def test_the_state_word_says_when_a_person_is_needed():
    stage = Stage(stories.streaming().permission())
    async with stage.open() as pilot:
        await shows(stage, pilot, "WAITING FOR YOU")
        assert "IMPLEMENTING" not in stage.text()


async def test_a_task_picked_in_the_sidebar_is_shown_and_pinned():
    stage = Stage(stories.two_tasks())
    async with stage.open(size=(200, 50)) as pilot:
        stage.screen.query_one("#rail-tasks").focus()
        await stage.press(pilot, "J")
        other = stage.screen.focus_on.shown.task.id
        await stage.press(pilot, "escape")
        assert stage.screen.focus_on.shown.task.id != other
        stage.screen.query_one("#rail-tasks", ChoiceList).highlight(other)
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: stage.screen.focus_on.shown.task.id == other)
        assert "pinned" in stage.text()


async def test_that_a_person_is_needed_is_said_in_the_smallest_terminal_and_nothing_looks_at_work():
    stage = Stage(stories.asking(), rehearsal="bash-user")
    async with stage.open((60, 20)) as pilot:
        await settled(pilot, lambda: "WAITING FOR YOU" in stage.text())
        assert "? implement" in stage.text()
