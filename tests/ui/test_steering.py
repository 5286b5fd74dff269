"""Steering on the screen: what becomes of text, a prompt that waits, work that is taken over, limits and budgets."""

import pytest

from obra_tui.core import commands as c
from obra_tui.core import events as e
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import ImplementResult, Outcome
from obra_tui.ui.screens.dialogs.prompt import PromptScreen, changed_lines
from obra_tui.ui.screens.dialogs.questions import ChoiceDialog
from obra_tui.ui.screens.live.screen import LiveScreen
from tests.ui import stories
from tests.ui.stage import Stage, settled

ME = "person:ada"


def sent(stage):
    return [command.text for command in stage.engine.asked(c.SendPrompt)]


async def shows(stage, pilot, text):
    await settled(pilot, lambda: text in stage.text())


# --- text ----------------------------------------------------------------------------------------


async def test_text_is_shown_as_queued_and_then_as_read():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        stage.play(lambda s: s.tell(e.SteerQueued(text="use Decimal", by=ME, delivered=True)))
        await shows(stage, pilot, "queued for this turn")
        stage.play(lambda s: s.tell(e.SteerDelivered(text="use Decimal")))
        await shows(stage, pilot, "read by Claude")
        assert "queued for this turn" not in stage.text()
        assert stage.text().count("ada: use Decimal") == 1


async def test_text_that_was_not_read_says_where_it_goes():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        stage.play(lambda s: s.tell(e.SteerQueued(text="use Decimal", by=ME, delivered=True)))
        result = ImplementResult(outcome=Outcome.KILLED, claude_session="c")
        stage.play(lambda s: s.tell(e.ClaudeEnded(result=result)))
        await shows(stage, pilot, "not read: goes into the next prompt")


# --- prompts that wait ---------------------------------------------------------------------------


async def test_a_key_asks_for_the_next_prompt_to_wait_and_takes_that_back():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "E")
        await settled(pilot, lambda: stage.engine.asked(c.HoldPrompt))
        stage.play(lambda s: s.tell(e.PromptHoldAsked(on=True, by=ME)))
        await settled(pilot, lambda: any(task.hold_next for task in stage.services.view.tasks.values()))
        await stage.press(pilot, "E")
        await settled(pilot, lambda: [command.on for command in stage.engine.asked(c.HoldPrompt)] == [True, False])


async def test_a_held_prompt_is_announced_and_takes_no_focus():
    stage = Stage(stories.two_tasks())
    async with stage.open() as pilot:
        stage.play(lambda s: s.tell(e.PromptHeld(text=stories.PROMPT, kind="task")))
        await shows(stage, pilot, "the next prompt waits for you")
        assert isinstance(stage.screen, LiveScreen)


async def test_a_prompt_is_changed_compared_and_sent_word_for_word():
    stage = Stage(stories.prompt_held())
    async with stage.open() as pilot:
        await stage.press(pilot, "E")
        await shows(stage, pilot, "A calculator with four operations.")
        await stage.press(pilot, "ctrl+home", *"Now:", "space", "ctrl+d")
        await shows(stage, pilot, "+Now: # Write it")
        assert sent(stage) == []
        await stage.press(pilot, "ctrl+d", "ctrl+s")
        await settled(pilot, lambda: sent(stage))
        assert sent(stage) == [f"Now: {stories.PROMPT}"]
        await settled(pilot, lambda: isinstance(stage.screen, LiveScreen))


async def test_escape_sends_nothing_and_keeps_what_was_written():
    stage = Stage(stories.prompt_held())
    async with stage.open() as pilot:
        await stage.press(pilot, "E")
        await shows(stage, pilot, "A calculator with four operations.")
        await stage.press(pilot, "ctrl+home", *"Mine", "escape")
        assert sent(stage) == [] and isinstance(stage.screen, LiveScreen)
        await stage.press(pilot, "E")
        await shows(stage, pilot, "Mine# Write it")
        await stage.press(pilot, "ctrl+r")
        await settled(pilot, lambda: "Mine" not in stage.text())


async def test_an_empty_prompt_is_not_sent():
    stage = Stage(stories.prompt_held())
    async with stage.open() as pilot:
        await stage.press(pilot, "E")
        await shows(stage, pilot, "A calculator with four operations.")
        await stage.press(pilot, "f7", "delete", "ctrl+s")
        await shows(stage, pilot, "Write what Claude shall do.")
        assert sent(stage) == []


