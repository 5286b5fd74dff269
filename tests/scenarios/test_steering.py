"""The person's hand on the wheel: text for the running turn, prompts that are read before they go, taking over."""

from pathlib import Path

import pytest

from obra_tui.core import commands as do
from obra_tui.core.errors import NotAllowed
from obra_tui.core.events import (
    AttemptStarted,
    ClaudeStarted,
    GateOpened,
    PromptHeld,
    PromptSent,
    PromptWithdrawn,
    SteerDelivered,
    SteerQueued,
    WorkHandedBack,
    WorkTakenOver,
)
from obra_tui.core.lifecycle import State
from obra_tui.core.model import ConversationReason, DecisionKind, SessionKind
from tests.fakes.checks import TESTS, failed, passed
from tests.fakes.implementer import Play
from tests.scenarios.world import ME, WRITES, World, play, task


async def started(tmp_path, *plays, **config):
    """A world in which Claude is at work on the first task."""
    world = World(tmp_path, plays=plays, **config)
    await world.run(task("T001"))
    await world.until(ClaudeStarted)
    return world


def named(world, command, **fields):
    return command(task=world.task_id(), by=ME, **fields)


def copy_of(world):
    return Path(world.work().by_key()["T001"].copy.path)


# --- text ----------------------------------------------------------------------------------------


async def test_text_is_told_as_queued_and_then_as_read(tmp_path):
    world = await started(tmp_path, Play(holds=True, writes={"calc.py": "x\n"}))
    assert await world.do(named(world, do.SendText, text="Use decimals."))
    assert (await world.until(SteerDelivered)).text == "Use decimals."
    kinds = [type(event) for event in world.events((SteerQueued, SteerDelivered))]
    assert kinds == [SteerQueued, SteerDelivered]
    world.implementer.go_on.set()
    await world.finished()
    await world.decide(DecisionKind.CHANGES, "Again.")
    await world.until(GateOpened, 2)
    assert "Use decimals." not in "".join(world.prompts()), "what was read is not said twice"


async def test_text_that_claude_did_not_come_to_read_goes_into_the_next_prompt(tmp_path):
    world = await started(tmp_path, Play(holds=True, reads=False), WRITES)
    await world.do(named(world, do.SendText, text="Use decimals."))
    await world.do(named(world, do.InterruptClaude))
    await world.finished()
    await world.do(do.Resume(session=world.session, by=ME))
    await world.until(GateOpened)
    assert world.prompts()[-1] == "Use decimals."


# --- prompts that wait ---------------------------------------------------------------------------


async def test_a_first_prompt_is_held_changed_and_sent_word_for_word(tmp_path):
    world = World(tmp_path)
    world.session = await world.do(do.OpenSession(kind=SessionKind.MILESTONE, title="Plan"))
    await world.do(do.AddTasks(session=world.session, tasks=(task(),)))
    await world.do(named(world, do.HoldPrompt))
    await world.do(do.StartRun(session=world.session))
    held = await world.until(PromptHeld)
    assert held.kind == "task" and "Do T001." in held.text
    assert not world.implementer.requests, "nothing is said before the person says it"
    await world.do(named(world, do.SendPrompt, text="Do it my way.\n"))
    await world.until(GateOpened)
    assert world.implementer.prompts == ["Do it my way.\n"]
    (sent,) = world.events(PromptSent)
    assert (sent.text, sent.by) == ("Do it my way.\n", ME)
    assert not world.work().by_key()["T001"].hold_next, "only the next one"


async def test_by_the_settings_every_prompt_waits_also_that_of_a_retry(tmp_path):
    world = World(tmp_path, plays=(play("1\n"), play("2\n")), hold_prompts=True)
    world.checks.script(failed(TESTS), passed(TESTS))
    await world.run()
    held = await world.until(PromptHeld)
    await world.do(named(world, do.SendPrompt, text=held.text))
    retry = await world.until(PromptHeld, 2)
    assert retry.kind == "retry" and "test_calc.py::test_add" in retry.text
    await world.do(named(world, do.SendPrompt, text=f"{retry.text}\n\nAnd be quick."))
    await world.until(GateOpened)
    assert world.prompts()[-1].endswith("And be quick.")


async def test_nobody_there_means_that_no_prompt_waits(tmp_path):
    world = World(tmp_path, hold_prompts=True, attended=False)
    await world.run()
    await world.until(GateOpened)


async def test_a_held_prompt_is_withdrawn_by_a_stop_and_built_again_with_all_its_findings(tmp_path):
    world = World(tmp_path, plays=(play("1\n"), play("2\n")))
    world.checks.script(failed(TESTS), passed(TESTS))
    await world.run()
    await world.until(AttemptStarted)
    await world.do(named(world, do.HoldPrompt))
    first = await world.until(PromptHeld)
    await world.do(do.StopRun(session=world.session, mode="now", by=ME))
    assert len(world.events(PromptWithdrawn)) == 1
    with pytest.raises(NotAllowed, match="No prompt of T001 is held"):
        await world.do(named(world, do.SendPrompt, text="x"))
    await world.do(do.Resume(session=world.session, by=ME))
    again = await world.until(PromptHeld, 2)
    assert again.text == first.text


async def test_a_crash_while_a_prompt_is_held_leaves_none_that_nobody_waits_for(tmp_path):
    world = World(tmp_path, hold_prompts=True)
    await world.run()
    await world.until(PromptHeld)
    await world.crash()
    assert world.work().by_key()["T001"].held_prompt is None
    assert world.state() is State.QUEUED


