from dataclasses import replace

import pytest

from obra_tui.core import events as e
from obra_tui.core.commands import AnswerPermission
from obra_tui.core.errors import NotAllowed
from obra_tui.core.ids import QuestionId
from obra_tui.core.model import PermissionAnswer, PermissionKind, PermissionVerdict
from obra_tui.ui.screens.live import LiveScreen
from obra_tui.ui.screens.permission import PermissionScreen
from tests.fakes.engine import FakeEngine
from tests.ui import stories
from tests.ui.stage import Stage, settled


def answers(stage):
    return [command.answer for command in stage.engine.asked(AnswerPermission)]


async def test_a_question_does_not_take_the_screen():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        stage.play(lambda s: s.permission())
        await settled(pilot, stage.seen_all)
        assert isinstance(stage.screen, LiveScreen)
        assert "Claude wants to run: Bash git push origin main" in stage.text()


async def test_the_exact_input_the_reason_and_the_dangers_are_shown():
    stage = Stage(stories.asking())
    async with stage.open() as pilot:
        await stage.press(pilot, "A")
        text = stage.text()
        for part in ("git push origin main", '"description": "Publish the work"', "No rule allows", "! network"):
            assert part in text


@pytest.mark.parametrize(("key", "verdict"), [("o", PermissionVerdict.ONCE), ("s", PermissionVerdict.SESSION)])
async def test_it_is_allowed_by_its_own_key(key, verdict):
    stage = Stage(stories.asking())
    async with stage.open() as pilot:
        await stage.press(pilot, "A", key)
        await settled(pilot, lambda: answers(stage))
        assert answers(stage) == [PermissionAnswer(verdict=verdict, by="person:ada")]
        await settled(pilot, lambda: isinstance(stage.screen, LiveScreen))


async def test_a_denial_carries_the_reason():
    stage = Stage(stories.asking())
    async with stage.open() as pilot:
        await stage.press(pilot, "A", "d", *"not now", "ctrl+s")
        await settled(pilot, lambda: answers(stage))
        assert answers(stage) == [PermissionAnswer(verdict=PermissionVerdict.DENY, by="person:ada", note="not now")]


async def test_keys_are_swallowed_until_there_was_silence():
    stage = Stage(stories.asking(), review_grace_s=0.35)
    async with stage.open() as pilot:
        await stage.press(pilot, "A")
        for key in "oosso":
            stage.clock.at += 0.3
            await stage.press(pilot, key)
        assert answers(stage) == []
        stage.clock.at += 0.4
        await stage.press(pilot, "o")
        await settled(pilot, lambda: answers(stage))


async def test_no_habitual_key_allows():
    stage = Stage(stories.asking())
    async with stage.open() as pilot:
        await stage.press(pilot, "A", "enter", "space", "y", "1", "2", "ctrl+m")
        assert answers(stage) == []
        assert isinstance(stage.screen, PermissionScreen)


async def test_later_leaves_claude_waiting():
    stage = Stage(stories.asking())
    async with stage.open() as pilot:
        await stage.press(pilot, "A", "escape")
        assert isinstance(stage.screen, LiveScreen)
        assert answers(stage) == []
        assert stage.desk.hub.view.permissions


async def test_a_session_rule_is_not_offered_where_none_would_fit():
    question = replace(stories.push_question(), session_rule="")
    stage = Stage(stories.two_tasks().attempt_started().permission(question))
    async with stage.open() as pilot:
        await stage.press(pilot, "A", "s")
        assert answers(stage) == []


async def test_a_question_is_answered_with_the_highlighted_option():
    question = replace(
        stories.push_question(),
        kind=PermissionKind.QUESTION,
        title="Which name?",
        detail="",
        session_rule="",
        options=("calc", "calculator"),
        tool="AskUserQuestion",
    )
    stage = Stage(stories.two_tasks().attempt_started().permission(question))
    async with stage.open() as pilot:
        await stage.press(pilot, "A", "j", "o")
        await settled(pilot, lambda: answers(stage))
        assert answers(stage)[0].note == "calculator"


async def test_a_question_without_options_is_answered_in_words():
    question = replace(
        stories.push_question(), kind=PermissionKind.QUESTION, title="Which name?", detail="", session_rule=""
    )
    stage = Stage(stories.two_tasks().attempt_started().permission(question))
    async with stage.open() as pilot:
        await stage.press(pilot, "A", "o", *"calc", "ctrl+s")
        await settled(pilot, lambda: answers(stage))
        assert answers(stage)[0].note == "calc"


async def test_the_next_question_follows():
    story = stories.asking()
    story.permission(replace(stories.push_question(), id=QuestionId("q2"), title="rm -rf build"))
    stage = Stage(story)
    async with stage.open() as pilot:
        await stage.press(pilot, "A", "o")
        await settled(pilot, lambda: "rm -rf build" in stage.text())


async def test_a_question_answered_elsewhere_closes():
    stage = Stage(stories.asking())
    async with stage.open() as pilot:
        await stage.press(pilot, "A")
        answer = PermissionAnswer(verdict=PermissionVerdict.DENY, by="person:bob")
        stage.play(lambda s: s.tell(e.PermissionAnswered(question_id=QuestionId("q1"), title="x", answer=answer)))
        await settled(pilot, lambda: isinstance(stage.screen, LiveScreen))
        assert answers(stage) == []


async def test_a_refused_answer_can_be_given_again():
    story = stories.asking()
    engine = FakeEngine(story.records, {AnswerPermission: NotAllowed("Not now.", fix="Try again.")})
    stage = Stage(story, engine=engine)
    async with stage.open() as pilot:
        await stage.press(pilot, "A", "o")
        await settled(pilot, lambda: len(answers(stage)) == 1)
        await stage.press(pilot, "o")
        await settled(pilot, lambda: len(answers(stage)) == 2)
