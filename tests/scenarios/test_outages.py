"""Nothing can be written: everything stands still, and goes on without hands when it can be again."""

import asyncio

import pytest
from msgspec.structs import replace

from obra_tui.core import commands as do
from obra_tui.core.errors import DiskFull, GateDecided, OwnerChanged, PlanError, SessionOpenError, StoreAway, Unwritable
from obra_tui.core.events import (
    AttemptStarted,
    DecisionMade,
    ProblemCleared,
    ProblemRaised,
    SessionClosed,
    TaskAdded,
    TaskMoved,
)
from obra_tui.core.gate import GateRules
from obra_tui.core.lifecycle import State
from obra_tui.core.model import ConversationReason, Policy, SessionKind
from obra_tui.core.ports import StoredAfterAll
from obra_tui.engine.outage import LOOK_EVERY_S, LOOK_SOON_S, RIDE_OUT_S
from tests.fakes.implementer import Play
from tests.scenarios.world import ME, WRITES, World, task

AUTONOMOUS = GateRules(policy=Policy.AUTONOMOUS)
HOLDS = Play(writes={"calc.py": "x\n"}, holds=True)
FULL = DiskFull("The disk is full.", fix="Free at least 16 MB.")


@pytest.fixture
async def world(tmp_path):
    """A run in the middle of its first attempt."""
    world = World(tmp_path, plays=(HOLDS, WRITES), rules=AUTONOMOUS)
    await world.run()
    await world.until(AttemptStarted)
    return world


async def all_ended(world):
    """The jobs were ended and have left."""
    for run in world.orchestrator._runs.values():
        if run.busy:
            await asyncio.wait(tuple(run._jobs.values()))
    await asyncio.sleep(0)


async def look_again(world):
    """Let the time pass after which it is looked again."""
    await world.clock.until_asleep()
    world.clock.advance(LOOK_EVERY_S)


@pytest.mark.fault(35)
async def test_what_was_stopped_for_want_of_space_goes_on_by_itself_when_there_is_space(world):
    world.journal.full = True
    await world.orchestrator.space_ran_out()
    assert world.problems() == ["disk"]
    assert world.state() is State.INTERRUPTED
    await look_again(world)
    await world.clock.until_asleep()
    assert world.orchestrator.is_running(world.session) is False
    world.journal.full = False
    await look_again(world)
    await world.finished()
    assert world.state() is State.ACCEPTED
    assert world.events(ProblemCleared)[-1].code == "disk"
    assert world.events(AttemptStarted)[-1].reason is ConversationReason.RESUME


@pytest.mark.fault(35)
async def test_no_end_of_the_run_is_told_while_it_waits_for_space(world):
    world.journal.full = True
    await world.orchestrator.space_ran_out()
    assert [record.event.type for record in world.told][-1] == "task_moved"


@pytest.mark.fault(35)
async def test_what_a_person_stops_while_it_waits_for_space_stays_stopped(world):
    world.journal.full = True
    await world.orchestrator.space_ran_out()
    await world.do(do.StopRun(session=world.session, mode="now", by=ME))
    await world.finished()
    world.journal.full = False
    await look_again(world)
    await world.until(ProblemCleared)
    assert world.state() is State.INTERRUPTED


@pytest.mark.fault(35)
async def test_nothing_can_be_written_at_all_and_then_it_can_again(world):
    heard = []
    world.orchestrator.watch_store(heard.append)
    world.journal.broken = FULL
    with pytest.raises(DiskFull):
        await world.do(do.Pause(session=world.session, by=ME))
    assert heard == [FULL]
    assert world.orchestrator.store_error is FULL
    await all_ended(world)
    world.journal.broken = None
    await look_again(world)
    await world.finished()
    assert heard == [FULL, None]
    assert world.state() is State.ACCEPTED
    assert ("interrupted", "The disk is full: everything was stopped; what was stored is safe.") in world.reasons()


@pytest.mark.fault(35)
async def test_it_may_fill_up_again_and_again(world):
    world.implementer.plays = [HOLDS, HOLDS, HOLDS, WRITES]
    for attempt in (2, 3):
        world.journal.broken = FULL
        with pytest.raises(DiskFull):
            await world.do(do.Pause(session=world.session, by=ME))
        await all_ended(world)
        world.journal.broken = None
        await look_again(world)
        await world.until(AttemptStarted, attempt)
    world.implementer.go_on.set()
    await world.finished()
    assert world.state() is State.ACCEPTED


