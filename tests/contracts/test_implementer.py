"""What every implementer must do: the real Claude Code program, and the fake that the engine's tests use."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest
from msgspec.structs import replace

from obra_tui.core.errors import ImplementerError
from obra_tui.core.events import ClaudeStarted, TextFinished, ToolFinished, ToolStarted, UsageReported
from obra_tui.core.ids import QuestionId, new_attempt_id, new_claude_session_id
from obra_tui.core.model import (
    ConversationReason,
    ImplementRequest,
    Outcome,
    PermissionKind,
    PermissionQuestion,
    PermissionVerdict,
    Usage,
)
from obra_tui.rehearsal.anthropic_server import AnthropicServer
from obra_tui.rehearsal.faults import Fault, FaultKind
from tests.agents.stage import Stage, allow, config_for, runs, says, uses
from tests.fakes.implementer import FakeImplementer, Play


class Rig(Protocol):
    """The same story told to either of them."""

    stage: Stage

    def writes(self, name: str, content: str, text: str) -> None: ...
    def asks(self, command: str) -> None: ...
    def holds(self) -> None: ...
    def known(self, request: ImplementRequest) -> str: ...


class FakeRig:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.fake = FakeImplementer()
        stage._implementer = self.fake  # type: ignore[assignment]

    def writes(self, name: str, content: str, text: str) -> None:
        self.fake.plays = [Play(writes={name: content}, says=text)]

    def asks(self, command: str) -> None:
        question = PermissionQuestion(
            id=QuestionId("q1"), kind=PermissionKind.TOOL, tool="Bash", title=command, detail=command
        )
        self.fake.plays = [Play(asks=(question,), writes={"asked.txt": "yes"})]

    def holds(self) -> None:
        self.fake.plays = [Play(holds=True)]

    def known(self, request: ImplementRequest) -> str:
        return " ".join(self.fake.histories[request.claude_session])


class RealRig:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def writes(self, name: str, content: str, text: str) -> None:
        self.stage.play(uses("Write", file_path=name, content=content), says(text))

    def asks(self, command: str) -> None:
        self.stage.play(runs(command), says("Done."))

    def holds(self) -> None:
        self.stage.play(says("Never said."))
        self.stage.server.faults.add(Fault(kind=FaultKind.HANG, seconds=60, times=9))

    def known(self, request: ImplementRequest) -> str:
        asked = [asked for asked in self.stage.server.requests if asked.session == request.claude_session]
        return " ".join(asked[-1].prompts)


@pytest.fixture(params=[FakeRig, pytest.param(RealRig, marks=pytest.mark.e2e)], ids=["fake", "real"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    place = tempfile.TemporaryDirectory(prefix="ob", ignore_cleanup_errors=True)
    with place as folder, AnthropicServer(pace=0) as server:
        stage = Stage(Path(folder), server, config_for(Path(folder), server.url))
        yield request.param(stage)
        await stage.implementer.close()


async def test_a_run_does_its_work_in_the_copy_and_tells_it(rig: Rig):
    rig.writes("hello.txt", "hello\n", "All done.")
    request = rig.stage.request()
    result = await rig.stage.run(request)
    assert (result.outcome, result.final_text) == (Outcome.COMPLETED, "All done.")
    assert (rig.stage.copy / "hello.txt").read_text() == "hello\n"
    order = (ClaudeStarted, ToolStarted, ToolFinished, TextFinished)
    assert tuple(type(event) for event in rig.stage.events if isinstance(event, order)) == order


async def test_the_result_names_the_conversation_and_the_usage_of_this_run(rig: Rig):
    rig.writes("a.txt", "a", "Done.")
    request = rig.stage.request()
    result = await rig.stage.run(request)
    assert result.claude_session == request.claude_session
    assert result.usage == sum((e.usage for e in rig.stage.of(UsageReported)), Usage())
    assert result.usage.turns > 0


async def test_a_conversation_is_resumed_under_the_same_id(rig: Rig):
    rig.writes("a.txt", "a", "Done.")
    first = rig.stage.request()
    await rig.stage.run(first)
    again = replace(first, attempt=new_attempt_id(), prompt="Again.", reason=ConversationReason.RESUME)
    result = await rig.stage.run(again)
    assert (result.outcome, result.claude_session) == (Outcome.COMPLETED, first.claude_session)


def fork_of(parent: ImplementRequest, prompt: str) -> ImplementRequest:
    return replace(
        parent,
        attempt=new_attempt_id(),
        prompt=prompt,
        reason=ConversationReason.FORK,
        claude_session=new_claude_session_id(),
        parent=parent.claude_session,
    )


async def test_a_fork_has_an_id_and_a_usage_of_its_own_and_knows_the_history(rig: Rig):
    rig.writes("a.txt", "a", "Done.")
    first = rig.stage.request("Paint it blue.")
    before = await rig.stage.run(first)
    told = len(rig.stage.of(UsageReported))
    fork = fork_of(first, "Now in green.")
    result = await rig.stage.run(fork)
    assert (result.outcome, result.claude_session) == (Outcome.COMPLETED, fork.claude_session)
    assert "Paint it blue." in rig.known(fork)
    assert result.usage == sum((e.usage for e in rig.stage.of(UsageReported)[told:]), Usage())
    assert 0 < result.usage.output_tokens <= before.usage.output_tokens, "the same story, told once more"
    assert 0 < result.usage.turns <= before.usage.turns


async def test_a_forked_conversation_stays_as_it_was(rig: Rig):
    rig.writes("a.txt", "a", "Done.")
    first = rig.stage.request("Paint it blue.")
    await rig.stage.run(first)
    await rig.stage.run(fork_of(first, "Now in green."))
    again = replace(first, attempt=new_attempt_id(), prompt="Go on.", reason=ConversationReason.RESUME)
    result = await rig.stage.run(again)
    assert (result.outcome, result.claude_session) == (Outcome.COMPLETED, first.claude_session)
    assert "Paint it blue." in rig.known(again)
    assert "Now in green." not in rig.known(again)


async def test_a_fork_of_nothing_is_refused(rig: Rig):
    with pytest.raises(ImplementerError, match="no conversation to fork"):
        await rig.stage.start(rig.stage.request(reason=ConversationReason.FORK))


async def test_an_allowed_question_is_asked_once(rig: Rig):
    rig.asks("echo yes > /dev/full; touch asked.txt")
    rig.stage.person.answers = [allow(PermissionVerdict.ONCE)]
    assert (await rig.stage.run()).outcome is Outcome.COMPLETED
    assert len(rig.stage.person.asked) == 1
    assert (rig.stage.copy / "asked.txt").exists()


async def test_a_denied_question_does_not_end_the_run(rig: Rig):
    rig.asks("touch asked.txt")
    assert (await rig.stage.run()).outcome is Outcome.COMPLETED
    assert not (rig.stage.copy / "asked.txt").exists()


async def test_a_question_is_withdrawn_when_the_run_is_interrupted(rig: Rig):
    rig.asks("touch asked.txt")
    rig.stage.person.thinks = asyncio.Event()
    conversation = await rig.stage.start()
    await asyncio.wait_for(rig.stage.person.arrived.wait(), 30)
    await conversation.interrupt()
    result = await asyncio.wait_for(conversation.finished(), 30)
    assert result.outcome is Outcome.KILLED
    assert not (rig.stage.copy / "asked.txt").exists()


async def test_text_is_taken_while_a_turn_runs_and_refused_after_the_end(rig: Rig):
    rig.holds()
    conversation = await rig.stage.start()
    await rig.stage.until(lambda event: isinstance(event, ClaudeStarted))
    assert await conversation.send("Mind the tests.")
    await conversation.stop()
    assert not await conversation.send("Too late.")


async def test_stopping_ends_the_run_and_may_be_repeated(rig: Rig):
    rig.holds()
    request = rig.stage.request()
    conversation = await rig.stage.start(request)
    await conversation.stop()
    await conversation.stop()
    result = await conversation.finished()
    assert (result.outcome, result.claude_session) == (Outcome.KILLED, request.claude_session)
    assert result.detail


async def test_one_conversation_is_not_run_twice_at_once(rig: Rig):
    rig.holds()
    request = rig.stage.request()
    conversation = await rig.stage.start(request)
    with pytest.raises(ImplementerError, match="still running"):
        await rig.stage.start(replace(request, attempt=new_attempt_id()))
    await conversation.stop()


async def test_a_missing_copy_is_refused(rig: Rig):
    with pytest.raises(ImplementerError, match="not there"):
        await rig.stage.start(rig.stage.request(cwd=str(rig.stage.folder / "nowhere")))


async def test_closing_stops_what_still_runs(rig: Rig):
    rig.holds()
    conversation = await rig.stage.start()
    await rig.stage.implementer.close()
    assert (await conversation.finished()).outcome is Outcome.KILLED
