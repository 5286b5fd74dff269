"""Work that fits on other accepted work line by line: the two together are new, and are checked before they count."""

import asyncio

from obra_tui.core import commands as do
from obra_tui.core.events import AttemptStarted, CheckFinished, DecisionMade, GateJudged, GateOpened, WorkMerged
from obra_tui.core.gate import GateRules
from obra_tui.core.lifecycle import State
from obra_tui.core.model import DecisionKind, GateDecision, Policy
from tests.fakes.checks import TESTS, broken, failed, passed
from tests.fakes.implementer import Play
from tests.scenarios.world import ME, World, task

PLAYS = (Play(writes={"mine.py": "mine\n"}), Play(writes={"mine.py": "mended\n"}))


async def until(world, state):
    """Wait for the first task to be in this state; it is told by the events that came before."""
    async with asyncio.timeout(5):
        while world.state() is not state:
            await asyncio.sleep(0)


async def approved_while_the_branch_moved(tmp_path, *, passes=True, approval="", **config):
    """A task that waits for a person, a branch that moves, and then the approval."""
    world = World(tmp_path, plays=PLAYS, **config)
    await world.run()
    await world.finished()
    world.workspace.commit_on_branch(world.session, {"theirs.py": "theirs\n"})
    world.checks.ran.clear()
    if not passes:
        world.checks.script(failed(TESTS, "test_mine.py::test_both"), passed(TESTS))
    await world.approve(approval, override=bool(approval))
    return world


async def test_the_merged_tree_is_checked_before_it_is_taken_in(tmp_path):
    world = await approved_while_the_branch_moved(tmp_path)
    await until(world, State.ACCEPTED)
    assert [name for name, _ in world.checks.ran] == ["compile", "pytest"]
    order = [type(e) for e in world.events((WorkMerged, CheckFinished, DecisionMade))]
    assert order[-4:] == [DecisionMade, WorkMerged, CheckFinished, CheckFinished]
    assert world.workspace.branch_files(world.session) == {
        "README.md": "# Project\n", "mine.py": "mine\n", "theirs.py": "theirs\n",
    }  # fmt: skip
    work = world.work().by_key()["T001"]
    assert work.diff.base_commit == world.events(WorkMerged)[0].tip, "what was taken in is what was checked"
    assert len(world.prompts()) == 1


async def test_a_merged_tree_that_fails_goes_back_to_claude_with_the_output_and_is_judged_again(tmp_path):
    world = await approved_while_the_branch_moved(tmp_path, passes=False)
    tip = await world.workspace.tip(world.session)
    await world.until(GateOpened, 2)
    assert await world.workspace.tip(world.session) == tip, "nothing was taken in"
    again = world.prompts()[-1]
    assert "does not work together with other accepted work" in again
    assert "test_mine.py::test_both" in again and "1 failed" in again
    judged = world.events(GateJudged)[1]
    assert (judged.outcome.decision, judged.quality.passes_gate) == (GateDecision.RETRY, False)
    assert "Together with other accepted work" in judged.outcome.reasons[0]
    assert world.events(AttemptStarted)[-1].number == 2
    work = world.work().by_key()["T001"]
    assert [change.path for change in work.diff.files] == ["mine.py"], "the next attempt stands on what was accepted"
    await world.approve()
    await until(world, State.ACCEPTED)
    assert world.workspace.branch_files(world.session)["mine.py"] == "mended\n"


async def test_without_an_attempt_left_the_person_is_asked_and_the_failing_tree_needs_a_reason(tmp_path):
    world = await approved_while_the_branch_moved(tmp_path, passes=False, rules=GateRules(max_attempts=1))
    await until(world, State.AWAITING_HUMAN)
    assert len(world.prompts()) == 1
    gate = world.gate()
    assert "Together with other accepted work" in gate.reasons[0]
    assert gate.binding.tree == world.work().by_key()["T001"].diff.tree
    quality = world.work().by_key()["T001"].quality
    assert not quality.passes_gate
    await world.approve("I mend it by hand.", override=True)
    await until(world, State.ACCEPTED)
    assert set(world.workspace.branch_files(world.session)) == {"README.md", "mine.py", "theirs.py"}