@pytest.mark.fault(35)
async def test_an_answer_whose_time_ran_out_while_nothing_could_be_written_is_carried_out_afterwards(tmp_path):
    world = World(tmp_path, plays=(WRITES,), undo_s=10.0)
    await world.run()
    await world.finished()
    await world.approve()
    world.journal.broken = FULL
    await world.clock.until_asleep()
    world.clock.advance(10)
    with pytest.raises(DiskFull):
        await world.do(do.Pause(session=world.session, by=ME))
    world.journal.broken = None
    await look_again(world)
    await world.until(lambda event: isinstance(event, TaskMoved) and event.after is State.ACCEPTED)


@pytest.mark.fault(37)
@pytest.mark.fault(13)
@pytest.mark.parametrize("error", [Unwritable("The disk could not be read or written."), OwnerChanged("Taken over.")])
async def test_a_fault_that_does_not_pass_leaves_only_reading(world, error):
    world.journal.broken = error
    with pytest.raises(Unwritable):
        await world.do(do.Pause(session=world.session, by=ME))
    await all_ended(world)
    assert world.orchestrator.store_error is error
    assert world.clock.slept == []
    with pytest.raises(Unwritable):
        await world.do(do.AddTasks(session=world.session, tasks=(task("T002"),)))
    assert world.implementer.stops >= 1
    world.journal.broken = None
    await world.crash()
    assert world.state() is State.INTERRUPTED


@pytest.mark.fault(35)
async def test_no_task_is_called_a_failure_because_nothing_could_be_written(tmp_path):
    """The journal fails exactly when the end of the attempt is written, and works again for the next word."""
    world = World(tmp_path, plays=(WRITES, WRITES), rules=AUTONOMOUS)
    append = world.journal.append

    def fail_once(records):
        if any(record.event.type == "verdict_reached" for record in records):
            world.journal.append = append
            raise FULL
        append(records)

    world.journal.append = fail_once
    await world.run()
    await look_again(world)
    await world.finished()
    assert world.state() is State.ACCEPTED
    assert "internal" not in world.problems()
    assert world.events(ProblemRaised) == []


@pytest.mark.fault(35)
@pytest.mark.parametrize("kind", ["run_finished", "session_closed"])
async def test_the_end_of_a_run_that_could_not_be_told_is_told_when_it_can(tmp_path, kind):
    world = World(tmp_path, plays=(WRITES,), rules=AUTONOMOUS)
    append = world.journal.append

    def fail_once(records):
        if any(record.event.type == kind for record in records):
            world.journal.append = append
            raise FULL
        append(records)

    world.journal.append = fail_once
    await world.run()
    await look_again(world)
    await world.until(SessionClosed)


@pytest.mark.fault(35)
async def test_what_is_still_being_stopped_when_there_is_space_again_goes_on_too(world):
    """Its end takes longer than the want of space."""
    (conversation,) = world.implementer._running.values()
    stop, may_end = conversation.stop, asyncio.Event()

    async def slow_stop():
        await may_end.wait()
        await stop()

    conversation.stop = slow_stop
    world.journal.broken = FULL
    with pytest.raises(DiskFull):
        await world.do(do.Pause(session=world.session, by=ME))
    world.journal.broken = None
    await look_again(world)
    await asyncio.sleep(0)
    may_end.set()
    await world.finished()
    assert world.state() is State.ACCEPTED


@pytest.mark.fault(35)
async def test_a_new_start_does_not_go_on_saying_that_the_disk_is_full(world):
    world.journal.full = True
    await world.orchestrator.space_ran_out()
    await world.crash()
    assert [event.code for event in world.journal.events(world.session) if isinstance(event, ProblemCleared)] == [
        "disk"
    ]
    await world.crash()
    assert len([event for event in world.journal.events(world.session) if isinstance(event, ProblemCleared)]) == 1
    assert world.state() is State.INTERRUPTED


# --- the answer to a step is lost, and the step is stored ---------------------------------------------


def loses(world, kind):
    """The answer to the first step with an event of this type is lost."""
    world.journal.lose_answer = lambda records: any(record.event.type == kind for record in records)


async def goes_on_until(world, wanted, *, step=LOOK_EVERY_S):
    """Let time pass, whoever waits for it, until there is such an event or it is so."""
    async with asyncio.timeout(20):
        while not (world.events(wanted) if isinstance(wanted, type) else wanted()):
            if world.clock._sleepers:
                world.clock.advance(step)
            await asyncio.sleep(0)


def can_write(world):
    return lambda: world.orchestrator.store_error is None


def told_and_stored(world):
    """Everything that is stored was told, once and in order."""
    told = [record for record in world.told if record.session == world.session]
    stored = list(world.journal.records[world.session])
    assert [(record.seq, record.event) for record in told] == [(record.seq, record.event) for record in stored]
    return True


