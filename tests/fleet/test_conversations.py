"""Claude Code at workers: what the engine sees of it, and what becomes of it when a worker dies."""

import asyncio
from pathlib import Path

import pytest

from obra_tui.core.events import ClaudeNoticed, ClaudeStarted, SteerDelivered, TextFinished, ToolFinished
from obra_tui.core.ids import QuestionId
from obra_tui.core.model import (
    ConversationReason,
    Outcome,
    PermissionKind,
    PermissionQuestion,
    PermissionVerdict,
)
from tests.agents.stage import allow
from tests.fakes.implementer import Play
from tests.fleet.rig import PATIENCE_S, eventually

WRITES = Play(writes={"hello.txt": "hello\n"}, says="All done.")
HOLDS = Play(holds=True, writes={"late.txt": "late\n"})


async def test_the_work_of_a_worker_is_in_the_copy_here_and_its_events_came_in_order(rig):
    await rig.work("w1", WRITES)
    request = await rig.request()
    result = await rig.run(request)
    assert (result.outcome, result.final_text) == (Outcome.COMPLETED, "All done.")
    assert Path(request.cwd, "hello.txt").read_text() == "hello\n"
    kinds = [type(event) for event in rig.events]
    assert kinds.index(ClaudeStarted) < kinds.index(ToolFinished) < kinds.index(TextFinished)
    started = next(event for event in rig.events if isinstance(event, ClaudeStarted))
    assert started.cwd == request.cwd


async def test_work_waits_until_a_worker_is_there(rig):
    conversation = await rig.start(await rig.request())
    assert "No worker is there yet" in rig.texts()[0]
    await rig.work("w1", WRITES)
    async with asyncio.timeout(PATIENCE_S):
        assert (await conversation.finished()).outcome is Outcome.COMPLETED


async def test_files_that_were_deleted_at_the_worker_are_gone_here(rig):
    await rig.work("w1", Play(removes=("README.md",)))
    request = await rig.request()
    await rig.run(request)
    assert not Path(request.cwd, "README.md").exists()


async def test_a_second_attempt_goes_to_the_worker_that_has_the_conversation(rig):
    first, second = await rig.work("w1", WRITES), await rig.work("w2", WRITES)
    request = await rig.request()
    await rig.run(request)
    has, has_not = (first, second) if first.fake.requests else (second, first)
    again = await rig.request(
        "Again.", cwd=request.cwd, task=request.task, claude_session=request.claude_session,
        reason=ConversationReason.RESUME,
    )  # fmt: skip
    result = await rig.run(again)
    assert result.outcome is Outcome.COMPLETED
    assert has.fake.prompts == ["Write it.", "Again."]
    assert has_not.fake.prompts == []


async def test_a_conversation_whose_worker_has_left_is_told_as_lost(rig):
    worker = await rig.work("w1", WRITES)
    request = await rig.request()
    await rig.run(request)
    worker.worker.drain()
    await worker.running
    again = await rig.request(
        "Again.", cwd=request.cwd, task=request.task, claude_session=request.claude_session,
        reason=ConversationReason.RESUME,
    )  # fmt: skip
    result = await rig.run(again)
    assert result.outcome is Outcome.RESUME_BROKEN
    assert "w1" in result.detail


async def test_text_reaches_the_running_turn_and_is_told_as_read(rig):
    worker = await rig.work("w1", HOLDS)
    conversation = await rig.start(await rig.request())
    await eventually(lambda: worker.fake.requests)
    assert await conversation.send("And tests, please.")
    await eventually(lambda: SteerDelivered(text="And tests, please.") in rig.events)
    worker.fake.go_on.set()
    assert (await conversation.finished()).outcome is Outcome.COMPLETED
    assert not await conversation.send("Too late.")


async def test_a_question_is_answered_from_here_and_a_rule_holds_there(rig):
    seen = []
    question = PermissionQuestion(
        id=QuestionId("q1"),
        kind=PermissionKind.TOOL,
        tool="Bash",
        title="make",
        detail="make",
        session_rule="Bash(make)",
    )
    rig.person.answers.append(allow(PermissionVerdict.SESSION))
    worker = await rig.work("w1", Play(asks=(question,), writes={"made.txt": "yes"}, holds=True, looks=seen.append))
    conversation = await rig.start(await rig.request())
    await eventually(lambda: worker.fake.answers)
    await eventually(lambda: seen and seen[0].standing() == {"Bash(make)"})
    seen[0].used("Bash(make)", "make")
    await eventually(lambda: rig.person.uses == [("Bash(make)", "make")])
    worker.fake.go_on.set()
    assert (await conversation.finished()).outcome is Outcome.COMPLETED


async def test_an_interrupt_ends_the_turn_at_the_worker_and_keeps_its_files(rig):
    worker = await rig.work("w1", Play(writes={"a.txt": "a\n"}), HOLDS)
    request = await rig.request()
    await rig.run(request)
    conversation = await rig.start(await rig.request(cwd=request.cwd, task=request.task))
    await eventually(lambda: len(worker.fake.requests) == 2)
    await conversation.interrupt()
    result = await conversation.finished()
    assert result.outcome is Outcome.KILLED
    assert worker.fake.interrupts == 1