async def test_under_the_manual_policy_the_person_decides_about_a_merged_tree_that_fails(tmp_path):
    world = await approved_while_the_branch_moved(tmp_path, passes=False, rules=GateRules(policy=Policy.MANUAL))
    await until(world, State.AWAITING_HUMAN)
    await world.decide(DecisionKind.CHANGES, "Call theirs.")
    await world.until(GateOpened, 3)
    assert "Call theirs." in world.prompts()[-1] and "test_mine.py::test_both" in world.prompts()[-1]


async def test_a_merge_that_no_check_can_prove_is_shown_to_the_person(tmp_path):
    world = World(tmp_path, plays=PLAYS)
    world.checks.specs = ()
    await world.run()
    await world.finished()
    world.workspace.commit_on_branch(world.session, {"theirs.py": "theirs\n"})
    await world.approve("It is a text.", override=True)
    await until(world, State.AWAITING_HUMAN)
    assert "no check could tell" in world.gate().reasons[0]


async def test_a_check_that_failed_when_the_work_was_approved_does_not_hold_the_merge_up(tmp_path):
    world = World(tmp_path, plays=PLAYS, rules=GateRules(max_attempts=1))
    world.checks.script(broken(TESTS))
    await world.run()
    await world.finished()
    world.workspace.commit_on_branch(world.session, {"theirs.py": "theirs\n"})
    await world.approve("pytest is not there today.", override=True)
    await until(world, State.ACCEPTED)


async def test_a_crash_while_the_merged_tree_is_checked_never_lets_it_in_unchecked(tmp_path):
    world = World(tmp_path, plays=PLAYS)
    await world.run()
    await world.finished()
    world.workspace.commit_on_branch(world.session, {"theirs.py": "theirs\n"})
    world.checks.running.clear()
    world.checks.hold()
    await world.approve()
    await world.checks.running.wait()
    await world.crash()
    world.checks.ran.clear()
    world.checks.script(failed(TESTS))
    world.checks.release()
    await until(world, State.QUEUED)
    assert [name for name, _ in world.checks.ran] == ["compile", "pytest"]
    assert "mine.py" not in world.workspace.branch_files(world.session)
    await world.do(do.Resume(session=world.session, by=ME))
    await world.until(lambda e: isinstance(e, AttemptStarted) and e.number == 2)


async def test_a_branch_that_moves_again_while_the_merged_tree_is_checked_is_merged_and_checked_again(tmp_path):
    world = World(tmp_path, plays=PLAYS)
    await world.run()
    await world.finished()
    world.workspace.commit_on_branch(world.session, {"one.py": "1\n"})
    world.checks.running.clear()
    world.checks.hold()
    await world.approve()
    await world.checks.running.wait()
    world.workspace.commit_on_branch(world.session, {"two.py": "2\n"})
    world.checks.release()
    await until(world, State.ACCEPTED)
    assert len(world.events(WorkMerged)) == 2
    assert set(world.workspace.branch_files(world.session)) == {"README.md", "mine.py", "one.py", "two.py"}


async def test_work_that_is_approved_at_the_same_time_is_merged_and_checked_once_each(tmp_path):
    plays = tuple(Play(writes={f"{name}.py": f"{name}\n"}) for name in "abcd")
    world = World(tmp_path, plays=plays, rules=GateRules(policy=Policy.MANUAL), jobs=4)
    await world.run(*(task(f"T00{number}") for number in range(1, 5)))
    await world.finished()
    world.workspace.commit_on_branch(world.session, {"theirs.py": "theirs\n"})
    world.checks.hold()
    world.checks.running.clear()
    for gate in world.journal.open_gates():
        await world.decide(DecisionKind.APPROVE, gate=gate)
    await world.checks.running.wait()
    world.checks.release()
    await world.finished(2)
    assert set(world.workspace.branch_files(world.session)) == {
        "README.md",
        "theirs.py",
        "a.py",
        "b.py",
        "c.py",
        "d.py",
    }
    merged = [record.task for record in world.told if isinstance(record.event, WorkMerged)]
    assert len(merged) == len(set(merged)) == 4
