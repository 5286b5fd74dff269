"""An answer waits a little before it is carried out, and can be taken back until then."""

import pytest

from obra_tui.core import commands as do
from obra_tui.core.errors import GateDecided, NotAllowed
from obra_tui.core.events import DecisionHeld, DecisionMade, DecisionUndone, GateOpened, TaskMoved, WorkAccepted
from obra_tui.core.lifecycle import State
from obra_tui.core.model import DecisionKind
from tests.scenarios.world import ME, World, play


@pytest.fixture
async def waiting(tmp_path):
    world = World(tmp_path, plays=(play("one\n"), play("two\n")), undo_s=10.0)
    await world.run()
    await world.finished()
    return world


async def accepted(world):
    return await world.until(lambda e: isinstance(e, TaskMoved) and e.after is State.ACCEPTED)


async def undo(world, gate):
    await world.do(do.UndoDecision(gate=gate.id, by=ME))


async def test_an_approval_is_carried_out_when_its_time_is_over_and_not_before(waiting):
    world = waiting
    await world.approve()
    (held,) = world.events(DecisionHeld)
    assert held.until == world.clock.now() + 10.0
    assert world.events(DecisionMade) == []
    assert world.state() is State.AWAITING_HUMAN
    await world.clock.until_asleep()
    world.clock.advance(10.0)
    await accepted(world)
    assert len(world.events(DecisionMade)) == 1


async def test_an_undone_approval_never_happened_and_the_gate_can_be_answered_anew(waiting):
    world = waiting
    gate = world.gate()
    await world.approve()
    await undo(world, gate)
    world.clock.advance(60.0)
    assert [event.by for event in world.events(DecisionUndone)] == [ME]
    await world.decide(DecisionKind.REJECT, "No.", gate=gate)
    await world.clock.until_asleep()
    world.clock.advance(60.0)
    await world.until(lambda e: isinstance(e, TaskMoved) and e.after is State.REJECTED)
    assert [event.decision.kind for event in world.events(DecisionMade)] == [DecisionKind.REJECT]
    assert world.workspace.called("accept") == []


async def test_the_first_answer_wins_while_it_can_still_be_undone(waiting):
    world = waiting
    gate = world.gate()
    await world.approve()
    with pytest.raises(GateDecided, match=ME):
        await world.decide(DecisionKind.REJECT, "Mine is better.", gate=gate)


async def test_what_was_carried_out_cannot_be_undone(waiting):
    world = waiting
    gate = world.gate()
    await world.approve()
    await world.clock.until_asleep()
    world.clock.advance(10.0)
    await accepted(world)
    with pytest.raises(NotAllowed, match="cannot be undone any more"):
        await undo(world, gate)


async def test_work_that_changes_while_an_approval_is_held_is_not_taken_in(waiting, tmp_path):
    world = waiting
    await world.approve()
    (tmp_path / world.task_id() / "calc.py").write_text("slipped in\n")
    await world.clock.until_asleep()
    world.clock.advance(10.0)
    undone = await world.until(DecisionUndone)
    assert undone.by == "policy"
    assert "changed since it was shown" in undone.reason
    assert world.state() is State.AWAITING_HUMAN
    assert world.workspace.called("accept") == []


async def test_a_crash_while_an_answer_is_held_finishes_it_once_after_the_restart(waiting):
    world = waiting
    await world.approve()
    world.clock.advance(4.0)
    await world.crash()
    assert world.state() is State.AWAITING_HUMAN
    world.clock.advance(10.0)
    await accepted(world)
    assert len({event.acceptance.commit for event in world.events(WorkAccepted)}) == 1
    records = world.journal.session_records(world.session)
    assert sum(isinstance(record.event, DecisionMade) for record in records) == 1


async def test_leaving_obra_lets_the_held_answer_stand(waiting):
    world = waiting
    await world.decide(DecisionKind.CHANGES, "Shorter, please.")
    await world.orchestrator.stop()
    assert len(world.events(DecisionMade)) == 1
    assert len(world.implementer.requests) == 1, "nothing new is begun on the way out"


async def test_a_cancelled_task_takes_its_held_answer_along(waiting):
    world = waiting
    await world.approve()
    await world.do(do.CancelTask(task=world.task_id(), by=ME))
    await world.clock.until_asleep()
    world.clock.advance(10.0)
    assert world.state() is State.CANCELLED
    assert world.events(DecisionMade) == []


async def test_the_time_to_undo_holds_for_each_answer_anew(waiting):
    world = waiting
    gate = world.gate()
    await world.approve()
    await undo(world, gate)
    await world.decide(DecisionKind.CHANGES, "Two.", gate=gate)
    await world.clock.until_asleep()
    world.clock.advance(10.0)
    await world.until(GateOpened, 2)
    assert "Two." in world.prompts()[1]