@pytest.mark.fault(44)
async def test_a_pause_whose_answer_was_lost_is_a_pause_and_resuming_goes_on(world):
    loses(world, "paused")
    with pytest.raises(StoreAway):
        await world.do(do.Pause(session=world.session, by=ME))
    await goes_on_until(world, ProblemCleared)
    assert world.work().paused
    assert world.orchestrator.store_error is None
    await world.do(do.Resume(session=world.session, by=ME))
    world.implementer.go_on.set()
    await world.finished()
    assert world.state() is State.ACCEPTED
    assert told_and_stored(world)


@pytest.mark.fault(44)
async def test_an_approval_whose_answer_was_lost_is_carried_out_and_told_to_who_approves_again(tmp_path):
    world = World(tmp_path, plays=(WRITES,))
    await world.run()
    await world.finished()
    gate = world.gate()
    loses(world, "decision_made")
    with pytest.raises(StoreAway):
        await world.approve(gate=gate)
    await goes_on_until(world, can_write(world))
    with pytest.raises((StoredAfterAll, GateDecided)):
        await world.approve(gate=gate)
    await goes_on_until(world, SessionClosed)
    assert world.state() is State.ACCEPTED
    assert len(world.events(DecisionMade)) == 1
    assert told_and_stored(world)


@pytest.mark.fault(44)
async def test_a_session_whose_opening_was_given_up_is_there_once_it_is_known(tmp_path):
    world = World(tmp_path, plays=(WRITES,))
    world.boot()
    loses(world, "session_opened")
    opening = do.OpenSession(kind=SessionKind.MILESTONE, title="Plan")
    with pytest.raises(StoreAway):
        await world.do(opening)
    assert world.orchestrator.open_sessions() == ()
    await goes_on_until(world, can_write(world))
    with pytest.raises(StoredAfterAll):
        await world.do(opening)
    ((session, _),) = world.orchestrator.open_sessions()
    assert list(world.journal.records) == [session]


@pytest.mark.fault(44)
@pytest.mark.parametrize("kind", [SessionKind.MILESTONE, SessionKind.STANDALONE])
async def test_who_asks_again_for_a_session_that_was_stored_after_all_gets_that_one(tmp_path, kind):
    world = World(tmp_path, plays=(WRITES,))
    loses(world, "session_opened")
    opening = do.OpenSession(kind=kind, title="Plan")
    with pytest.raises(StoreAway):
        await world.do(opening)
    await goes_on_until(world, can_write(world))
    with pytest.raises(StoredAfterAll):
        await world.do(opening)
    session = await world.do(opening)
    assert list(world.journal.records) == [session]
    await world.do(do.AddTasks(session=session, tasks=(task(),)))
    if kind is SessionKind.MILESTONE:
        with pytest.raises(SessionOpenError):
            await world.do(opening)
    else:
        assert await world.do(opening) != session, "work that has begun is nobody else's"


@pytest.mark.fault(44)
async def test_tasks_that_were_stored_after_all_are_not_added_again(tmp_path):
    world = World(tmp_path, plays=(WRITES,))
    session = await world.do(do.OpenSession(kind=SessionKind.MILESTONE, title="Plan"))
    adding = do.AddTasks(session=session, tasks=(task(), task("T002", depends_on=("T001",))))
    loses(world, "task_added")
    with pytest.raises(StoreAway):
        await world.do(adding)
    await goes_on_until(world, can_write(world))
    with pytest.raises(StoredAfterAll):
        await world.do(adding)
    assert await world.do(adding) == tuple(item.id for item in adding.tasks)
    stored = [record.event for record in world.journal.records[session]]
    assert [event.spec.key for event in stored if isinstance(event, TaskAdded)] == ["T001", "T002"]
    with pytest.raises(PlanError, match="there twice"):
        await world.do(do.AddTasks(session=session, tasks=(task(),)))


@pytest.mark.fault(44)
async def test_a_plan_whose_start_was_cut_short_is_begun_in_the_session_that_is_there(tmp_path):
    world = World(tmp_path, plays=(WRITES,))
    opening = do.OpenSession(kind=SessionKind.MILESTONE, title="Plan", plan_source="/project/tasks.md")
    session = await world.do(opening)
    await world.crash()
    assert await world.do(opening) == session
    with pytest.raises(SessionOpenError, match="still open"):
        await world.do(do.OpenSession(kind=SessionKind.MILESTONE, title="Plan", plan_source="/project/other.md"))
    world.config = replace(world.config, rules=AUTONOMOUS)  # what was asked for by other rules is another session
    await world.crash()
    with pytest.raises(SessionOpenError, match="still open"):
        await world.do(opening)


