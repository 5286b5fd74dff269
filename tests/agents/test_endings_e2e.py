"""How runs end: what the API, the network and the program can do to us, with the real program."""

import asyncio
import os
import signal
import time

import pytest
from msgspec.structs import replace

from obra_tui.core.events import (
    ClaudeActivity,
    ClaudeNoticed,
    ClaudeStarted,
    LimitReported,
    RetryScheduled,
    SteerDelivered,
    TextDropped,
    TextFinished,
    TextStreamed,
    ThinkingStreamed,
    ToolFinished,
    UsageReported,
)
from obra_tui.core.ids import new_attempt_id, new_claude_session_id
from obra_tui.core.model import Budget, ConversationReason, Outcome, Remedy
from obra_tui.rehearsal.faults import Fault, FaultKind
from obra_tui.rehearsal.script import Response, Say, Think
from tests.agents.stage import PATIENCE_S, Stage, exists, left_of, runs, says, uses

pytestmark = pytest.mark.e2e

ALWAYS = 99


def fails(status: int, text: str = "", **given: object) -> Fault:
    return Fault(kind=FaultKind.HTTP, status=status, text=text, times=ALWAYS, **given)  # type: ignore[arg-type]


async def test_a_wrong_key_is_an_auth_outcome_with_what_to_do(stage: Stage):
    stage.play(says("Never."))
    stage.server.faults.add(fails(401))
    result = await stage.run()
    assert result.outcome is Outcome.AUTH
    assert "Invalid API key" in result.detail and "/login" in result.detail


async def test_without_any_login_the_outcome_is_auth_and_nothing_is_sent(stage: Stage):
    stage.set(api_key="", base_url="", extra_environment=(("ANTHROPIC_BASE_URL", stage.server.url),))
    result = await stage.run()
    assert (result.outcome, stage.server.requests) == (Outcome.AUTH, ())


async def test_a_refused_connection_is_refused_with_where_to_look(stage: Stage):
    stage.play(says("Never."))
    stage.server.go_down()
    result = await stage.run()
    assert result.outcome is Outcome.REFUSED
    assert "claude.base_url" in result.detail


async def test_a_usage_limit_waits_until_its_reset_time(stage: Stage):
    stage.play(says("Never."))
    stage.set(api_key="", base_url="", extra_environment=(
        ("ANTHROPIC_BASE_URL", stage.server.url), ("CLAUDE_CODE_OAUTH_TOKEN", "made-up")))  # fmt: skip
    stage.server.faults.add(Fault(kind=FaultKind.LIMITED, seconds=3600, times=ALWAYS))
    result = await stage.run()
    assert result.outcome is Outcome.LIMITED, result
    assert result.until is not None and 3000 < result.until - time.time() < 3700
    assert stage.of(LimitReported)[-1].status == "rejected"


@pytest.mark.parametrize(
    ("fault", "outcome", "fix"),
    [
        (fails(429, retry_after=3600), Outcome.LIMITED, "try again later"),
        (fails(403), Outcome.REFUSED, "claude.model"),
        (fails(400, "Your credit balance is too low to access the Anthropic API."), Outcome.REFUSED, "credit"),
        (fails(400, "prompt is too long: 1234567 tokens > 1000000 maximum"), Outcome.REFUSED, "smaller"),
        (fails(404, "model: nosuch"), Outcome.REFUSED, "claude.model"),
        (fails(529), Outcome.REFUSED, "Wait a little"),
    ],
    ids=["429", "403", "credit", "too long", "no such model", "overloaded"],
)
async def test_what_the_api_refuses_is_told_with_a_fix(stage: Stage, fault, outcome, fix):
    stage.play(says("Never."))
    stage.server.faults.add(fault)
    result = await stage.run()
    assert (result.outcome, fix in result.detail) == (outcome, True), result


async def test_an_overloaded_api_is_tried_again_and_the_retry_is_told(stage: Stage):
    stage.set(max_retries=2)
    stage.play(says("Now it works."))
    stage.server.faults.add(Fault(kind=FaultKind.HTTP, status=529, times=1))
    result = await stage.run()
    assert (result.outcome, result.final_text) == (Outcome.COMPLETED, "Now it works.")
    retry = stage.of(RetryScheduled)[0]
    assert (retry.attempt, retry.status, retry.error) == (1, 529, "overloaded")


