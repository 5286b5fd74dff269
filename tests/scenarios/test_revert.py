"""Accepted work is taken back by a commit of its own, also when its session is closed."""

import pytest

from obra_tui.core import commands as do
from obra_tui.core.errors import BranchMoved, NotAllowed, UnknownId
from obra_tui.core.events import WorkAccepted, WorkReverted
from obra_tui.core.ids import SessionId
from obra_tui.core.lifecycle import State
from tests.scenarios.world import ME, World, play


@pytest.fixture
async def accepted(tmp_path):
    world = World(tmp_path, plays=(play("one\n"), play("two\n")))
    await world.run()
    await world.finished()
    await world.approve()
    await world.until(WorkAccepted)
    return world


async def revert(world, note="It was the wrong way.", **fields):
    wanted = {"session": world.session, "by": ME, "note": note} | fields
    wanted.setdefault("task", world.task_id() if "task" not in fields else "")
    return await world.do(do.RevertWork(**wanted))


async def test_a_reversal_is_one_commit_and_one_event_and_the_task_stays_accepted(accepted):
    world = accepted
    (taken,) = world.events(WorkAccepted)
    commit = await revert(world)
    (event,) = world.events(WorkReverted)
    assert (event.reversal.commit, event.reversal.reverted) == (commit, taken.acceptance.commit)
    assert (event.by, event.note) == (ME, "It was the wrong way.")
    assert "calc.py" not in world.workspace.branch_files(world.session)
    assert world.state() is State.ACCEPTED
    assert "It was the wrong way." in world.workspace.called("revert")[0][3]


async def test_a_closed_session_can_be_reverted_by_another_process(accepted):
    world = accepted
    assert world.closed()
    task = world.task_id()
    await world.crash()
    with pytest.raises(UnknownId):
        await revert(world, task=task, session=SessionId("s-gone"))
    await revert(world, task=task)
    assert len(world.events(WorkReverted)) == 1


async def test_a_reversal_needs_a_reason_and_happens_once(accepted):
    world = accepted
    with pytest.raises(NotAllowed, match="needs a reason"):
        await revert(world, " ")
    await revert(world)
    with pytest.raises(NotAllowed, match="taken back already"):
        await revert(world)
    assert len(world.events(WorkReverted)) == 1


async def test_work_that_was_built_on_stays_and_the_refusal_says_why(accepted):
    world = accepted
    world.workspace.commit_on_branch(world.session, {"calc.py": "later\n"})
    with pytest.raises(BranchMoved, match=r"later work changed calc\.py"):
        await revert(world)
    assert world.events(WorkReverted) == []


async def test_what_was_never_accepted_cannot_be_reverted(tmp_path):
    world = World(tmp_path, plays=(play("one\n"),))
    await world.run()
    await world.finished()
    with pytest.raises(NotAllowed, match="was not taken in"):
        await revert(world)
