"""A program that was started before its work: taken over when it is the right one, never left behind."""

import pytest
from msgspec.structs import replace

from obra_tui.core.ids import new_attempt_id, new_claude_session_id
from obra_tui.core.model import Budget, Outcome
from tests.agents.stage import Stage, left_of, says

pytestmark = pytest.mark.e2e


async def _ahead(stage: Stage) -> tuple:
    expected = stage.request("")
    await stage.implementer.start_ahead(expected)
    assert left_of(expected.attempt), "the program runs before anybody spoke to it"
    return expected, replace(expected, prompt="Do it.", attempt=new_attempt_id())


async def test_a_program_that_waits_does_the_expected_run(stage: Stage):
    stage.play(says("Done."))
    expected, request = await _ahead(stage)
    assert not stage.server.requests
    conversation = await stage.start(request)
    assert left_of(expected.attempt) and not left_of(request.attempt), "no second program was started"
    result = await conversation.finished()
    assert (result.outcome, result.claude_session) == (Outcome.COMPLETED, request.claude_session)
    assert not left_of(expected.attempt)


@pytest.mark.parametrize(
    "other", [{"claude_session": new_claude_session_id()}, {"budget": Budget(max_turns=3)}], ids=["session", "budget"]
)
async def test_another_run_than_expected_gets_a_program_of_its_own(stage: Stage, other):
    stage.play(says("Done."))
    expected, request = await _ahead(stage)
    conversation = await stage.start(replace(request, **other))
    assert left_of(request.attempt) and not left_of(expected.attempt)
    assert (await conversation.finished()).outcome is Outcome.COMPLETED


async def test_a_program_that_waits_in_vain_is_ended(stage: Stage):
    expected, _ = await _ahead(stage)
    await stage.implementer.close()
    assert not left_of(expected.attempt)


async def test_what_stands_in_the_way_of_a_start_ahead_is_left_to_the_start(stage: Stage):
    await stage.implementer.start_ahead(stage.request("", cwd=str(stage.folder / "nowhere")))
    stage.play(says("Done."))
    assert (await stage.run()).outcome is Outcome.COMPLETED