async def test_an_empty_prompt_is_refused_and_so_is_text_beside_a_held_one(tmp_path):
    world = World(tmp_path, hold_prompts=True)
    await world.run()
    held = await world.until(PromptHeld)
    with pytest.raises(NotAllowed, match="empty"):
        await world.do(named(world, do.SendPrompt, text="  \n"))
    with pytest.raises(NotAllowed, match="is held"):
        await world.do(named(world, do.SendText, text="And this."))
    await world.do(named(world, do.SendPrompt, text=held.text))
    await world.until(GateOpened)


async def test_the_wish_to_see_the_next_prompt_can_be_taken_back(tmp_path):
    world = await started(tmp_path, Play(holds=True), WRITES)
    await world.do(named(world, do.HoldPrompt))
    await world.do(named(world, do.HoldPrompt, on=False))
    world.implementer.go_on.set()
    await world.until(GateOpened)
    assert not world.events(PromptHeld)


# --- taking over ---------------------------------------------------------------------------------


async def taken_over(tmp_path, *after):
    """Claude has written half of it and is interrupted by a person who takes the copy over."""
    world = await started(tmp_path, Play(holds=True), *after)
    (copy_of(world) / "calc.py").write_text("half\n")
    await world.do(named(world, do.TakeOver))
    return world


async def test_a_person_takes_over_and_what_they_changed_is_checked_as_theirs(tmp_path):
    world = await taken_over(tmp_path)
    assert (world.state(), world.implementer.stops > 0) == (State.INTERRUPTED, True)
    assert [change.path for change in world.events(WorkTakenOver)[0].diff.files] == ["calc.py"]
    (copy_of(world) / "calc.py").write_text("whole\n")
    (copy_of(world) / "notes.md").write_text("mine\n")
    files = await world.do(named(world, do.GiveBack, then="check"))
    assert files == ("calc.py", "notes.md")
    await world.until(GateOpened)
    assert len(world.implementer.requests) == 1, "Claude was not asked"
    (back,) = world.events(WorkHandedBack)
    assert (back.by, back.then, back.files, back.gate) == (ME, "check", files, None)
    assert world.events(AttemptStarted)[-1].number == 2
    assert world.judge.requests[-1].claude_message == f"{ME} changed the work by hand."


async def test_or_claude_goes_on_from_there_and_is_told_what_was_changed(tmp_path):
    world = await taken_over(tmp_path, play("done\n"))
    (copy_of(world) / "notes.md").write_text("mine\n")
    await world.do(named(world, do.GiveBack, then="claude"))
    await world.until(GateOpened)
    assert "changed these files by hand" in world.prompts()[-1] and "- `notes.md`" in world.prompts()[-1]
    assert world.events(AttemptStarted)[-1].reason is ConversationReason.RESUME
    assert {change.path for change in world.work().by_key()["T001"].diff.files} == {"calc.py", "notes.md"}


async def test_given_back_unchanged_claude_is_simply_continued(tmp_path):
    world = await taken_over(tmp_path, WRITES)
    assert await world.do(named(world, do.GiveBack, then="claude")) == ()
    await world.until(GateOpened)
    assert "by hand" not in world.prompts()[-1]


async def test_nothing_works_on_what_is_taken_over_while_other_tasks_go_on(tmp_path):
    world = World(tmp_path, plays=(Play(holds=True), play("2\n"), play("1\n")))
    await world.run(task("T001"), task("T002"))
    await world.until(ClaudeStarted)
    await world.do(named(world, do.TakeOver))
    await world.until(GateOpened)
    assert world.state("T002") is State.AWAITING_HUMAN
    await world.do(do.Resume(session=world.session, by=ME))
    assert world.state("T001") is State.INTERRUPTED
    with pytest.raises(NotAllowed, match="taken over by"):
        await world.do(named(world, do.TakeOver))
    await world.crash()
    assert world.work().by_key()["T001"].taken is not None, "it is the person's also after a crash"
    await world.do(named(world, do.GiveBack, then="claude"))
    await world.until(GateOpened, 3)


async def test_a_task_is_taken_over_from_its_checks_and_from_a_held_prompt_too(tmp_path):
    world = World(tmp_path)
    world.checks.hold()
    await world.run()
    await world.checks.running.wait()
    await world.do(named(world, do.TakeOver))
    assert world.checks.cancelled == ["compile"]
    world.checks.release()
    (copy_of(world) / "calc.py").write_text("mine\n")
    await world.do(named(world, do.GiveBack))
    await world.until(GateOpened)
    assert world.events(AttemptStarted)[-1].number == 2, "the work is the person's, not Claude's that was looked at"

    held = World(tmp_path / "held", hold_prompts=True)
    await held.run()
    await held.until(PromptHeld)
    await held.do(named(held, do.TakeOver))
    assert held.state() is State.QUEUED and not held.implementer.requests
    (copy_of(held) / "calc.py").write_text("mine\n")
    await held.do(named(held, do.GiveBack))
    await held.until(GateOpened)
    assert not held.implementer.requests


async def test_there_is_nothing_to_take_over_before_the_start_at_a_gate_or_after_the_end(tmp_path):
    world = World(tmp_path)
    world.session = await world.do(do.OpenSession(kind=SessionKind.MILESTONE, title="Plan"))
    await world.do(do.AddTasks(session=world.session, tasks=(task(),)))
    with pytest.raises(NotAllowed, match="no copy yet"):
        await world.do(named(world, do.TakeOver))
    with pytest.raises(NotAllowed, match="not taken over"):
        await world.do(named(world, do.GiveBack))
    await world.do(do.StartRun(session=world.session))
    await world.until(GateOpened)
    with pytest.raises(NotAllowed, match="waits at its gate"):
        await world.do(named(world, do.TakeOver))
    await world.do(named(world, do.CancelTask))
    with pytest.raises(NotAllowed, match="nobody works on it"):
        await world.do(named(world, do.TakeOver))