async def test_a_prompt_that_was_sent_elsewhere_closes():
    stage = Stage(stories.prompt_held())
    async with stage.open() as pilot:
        await stage.press(pilot, "E")
        assert isinstance(stage.screen, PromptScreen)
        stage.play(lambda s: s.tell(e.PromptWithdrawn()))
        await settled(pilot, lambda: isinstance(stage.screen, LiveScreen))


async def test_the_editor_changes_the_prompt(tmp_path, monkeypatch):
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "from the editor" > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    stage = Stage(stories.prompt_held())
    async with stage.open() as pilot:
        await stage.press(pilot, "E", "ctrl+g")
        # A terminal that cannot be handed over, as here, says so and changes nothing.
        await shows(stage, pilot, "cannot be handed to another program")


def test_a_prompt_without_a_change_says_so():
    assert [line.text for line in changed_lines("a", "a")] == ["Nothing was changed."]


# --- taking over ---------------------------------------------------------------------------------


def at_work():
    story = stories.streaming()
    return story.tell(e.CopyPrepared(copy=stories.WorkCopy(path="/data/copies/t1/work", base_commit="a" * 40)))


@pytest.mark.parametrize(("answer", "then"), [("j", "check"), ("jj", "claude")])
async def test_work_is_taken_over_done_by_hand_and_handed_back(answer, then):
    stage = Stage(at_work())
    async with stage.open() as pilot:
        went = []
        stage.services.takeover.run_in_terminal = lambda app, program, folder: went.append((program, folder)) or ""
        await stage.press(pilot, "o", "j", "enter")
        await settled(pilot, lambda: stage.engine.asked(c.TakeOver))
        await settled(pilot, lambda: went == [("shell", "/data/copies/t1/work")])
        await settled(pilot, lambda: isinstance(stage.screen, ChoiceDialog))
        await stage.press(pilot, *answer, "enter")
        await settled(pilot, lambda: stage.engine.asked(c.GiveBack))
        assert [command.then for command in stage.engine.asked(c.GiveBack)] == [then]


async def test_enter_and_escape_leave_the_work_to_claude():
    stage = Stage(at_work())
    async with stage.open() as pilot:
        await stage.press(pilot, "o", "enter", "o", "escape")
        assert not stage.engine.asked(c.TakeOver)


async def test_what_is_in_the_persons_hands_is_said_until_it_is_handed_back():
    stage = Stage(stories.taken_over())
    async with stage.open() as pilot:
        await shows(stage, pilot, "is in the hands of ada")
        await stage.press(pilot, "o", "enter")
        assert not stage.engine.asked(c.GiveBack), "keeping it is what nobody chose otherwise"
        stage.play(lambda s: s.tell(e.WorkHandedBack(by=ME, then="claude", files=("calc.py",))))
        await shows(stage, pilot, "1 file changed by hand")
        assert "is in the hands of" not in stage.text()


# --- limits and budgets --------------------------------------------------------------------------


async def test_a_usage_limit_counts_down_and_can_be_cut_short_or_stopped():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        until = stage.clock.at + 600
        problem = e.ProblemRaised(code="limited", text="The usage limit is reached", fix="Or try now.", until=until)
        stage.play(lambda s: s.tell(problem))
        await shows(stage, pilot, "Goes on by itself in")
        await stage.press(pilot, "p")
        await settled(pilot, lambda: stage.engine.asked(c.Resume))
        await stage.press(pilot, "s")
        await settled(pilot, lambda: isinstance(stage.screen, ChoiceDialog))


async def test_a_budget_that_is_used_up_says_what_was_spent_and_going_on_is_one_key():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        raised = e.ProblemRaised(
            code="budget",
            text="The budget of T001 is used up: $1.20 of $1.00.",
            fix="Going on with the run begins the budget anew.",
        )
        stage.play(lambda s: s.moved(State.IMPLEMENTING, Trigger.INTERRUPT, State.INTERRUPTED, raised.text))
        stage.play(lambda s: s.tell(raised))
        stage.play(
            lambda s: s.tell(e.RunFinished(accepted=0, rejected=0, failed=0, waiting=0, interrupted=1, blocked=0))
        )
        await shows(stage, pilot, "$1.20 of $1.00")
        await stage.press(pilot, "p")
        await settled(pilot, lambda: stage.engine.asked(c.Resume))
