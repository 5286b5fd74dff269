"""A person who changes the work themselves: their change is measured like everybody's, and Claude is not asked."""

import pytest

from obra_tui.core import commands as do
from obra_tui.core.errors import UnknownId
from obra_tui.core.events import AttemptStarted, GateOpened, TaskMoved, WorkHandedBack
from obra_tui.core.lifecycle import State
from tests.scenarios.world import ME, World, play


@pytest.fixture
async def waiting(tmp_path):
    world = World(tmp_path, plays=(play("one\n"), play("two\n")))
    await world.run()
    await world.finished()
    return world


async def test_a_change_by_hand_is_checked_and_judged_as_an_attempt_without_claude(waiting, tmp_path):
    gate = waiting.gate()
    (tmp_path / waiting.task_id() / "calc.py").write_text("by hand\n")
    assert await waiting.do(do.HandBack(gate=gate.id, by=ME)) is True
    await waiting.until(GateOpened, 2)
    assert len(waiting.implementer.requests) == 1
    assert len(waiting.checks.ran) == 4, "two checks for each attempt"
    assert waiting.events(AttemptStarted)[-1].number == 2
    assert waiting.work().by_key()["T001"].counted == 1
    assert [event.by for event in waiting.events(WorkHandedBack)] == [ME]
    with pytest.raises(UnknownId):
        await waiting.approve(gate=gate)
    await waiting.approve()
    await waiting.until(lambda e: isinstance(e, TaskMoved) and e.after is State.ACCEPTED)
    assert waiting.workspace.branch_files(waiting.session)["calc.py"] == "by hand\n"


async def test_looking_without_changing_anything_leaves_the_gate_as_it_was(waiting):
    gate = waiting.gate()
    assert await waiting.do(do.HandBack(gate=gate.id, by=ME)) is False
    assert waiting.gate() == gate


async def test_after_a_crash_the_change_by_hand_is_still_the_persons(waiting, tmp_path):
    (tmp_path / waiting.task_id() / "calc.py").write_text("by hand\n")
    await waiting.do(do.Pause(session=waiting.session, by=ME))
    await waiting.do(do.HandBack(gate=waiting.gate().id, by=ME))
    await waiting.crash()
    await waiting.do(do.Resume(session=waiting.session, by=ME))
    await waiting.until(GateOpened, 3)  # the first is told again after the crash
    assert len(waiting.implementer.requests) == 1