@pytest.mark.fault(44)
@pytest.mark.parametrize(
    "kind",
    [
        "run_started", "copy_prepared", "attempt_started", "prompt_sent", "claude_ended", "diff_taken",
        "checks_planned", "check_finished", "verdict_reached", "gate_judged", "work_accepted", "run_finished",
        "session_closed", "text_streamed",
    ],
)  # fmt: skip
async def test_whatever_step_loses_its_answer_the_work_goes_on_without_hands_and_nothing_is_told_twice(tmp_path, kind):
    world = World(tmp_path, plays=(WRITES,) * 3, rules=AUTONOMOUS)
    loses(world, kind)
    try:
        await world.run()
    except StoreAway:
        assert kind == "run_started"
    await goes_on_until(world, SessionClosed)
    assert world.state() is State.ACCEPTED
    assert told_and_stored(world)
    assert "internal" not in world.problems()


# --- a server that has just gone ----------------------------------------------------------------------

AWAY = StoreAway("The database server cannot be reached.")


@pytest.mark.fault(44)
async def test_a_server_that_is_soon_back_is_waited_for_and_what_runs_is_left_alone(world):
    heard = []
    world.orchestrator.watch_store(heard.append)
    world.journal.broken = AWAY
    with pytest.raises(StoreAway):
        await world.do(do.Pause(session=world.session, by=ME))
    await goes_on_until(world, lambda: world.clock.slept.count(LOOK_SOON_S) > 3, step=LOOK_SOON_S)
    assert heard == [AWAY]
    assert world.implementer.stops == 0
    world.journal.broken = None
    await goes_on_until(world, ProblemCleared, step=LOOK_SOON_S)
    assert heard == [AWAY, None]
    world.implementer.go_on.set()
    await world.finished()
    assert world.state() is State.ACCEPTED
    assert len(world.events(AttemptStarted)) == 1
    assert told_and_stored(world)


@pytest.mark.fault(44)
async def test_what_has_something_to_record_meanwhile_stands_still_and_is_taken_up(world):
    world.journal.broken = AWAY
    with pytest.raises(StoreAway):
        await world.do(do.Pause(session=world.session, by=ME))
    world.implementer.go_on.set()
    await all_ended(world)
    world.journal.broken = None
    await goes_on_until(world, ProblemCleared, step=LOOK_SOON_S)
    await world.finished()
    assert world.state() is State.ACCEPTED
    assert told_and_stored(world)


@pytest.mark.fault(44)
async def test_a_server_that_stays_away_ends_what_runs(world):
    world.journal.broken = AWAY
    with pytest.raises(StoreAway):
        await world.do(do.Pause(session=world.session, by=ME))
    await goes_on_until(world, lambda: world.implementer.stops, step=RIDE_OUT_S)
    await all_ended(world)
    world.journal.broken = None
    await goes_on_until(world, ProblemCleared)
    await world.finished()
    assert world.state() is State.ACCEPTED


@pytest.mark.fault(44)
@pytest.mark.parametrize("away_for", [LOOK_SOON_S, RIDE_OUT_S])
async def test_a_stop_that_a_person_asked_for_stays_one_when_the_server_is_back(tmp_path, away_for):
    world = World(tmp_path, plays=(HOLDS, WRITES), rules=AUTONOMOUS)
    await world.run(task("T001"), task("T002"))
    await world.until(AttemptStarted)
    await world.do(do.StopRun(session=world.session, mode="after_stage", by=ME))
    world.journal.broken = AWAY
    with pytest.raises(StoreAway):
        await world.do(do.Pause(session=world.session, by=ME))
    await goes_on_until(world, lambda: away_for in world.clock.slept or world.implementer.stops, step=away_for)
    world.journal.broken = None
    await goes_on_until(world, ProblemCleared)
    world.implementer.go_on.set()
    await world.finished()
    assert world.state("T001") is State.INTERRUPTED
    assert world.state("T002") is State.QUEUED
    assert len(world.events(AttemptStarted)) == 1


@pytest.mark.fault(44)
async def test_while_the_server_is_away_nobody_waits_for_its_answer(world):
    world.journal.broken = AWAY
    with pytest.raises(StoreAway):
        await world.do(do.Pause(session=world.session, by=ME))
    world.journal.append = None  # it is not asked at all
    with pytest.raises(StoreAway):
        await world.do(do.Pause(session=world.session, by=ME))


@pytest.mark.fault(45)
async def test_when_the_right_to_write_is_lost_what_runs_is_ended_at_once(world):
    world.orchestrator.right_lost(AWAY)
    assert world.orchestrator.store_error is AWAY
    await all_ended(world)
    assert world.implementer.stops
