"""Several tasks at the same time: copies of their own, and what happens when two of them meet in one file."""

from obra_tui.core import commands as do
from obra_tui.core.events import AttemptStarted, ConflictFound, GateOpened, TaskMoved
from obra_tui.core.gate import GateRules
from obra_tui.core.lifecycle import State
from obra_tui.core.model import ConversationReason, DecisionKind, Policy
from tests.fakes.implementer import Play
from tests.scenarios.world import World, play, task

AUTONOMOUS = GateRules(policy=Policy.AUTONOMOUS)


def in_file(name, text):
    return Play(writes={name: text})


async def test_independent_tasks_start_side_by_side_and_a_dependent_one_waits(tmp_path):
    plays = (in_file("a.py", "a\n"), in_file("b.py", "b\n"), in_file("c.py", "c\n"))
    world = World(tmp_path, plays=plays, rules=AUTONOMOUS, jobs=2)
    await world.run(task("T001"), task("T002"), task("T003", depends_on=("T001", "T002")))
    done = await world.finished()
    assert done.accepted == 3
    kinds = [(type(r.event), r.task) for r in world.told if isinstance(r.event, AttemptStarted | TaskMoved)]
    second_start = kinds.index((AttemptStarted, world.task_id("T002")))
    first_accepted = next(
        i for i, r in enumerate(world.told) if isinstance(r.event, TaskMoved) and r.event.after is State.ACCEPTED
    )
    assert second_start < first_accepted
    assert sorted(world.workspace.branch_files(world.session)) == ["README.md", "a.py", "b.py", "c.py"]


async def test_the_second_of_two_tasks_that_meet_in_one_file_is_done_again_on_top_of_the_first(tmp_path):
    plays = (
        play("def add(): ...\n"),
        Play(writes={"calc.py": "def sub(): ...\n", "notes.md": "mine\n"}),
        play("def add(): ...\n\ndef sub(): ...\n"),
    )
    world = World(tmp_path, plays=plays, jobs=2)
    await world.run(task("T001"), task("T002"))
    await world.finished()
    gates = {gate.task: gate for gate in world.journal.open_gates()}
    await world.decide(DecisionKind.APPROVE, gate=gates[world.task_id("T001")])
    await world.until(lambda e: isinstance(e, TaskMoved) and e.after is State.ACCEPTED)
    await world.decide(DecisionKind.APPROVE, gate=gates[world.task_id("T002")])
    await world.until(GateOpened, 3)
    (found,) = world.events(ConflictFound)
    assert found.files == ("calc.py",)
    again = world.prompts()[-1]
    assert "- `calc.py`" in again and "+def sub(): ..." in again and "<<<<<<<" not in again
    started = world.events(AttemptStarted)[-1]
    assert (started.number, started.reason) == (2, ConversationReason.RESUME)
    work = world.work().by_key()["T002"]
    assert work.state is State.AWAITING_HUMAN, "what was done again is judged again"
    assert work.diff.base_commit == found.tip
    assert [change.path for change in work.diff.files] == ["calc.py", "notes.md"], "what fitted was carried over"
    await world.decide(DecisionKind.APPROVE)
    await world.until(lambda e: isinstance(e, TaskMoved) and e.after is State.ACCEPTED, 2)
    assert world.workspace.branch_files(world.session)["calc.py"] == "def add(): ...\n\ndef sub(): ...\n"


async def test_a_conflict_that_a_crash_interrupts_is_taken_up_again_with_the_same_words(tmp_path):
    plays = (play("one\n"), play("both\n"))
    world = World(tmp_path, plays=plays)
    await world.run()
    await world.finished()
    world.workspace.commit_on_branch(world.session, {"calc.py": "theirs\n"})
    await world.do(do.Pause(session=world.session, by="person:ada"))
    await world.approve()
    await world.until(ConflictFound)
    await world.crash()
    assert world.state() is State.QUEUED
    await world.do(do.Resume(session=world.session, by="person:ada"))
    await world.until(GateOpened, 3)  # the first is told again after the crash
    assert "other work was accepted first" in world.prompts()[-1]
    assert (await world.workspace.tip(world.session)) == world.work().by_key()["T001"].diff.base_commit