async def test_what_nobody_has_yet_is_withdrawn_at_once(rig):
    conversation = await rig.start(await rig.request())
    await conversation.interrupt()
    async with asyncio.timeout(PATIENCE_S):
        assert (await conversation.finished()).outcome is Outcome.KILLED
    worker = await rig.work("w1", WRITES)
    await rig.run(await rig.request("Another."))
    assert worker.fake.prompts == ["Another."]


async def test_a_stopped_conversation_has_ended_at_the_worker_too(rig):
    worker = await rig.work("w1", HOLDS)
    conversation = await rig.start(await rig.request())
    await eventually(lambda: worker.fake.requests)
    await conversation.stop()
    assert (await conversation.finished()).outcome is Outcome.KILLED
    await eventually(lambda: worker.fake.stops)


async def test_when_a_worker_is_cut_off_another_one_goes_on_from_its_files_in_a_new_conversation(rig):
    first = await rig.work("w1", Play(writes={"begun.txt": "begun\n"}), HOLDS)
    request = await rig.request()
    await rig.run(request)
    conversation = await rig.start(await rig.request("Go on.", cwd=request.cwd, task=request.task))
    await eventually(lambda: len(first.fake.requests) == 2)
    copy = Path(first.fake.requests[1].cwd)
    (copy / "half.txt").write_text("half\n")
    await eventually(lambda: Path(request.cwd, "half.txt").exists())
    second = await rig.work("w2", WRITES)
    first.cable.cut()
    async with asyncio.timeout(PATIENCE_S):
        result = await conversation.finished()
    assert result.outcome is Outcome.COMPLETED
    told = second.fake.requests[0]
    assert told.reason is ConversationReason.FRESH
    assert told.claude_session not in (request.claude_session, "")
    assert "Write it." in told.prompt or "Go on." in told.prompt
    assert "Another worker was at work on this task and died." in told.prompt
    assert Path(request.cwd, "half.txt").read_text() == "half\n"
    assert Path(request.cwd, "hello.txt").read_text() == "hello\n"
    assert any(isinstance(event, ClaudeNoticed) and "w1 is gone" in event.text for event in rig.events)


async def test_a_worker_that_was_cut_off_has_ended_its_agents_and_begins_a_new_life(rig):
    first = await rig.work("w1", HOLDS, WRITES)
    conversation = await rig.start(await rig.request())
    await eventually(lambda: first.fake.requests)
    first.cable.cut()
    await eventually(lambda: first.fake.stops)  # before anybody else may begin
    await eventually(lambda: any("cannot renew" in line for line in first.said))
    first.cable.mend()
    async with asyncio.timeout(PATIENCE_S):
        result = await conversation.finished()
    assert result.outcome is Outcome.COMPLETED
    assert len(first.fake.requests) == 2


async def test_a_worker_that_is_told_twice_to_leave_hands_its_work_on_at_once(rig):
    first = await rig.work("w1", HOLDS)
    conversation = await rig.start(await rig.request())
    await eventually(lambda: first.fake.requests)
    second = await rig.work("w2", WRITES)
    first.worker.drain()
    first.worker.drain()
    async with asyncio.timeout(PATIENCE_S):
        assert (await conversation.finished()).outcome is Outcome.COMPLETED
    assert second.fake.requests
    await first.running


async def test_a_draining_worker_finishes_what_it_has_and_takes_nothing_more(rig):
    first = await rig.work("w1", HOLDS)
    conversation = await rig.start(await rig.request())
    await eventually(lambda: first.fake.requests)
    await rig.rows("UPDATE fleet_worker SET state = 'draining' WHERE name = 'w1'")
    await eventually(lambda: any("asked to drain" in line for line in first.said))
    other = await rig.start(await rig.request("Another."))
    first.fake.go_on.set()
    assert (await conversation.finished()).outcome is Outcome.COMPLETED
    await first.running
    assert first.fake.prompts == ["Write it."]
    await other.stop()


@pytest.mark.parametrize(("offered", "taken"), [(("gpu", "linux"), True), (("linux",), False)])
async def test_work_goes_only_to_a_worker_with_its_labels(postgresql, tmp_path, offered, taken):
    from msgspec.structs import replace

    from tests.fleet.rig import Rig

    rig = Rig(postgresql, tmp_path)
    rig.options = replace(rig.options, labels=("gpu",))
    await rig.open()
    try:
        worker = await rig.work("w1", WRITES, labels=offered)
        conversation = await rig.start(await rig.request())
        if taken:
            assert (await conversation.finished()).outcome is Outcome.COMPLETED
        else:
            assert "with the labels gpu" in rig.texts()[0]
            await conversation.stop()
            assert worker.fake.requests == []
    finally:
        await rig.close()