async def test_text_of_a_broken_stream_is_dropped_and_said_again(stage: Stage):
    stage.set(max_retries=2)
    stage.play(says("This sentence is long enough to be sent in many pieces over the wire."))
    stage.server.faults.add(Fault(kind=FaultKind.HANG, after=3, times=1, seconds=PATIENCE_S))
    conversation = await stage.start()
    await stage.until(lambda event: isinstance(event, TextStreamed))
    with stage.server.down():  # cut in the middle of the answer, and only when some of it was heard
        pass
    result = await asyncio.wait_for(conversation.finished(), PATIENCE_S)
    assert result.outcome is Outcome.COMPLETED
    dropped = [e.block for e in stage.of(TextDropped)]
    finished = [e.block for e in stage.of(TextFinished)]
    assert len(dropped) == 1 and len(finished) == 1 and dropped != finished
    assert stage.of(TextStreamed)[0].block == dropped[0]


async def test_a_silent_api_makes_the_run_hung_after_a_warning(stage: Stage):
    stage.set(silence_warn_s=0.4, silence_kill_s=1.2)
    stage.play(says("Never."))
    stage.server.faults.add(Fault(kind=FaultKind.HANG, seconds=60, times=ALWAYS))
    request = stage.request()
    result = await stage.run(request)
    assert result.outcome is Outcome.HUNG
    assert sum("silent" in e.text for e in stage.of(ClaudeNoticed)) == 1
    assert left_of(request.attempt) == []


async def test_a_command_may_be_silent_within_its_own_limit(stage: Stage):
    stage.set(silence_warn_s=0.3, silence_kill_s=0.6, allow=("sleep", "echo"))
    stage.play(runs("sleep 2; echo awake"), says("It slept."))
    result = await stage.run()
    assert result.outcome is Outcome.COMPLETED
    assert "awake" in stage.of(ToolFinished)[0].output


@pytest.mark.parametrize("limit", ["silence", "time"])
async def test_the_time_in_which_a_person_thinks_does_not_count(stage: Stage, limit):
    if limit == "silence":
        stage.set(silence_warn_s=0.5, silence_kill_s=1.0)
    budget = Budget(max_seconds=3.0 if limit == "time" else None)
    stage.play(uses("Write", file_path=str(stage.folder / "outside"), content="x"), says("Done."))
    stage.person.thinks = asyncio.Event()
    conversation = await stage.start(stage.request(budget=budget))
    await stage.person.arrived.wait()
    await asyncio.wait((asyncio.create_task(conversation.finished()),), timeout=4.0 if limit == "time" else 2.0)
    stage.person.thinks.set()
    assert (await conversation.finished()).outcome is Outcome.COMPLETED


async def test_a_frame_of_more_than_a_megabyte_is_read(stage: Stage):
    """The result of an edit carries the whole file with it."""
    lines = [f"line {number} {'x' * 100}" for number in range(20_000)]
    (stage.copy / "big.txt").write_text("\n".join(lines))
    edit = {"file_path": "big.txt", "old_string": lines[7] + "\n", "new_string": "short\n"}
    stage.play(uses("Read", file_path="big.txt", limit=20), uses("Edit", **edit), says("Edited."))
    result = await stage.run()
    assert (result.outcome, result.final_text) == (Outcome.COMPLETED, "Edited.")
    edited = stage.of(ToolFinished)[1]
    assert (edited.added, edited.removed, edited.is_error) == (1, 1, False)
    assert len(edited.patch) < 2_000


async def test_a_killed_program_is_a_broken_transport_and_its_commands_die_too(stage: Stage):
    stage.set(allow=("sleep", "touch"))
    stage.play(runs("touch started; sleep 300"))
    request = stage.request()
    conversation = await stage.start(request)
    started = await stage.until(lambda e: isinstance(e, ClaudeStarted))
    await exists(stage.copy / "started")
    os.kill(started.pid, signal.SIGKILL)
    result = await asyncio.wait_for(conversation.finished(), 10)
    assert result.outcome is Outcome.TRANSPORT_BROKEN
    assert "signal 9" in result.detail
    assert result.usage.total_tokens > 0
    assert left_of(request.attempt) == []


async def test_a_killed_conversation_is_resumed(stage: Stage):
    stage.set(allow=("sleep", "touch"))
    stage.play(runs("touch started; sleep 300"))
    request = stage.request()
    conversation = await stage.start(request)
    started = await stage.until(lambda e: isinstance(e, ClaudeStarted))
    await exists(stage.copy / "started")
    os.kill(started.pid, signal.SIGKILL)
    await conversation.finished()
    stage.play(says("Here I am again."))
    again = replace(request, attempt=new_attempt_id(), prompt="Go on.", reason=ConversationReason.RESUME)
    result = await stage.run(again)
    assert (result.outcome, result.claude_session) == (Outcome.COMPLETED, request.claude_session)
    assert len(stage.server.requests[-1].prompts) == 2


async def test_an_unknown_conversation_cannot_be_resumed(stage: Stage):
    request = stage.request(claude_session=new_claude_session_id(), reason=ConversationReason.RESUME)
    result = await stage.run(request)
    assert result.outcome is Outcome.RESUME_BROKEN, result


