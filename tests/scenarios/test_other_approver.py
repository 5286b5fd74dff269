"""With `gate.other_approver` whoever asked for work, or did it, cannot approve it."""

import pytest

from obra_tui.core import commands as do
from obra_tui.core.errors import NotAllowed
from obra_tui.core.events import GateOpened, TaskAdded, TaskEdited, TaskMoved
from obra_tui.core.lifecycle import State
from obra_tui.core.model import Decision, DecisionKind, SessionKind
from tests.scenarios.world import ME, World, play, task

OTHER = "person:grace"


async def begun(tmp_path, *, by=ME, edited_by="", **config):
    world = World(tmp_path, plays=(play("one\n"), play("two\n")), **{"other_approver": True, **config})
    world.session = await world.do(do.OpenSession(kind=SessionKind.MILESTONE, title="Plan"))
    spec = task()
    await world.do(do.AddTasks(session=world.session, tasks=(spec,), by=by))
    if edited_by:
        await world.do(do.EditTask(task=spec.id, spec=spec, by=edited_by))
    await world.do(do.StartRun(session=world.session, close_when_done=True))
    await world.finished()
    return world


async def answer(world, by, kind=DecisionKind.APPROVE, note=""):
    gate = world.gate()
    await world.do(do.Decide(gate=gate.id, binding=gate.binding, decision=Decision(kind=kind, by=by, note=note)))


async def accepted(world):
    return await world.until(lambda event: isinstance(event, TaskMoved) and event.after is State.ACCEPTED)


async def test_who_asked_for_a_task_cannot_approve_it_and_another_person_can(tmp_path):
    world = await begun(tmp_path)
    with pytest.raises(NotAllowed, match="somebody else must approve it"):
        await answer(world, ME)
    assert world.state() is State.AWAITING_HUMAN
    await answer(world, OTHER)
    await accepted(world)


async def test_who_asked_may_still_send_it_back(tmp_path):
    world = await begun(tmp_path)
    await answer(world, ME, DecisionKind.CHANGES, "Shorter, please.")
    await world.until(GateOpened, 2)


async def test_who_changed_what_is_asked_is_an_author_too(tmp_path):
    world = await begun(tmp_path, edited_by=OTHER)
    assert world.events(TaskEdited)[0].by == OTHER
    for by in (ME, OTHER):
        with pytest.raises(NotAllowed):
            await answer(world, by)
    await answer(world, "person:eve")
    await accepted(world)


async def test_who_worked_on_it_by_hand_cannot_approve_it(tmp_path):
    world = await begun(tmp_path)
    (tmp_path / world.task_id() / "calc.py").write_text("by hand\n")
    await world.do(do.HandBack(gate=world.gate().id, by=OTHER))
    await world.until(GateOpened, 2)
    with pytest.raises(NotAllowed):
        await answer(world, OTHER)
    await answer(world, "person:eve")
    await accepted(world)


async def test_the_authors_are_known_after_a_crash(tmp_path):
    world = await begun(tmp_path)
    await world.crash()
    with pytest.raises(NotAllowed):
        await answer(world, ME)


async def test_a_change_of_the_plan_names_who_made_it_as_the_author_of_what_it_adds(tmp_path):
    world = await begun(tmp_path)
    added = do.AddTasks(session=world.session, tasks=(task("T002"),))
    await world.do(do.ChangePlan(session=world.session, changes=(added,), said="One more.", by=OTHER))
    assert [event.by for event in world.events(TaskAdded)] == [ME, OTHER]


@pytest.mark.parametrize(("by", "config"), [(ME, {"other_approver": False}), ("", {})])
async def test_without_the_rule_or_without_a_known_author_anybody_may(tmp_path, by, config):
    world = await begun(tmp_path, by=by, **config)
    await answer(world, ME)
    await accepted(world)
