"""Stopping in every state leaves no process, with the real program."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from obra_tui.core.events import ClaudeStarted, RetryScheduled, TextStreamed
from obra_tui.core.model import Outcome
from obra_tui.core.ports import Conversation
from obra_tui.rehearsal.faults import Fault, FaultKind
from tests.agents.stage import Stage, exists, left_of, runs, says

pytestmark = pytest.mark.e2e

STOP_S = 4.0
"""Twice what is promised, for machines that do other things besides."""


async def starting(stage: Stage) -> Conversation:
    stage.play(says("Never."))
    return await stage.start()


async def waiting_for_the_api(stage: Stage) -> Conversation:
    stage.play(says("Never."))
    stage.server.faults.add(Fault(kind=FaultKind.HANG, seconds=60, times=9))
    conversation = await stage.start()
    await stage.until(lambda event: isinstance(event, ClaudeStarted))
    return conversation


async def streaming(stage: Stage) -> Conversation:
    stage.server.pace = 2.0
    stage.play(says("word " * 2000))
    conversation = await stage.start()
    await stage.until(lambda event: isinstance(event, TextStreamed))
    return conversation


async def in_a_command(stage: Stage) -> Conversation:
    stage.set(allow=("touch", "sleep"))
    stage.play(runs("touch started; sleep 300"))
    conversation = await stage.start()
    await exists(stage.copy / "started")
    return conversation


async def in_a_command_that_ignores_signals(stage: Stage) -> Conversation:
    stage.set(allow=("touch", "sleep", "trap"))
    stage.play(runs("trap '' INT TERM HUP; touch started; sleep 300; sleep 300"))
    conversation = await stage.start()
    await exists(stage.copy / "started")
    return conversation


async def with_a_child_that_left_its_session(stage: Stage) -> Conversation:
    stage.set(allow=("setsid", "touch", "sleep"))
    stage.play(runs("setsid sleep 301 & touch started; sleep 300"))
    conversation = await stage.start()
    await exists(stage.copy / "started")
    return conversation


async def waiting_for_permission(stage: Stage) -> Conversation:
    stage.person.thinks = asyncio.Event()
    stage.play(runs("touch x"))
    conversation = await stage.start()
    await stage.person.arrived.wait()
    return conversation


async def in_api_retry(stage: Stage) -> Conversation:
    stage.set(max_retries=10)
    stage.play(says("Never."))
    stage.server.faults.add(Fault(kind=FaultKind.HTTP, status=529, times=99))
    conversation = await stage.start()
    await stage.until(lambda event: isinstance(event, RetryScheduled) and event.attempt >= 2)
    return conversation


STATES: list[Callable[[Stage], Awaitable[Conversation]]] = [
    starting,
    waiting_for_the_api,
    streaming,
    in_a_command,
    in_a_command_that_ignores_signals,
    with_a_child_that_left_its_session,
    waiting_for_permission,
    in_api_retry,
]


@pytest.mark.parametrize("reach", STATES, ids=lambda reach: reach.__name__)
async def test_stop_leaves_no_process_in_any_state(stage: Stage, reach: Callable[[Stage], Awaitable[Conversation]]):
    conversation = await reach(stage)
    attempt = stage.attempts[-1]
    await asyncio.wait_for(conversation.stop(), STOP_S)
    result = await conversation.finished()
    assert result.outcome is Outcome.KILLED
    assert left_of(attempt) == []


TURNS = [waiting_for_the_api, streaming, in_a_command, in_api_retry]


@pytest.mark.parametrize("reach", TURNS, ids=lambda reach: reach.__name__)
async def test_an_interrupted_turn_keeps_the_conversation(stage: Stage, reach):
    conversation = await reach(stage)
    await conversation.interrupt()
    result = await asyncio.wait_for(conversation.finished(), 10)
    assert (result.outcome, "kept" in result.detail) == (Outcome.KILLED, True)
    stage.server.faults.clear()
    stage.server.pace = 0
    stage.play(says("Here again."))
    assert (await stage.run(stage.resumed())).final_text == "Here again."


async def test_a_start_that_waits_for_its_turn_can_be_cancelled(stage: Stage):
    while not stage.implementer._start_gate.locked():
        await stage.implementer._start_gate.acquire()
    request = stage.request()
    starting = asyncio.create_task(stage.start(request))
    while not stage.implementer._running:
        await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert stage.implementer._running == {}
    assert left_of(request.attempt) == []


async def test_background_commands_die_with_a_finished_run(stage: Stage):
    stage.set(allow=("sleep", "setsid", "nohup"))
    stage.play(runs("nohup setsid sleep 302 >/dev/null 2>&1 & sleep 0.1"), says("Left something behind."))
    request = stage.request()
    result = await stage.run(request)
    assert result.outcome is Outcome.COMPLETED
    assert left_of(request.attempt) == []