async def test_an_id_in_use_is_a_broken_conversation_too(stage: Stage):
    stage.play(says("Done."))
    request = stage.request()
    await stage.run(request)
    result = await stage.run(replace(request, attempt=new_attempt_id()))
    assert result.outcome is Outcome.RESUME_BROKEN, result


async def test_the_turn_limit_of_the_task_ends_the_run(stage: Stage):
    stage.play(*(runs("ls") for _ in range(6)), says("Done."))
    result = await stage.run(stage.request(budget=Budget(max_turns=2)))
    assert result.outcome is Outcome.MAX_TURNS
    assert "2 turns" in result.detail


async def test_the_cost_limit_of_the_task_ends_the_run(stage: Stage):
    stage.play(*(runs("ls") for _ in range(6)), says("Done."))
    result = await stage.run(stage.request(budget=Budget(max_cost_usd=0.0001)))
    assert result.outcome is Outcome.BUDGET
    assert result.usage.cost_usd > 0.0001


async def test_the_time_limit_of_the_task_ends_the_run(stage: Stage):
    stage.play(says("Never."))
    stage.server.faults.add(Fault(kind=FaultKind.HANG, seconds=60, times=ALWAYS))
    result = await stage.run(stage.request(budget=Budget(max_seconds=1.5)))
    assert result.outcome is Outcome.BUDGET
    assert "1.5 s" in result.detail


async def test_thinking_is_streamed_apart_from_text(stage: Stage):
    stage.play(Response(blocks=(Think(text="Let me see."), Say(text="I see."))))
    await stage.run()
    assert "".join(e.text for e in stage.of(ThinkingStreamed)) == "Let me see."
    assert [e.text for e in stage.of(TextFinished)] == ["I see."]


async def test_usage_of_a_resumed_run_is_its_own(stage: Stage):
    stage.play(says("One."))
    request = stage.request()
    first = await stage.run(request)
    stage.play(says("Two."))
    again = replace(request, attempt=new_attempt_id(), prompt="More.", reason=ConversationReason.RESUME)
    second = await stage.run(again)
    assert len(stage.server.requests) == 2
    assert 0 < second.usage.cost_usd < 2 * first.usage.cost_usd
    assert second.usage.turns == 1
    assert len(stage.of(UsageReported)) == 2


async def test_the_activity_tells_running_and_idle_once_each(stage: Stage):
    stage.play(runs("ls"), says("Done."))
    await stage.run()
    assert [e.state for e in stage.of(ClaudeActivity)] == ["running", "idle"]


async def test_text_sent_into_a_running_turn_reaches_claude(stage: Stage):
    stage.set(allow=("sleep", "touch"))
    stage.play(runs("touch started; sleep 1"), says("Heard."))
    conversation = await stage.start()
    await exists(stage.copy / "started")
    assert await conversation.send("Use SQLite, please.")
    assert not stage.of(SteerDelivered), "it waits for the end of the tool call"
    result = await conversation.finished()
    assert result.outcome is Outcome.COMPLETED
    assert [event.text for event in stage.of(SteerDelivered)] == ["Use SQLite, please."]
    assert any("Use SQLite" in str(asked.raw.body) for asked in stage.server.requests)


async def test_tokens_that_are_used_up_end_the_run_before_the_next_call(stage: Stage):
    stage.set(allow=("touch",))
    stage.play(runs("touch one"), runs("touch two"), says("Done."))
    calls = len(stage.server.requests)
    result = await stage.run(stage.request(budget=Budget(max_tokens=1)))
    assert result.outcome is Outcome.BUDGET
    assert "1 tokens" in result.detail
    assert len(stage.server.requests) == calls + 1, "one call was made, and no other"
    assert result.usage.total_tokens > 1, "what it cost is told"


async def test_a_request_that_is_refused_for_good_after_a_tool_wants_a_fresh_conversation(stage: Stage):
    stage.play(runs("ls"), says("Never."))
    stage.server.faults.add(Fault(kind=FaultKind.HTTP, status=400, text="no low surrogate in string", skip=1, times=99))
    result = await stage.run()
    assert (result.outcome, result.remedy) == (Outcome.REFUSED, Remedy.FRESH), result


@pytest.mark.parametrize("said", ["prompt is too long: 12 tokens > 10 maximum", "tools.0: input does not match"])
async def test_a_first_request_that_is_refused_for_good_is_left_to_a_person(stage: Stage, said):
    stage.play(says("Never."))
    stage.server.faults.add(fails(400, said))
    result = await stage.run()
    assert (result.outcome, result.remedy) == (Outcome.REFUSED, Remedy.TASK), result
