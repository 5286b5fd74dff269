import pytest
from msgspec.structs import replace

from obra_tui.core import events as e
from obra_tui.core.commands import AnswerPermission, RevokeRule
from obra_tui.core.errors import NotAllowed
from obra_tui.core.ids import QuestionId, RuleId
from obra_tui.core.model import PermissionAnswer, PermissionKind, PermissionVerdict
from obra_tui.ui.screens.dialogs.permission import PermissionScreen
from obra_tui.ui.screens.dialogs.rules import RulesScreen
from obra_tui.ui.screens.live.screen import LiveScreen
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
        assert stage.services.view.permissions


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


async def test_several_answers_are_marked_and_given_together():
    question = replace(
        stories.push_question(),
        kind=PermissionKind.QUESTION,
        title="Which checks?",
        detail="",
        session_rule="",
        options=("lint", "types", "tests"),
        several=True,
    )
    stage = Stage(stories.two_tasks().attempt_started().permission(question))
    async with stage.open() as pilot:
        await stage.press(pilot, "A", "m", "j", "m", "j", "m", "m")
        assert "[x] types" in stage.text() and "[ ] tests" in stage.text()
        await stage.press(pilot, "o")
        await settled(pilot, lambda: answers(stage))
        assert answers(stage)[0].note == "lint, types"


async def test_a_plan_is_approved_or_sent_back_with_words():
    plan = replace(
        stories.push_question(),
        kind=PermissionKind.PLAN,
        tool="ExitPlanMode",
        title="Claude made a plan and wants to carry it out",
        detail="1. Write it\n2. Test it",
        session_rule="",
    )
    stage = Stage(stories.two_tasks().attempt_started().permission(plan))
    async with stage.open() as pilot:
        await stage.press(pilot, "A")
        assert "2. Test it" in stage.text() and "Approve the plan" in stage.text()
        await stage.press(pilot, "s")
        assert answers(stage) == [], "a plan makes no rule"
        await stage.press(pilot, "d", "ctrl+s")
        assert answers(stage) == [], "a plan is not sent back without a word"
        await stage.press(pilot, *"test first", "ctrl+s")
        await settled(pilot, lambda: answers(stage))
        assert answers(stage) == [PermissionAnswer(verdict=PermissionVerdict.DENY, by="person:ada", note="test first")]


async def test_the_rules_of_the_session_are_listed_with_their_use_and_revoked_by_a_key():
    stage = Stage(stories.with_rules())
    async with stage.open() as pilot:
        await stage.press(pilot, "R")
        text = stage.text()
        assert "Bash(git push:*)" in text and "used 2 times" in text and "git push --tags" in text
        assert "not used yet" in text
        await stage.press(pilot, "j", "x")
        await settled(pilot, lambda: stage.engine.asked(RevokeRule))
        assert stage.engine.asked(RevokeRule)[0].rule == RuleId("r2")
        stage.play(lambda s: s.tell(e.RuleRevoked(rule=RuleId("r2"), by="person:ada")))
        await settled(pilot, lambda: "not used yet" not in stage.text())
        await stage.press(pilot, "escape")
        assert isinstance(stage.screen, LiveScreen)


async def test_without_a_rule_the_list_says_how_one_is_made_and_revokes_nothing():
    stage = Stage(stories.asking())
    async with stage.open() as pilot:
        await stage.press(pilot, "A", "R")
        assert isinstance(stage.screen, RulesScreen)
        assert "Allow for this session" in stage.text()
        await stage.press(pilot, "x", "escape")
        assert isinstance(stage.screen, PermissionScreen)
        assert not stage.engine.asked(RevokeRule)


async def test_a_question_is_answered_with_what_claude_said_in_sight_and_no_denial_is_without_a_reason():
    stage = Stage(stories.asking())
    async with stage.open((80, 24)) as pilot:
        await stage.press(pilot, "A")
        assert "Claude Code · implementer" in stage.text(), "what Claude did stands above the question"
        await stage.press(pilot, "d", "ctrl+s")
        assert "Write a sentence first." in stage.text()
        assert stage.engine.asked(AnswerPermission) == []
