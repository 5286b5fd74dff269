"""Pause, stop, cancel, faults of Claude Code, limits, and coming back after a crash."""

import asyncio

import pytest
from msgspec import structs

from obra_tui.core import commands as do
from obra_tui.core.errors import (
    NotAllowed,
    PlanError,
    SessionClosedError,
    SessionOpenError,
    StoreError,
    UnknownId,
    WorkspaceError,
)
from obra_tui.core.events import (
    AttemptStarted,
    ClaudeEnded,
    PermissionAnswered,
    PermissionAsked,
    ProblemCleared,
    ProblemRaised,
    SteerQueued,
    TaskMoved,
    WorkAccepted,
)
from obra_tui.core.gate import GateRules
from obra_tui.core.ids import QuestionId, SessionId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import (
    ConversationReason,
    Outcome,
    PermissionAnswer,
    PermissionKind,
    PermissionQuestion,
    PermissionVerdict,
    Policy,
    Remedy,
    SessionKind,
)
from obra_tui.engine.prompts import CONTINUE
from tests.fakes.checks import TESTS, failed, passed
from tests.fakes.implementer import Play
from tests.scenarios.world import ME, WRITES, World, play, task

AUTONOMOUS = GateRules(policy=Policy.AUTONOMOUS)
HOLDS = Play(writes={"calc.py": "x\n"}, holds=True)


def moved_to(state):
    return lambda event: isinstance(event, TaskMoved) and event.after is state


async def test_a_pause_lets_the_stage_end_and_starts_no_other(tmp_path):
    world = World(tmp_path, plays=(HOLDS,), rules=AUTONOMOUS)
    await world.run()
    await world.until(AttemptStarted)
    await world.do(do.Pause(session=world.session, by=ME))
    world.implementer.go_on.set()
    await world.until(moved_to(State.CHECKING))
    assert world.checks.ran == []
    await world.do(do.Resume(session=world.session, by=ME))
    await world.finished()
    assert world.state() is State.ACCEPTED


async def test_stop_now_ends_claude_keeps_the_work_and_resume_continues_the_conversation(tmp_path):
    world = World(tmp_path, plays=(HOLDS, WRITES), rules=AUTONOMOUS)
    await world.run()
    await world.until(AttemptStarted)
    await world.do(do.StopRun(session=world.session, mode="now", by=ME))
    assert world.state() is State.INTERRUPTED
    assert world.implementer.stops >= 1
    assert world.events(ClaudeEnded)[-1].result.outcome is Outcome.KILLED
    await world.do(do.Resume(session=world.session, by=ME))
    await world.finished(2)
    assert world.state() is State.ACCEPTED
    first, second = world.events(AttemptStarted)
    assert second.claude_session == first.claude_session
    assert second.reason is ConversationReason.RESUME


async def test_what_was_interrupted_goes_on_in_a_fork_when_asked_for(tmp_path):
    world = World(tmp_path, plays=(HOLDS, play("unclear\n"), WRITES), rules=AUTONOMOUS)
    await world.run()
    await world.until(AttemptStarted)
    await world.do(do.StopRun(session=world.session, mode="now", by=ME))
    await world.do(do.Resume(session=world.session, by=ME, fork=True))
    await world.finished(2)
    first, second, *later = world.events(AttemptStarted)
    request = world.implementer.requests[1]
    assert (second.reason, request.reason) == (ConversationReason.FORK, ConversationReason.FORK)
    assert second.claude_session == request.claude_session != first.claude_session
    assert request.parent == first.claude_session
    assert request.prompt == CONTINUE
    assert world.implementer.histories[first.claude_session] == (world.implementer.prompts[0],)
    assert {start.claude_session for start in later} <= {second.claude_session}


async def test_work_that_was_being_looked_at_is_forked_when_it_goes_back_to_claude_and_once(tmp_path):
    world = World(tmp_path, plays=(play("x\n"), play("y\n"), WRITES), rules=AUTONOMOUS)
    world.checks.script(failed(TESTS, "test_a", "test_b"), failed(TESTS, "test_a"), passed())
    world.checks.hold()
    await world.run()
    await world.until(moved_to(State.CHECKING))
    await world.do(do.StopRun(session=world.session, mode="now", by=ME))
    world.checks.release()
    await world.do(do.Resume(session=world.session, by=ME, fork=True))
    await world.finished(2)
    first, second, third = world.implementer.requests
    assert [r.reason.value for r in (first, second, third)] == ["first", "fork", "resume"]
    assert (second.parent, third.parent) == (first.claude_session, None)
    assert third.claude_session == second.claude_session != first.claude_session
    assert world.state() is State.ACCEPTED


async def test_a_fork_that_is_lost_is_begun_afresh_with_the_whole_task(tmp_path):
    lost = Play(outcome=Outcome.RESUME_BROKEN, detail="No conversation found")
    world = World(tmp_path, plays=(HOLDS, lost, WRITES), rules=AUTONOMOUS)
    await world.run()
    await world.until(AttemptStarted)
    await world.do(do.StopRun(session=world.session, mode="now", by=ME))
    await world.do(do.Resume(session=world.session, by=ME, fork=True))
    await world.finished(2)
    reasons = [request.reason for request in world.implementer.requests]
    assert reasons == [ConversationReason.FIRST, ConversationReason.FORK, ConversationReason.FRESH]
    last = world.implementer.requests[-1]
    assert (last.parent, "Do T001." in last.prompt) == (None, True)
    assert world.state() is State.ACCEPTED


async def test_stop_after_the_stage_waits_for_it(tmp_path):
    world = World(tmp_path, plays=(HOLDS,))
    await world.run()
    await world.until(AttemptStarted)
    await world.do(do.StopRun(session=world.session, mode="after_stage", by=ME))
    assert world.state() is State.IMPLEMENTING
    world.implementer.go_on.set()
    await world.finished()
    assert world.state() is State.INTERRUPTED
    assert world.checks.ran == []


async def test_a_stop_while_a_check_runs_cancels_the_check(tmp_path):
    world = World(tmp_path)
    world.checks.hold()
    await world.run()
    await world.until(moved_to(State.CHECKING))
    await asyncio.wait_for(world.checks.running.wait(), 5)
    await world.do(do.StopRun(session=world.session, mode="now", by=ME))
    assert world.checks.cancelled == ["compile"]
    assert world.state() is State.INTERRUPTED


async def test_a_stop_while_the_judge_reads_cancels_the_review(tmp_path):
    world = World(tmp_path)
    world.judge.hold()
    await world.run()
    await world.until(moved_to(State.JUDGING))
    await asyncio.wait_for(world.judge.asked.wait(), 5)
    await world.do(do.StopRun(session=world.session, mode="now", by=ME))
    assert world.judge.cancelled == 1
    assert world.state() is State.INTERRUPTED


async def test_a_cancelled_task_is_final_and_the_next_one_goes_on(tmp_path):
    world = World(tmp_path, plays=(HOLDS, WRITES), rules=AUTONOMOUS)
    await world.run(task("T001"), task("T002"))
    await world.until(AttemptStarted)
    await world.do(do.CancelTask(task=world.task_id(), by=ME))
    assert world.state() is State.CANCELLED
    await world.finished()
    assert world.state("T002") is State.ACCEPTED


async def test_interrupting_claude_keeps_the_conversation_for_the_next_text(tmp_path):
    world = World(tmp_path, plays=(HOLDS, WRITES), rules=AUTONOMOUS)
    await world.run()
    await world.until(AttemptStarted)
    await world.do(do.InterruptClaude(task=world.task_id(), by=ME))
    await world.until(moved_to(State.INTERRUPTED))
    await world.finished()
    await world.do(do.SendText(task=world.task_id(), text="Use addition.", by=ME))
    await world.finished(2)
    assert world.prompts()[1] == "Use addition."
    assert world.implementer.requests[1].claude_session == world.implementer.requests[0].claude_session


async def test_there_is_nothing_to_interrupt_between_turns(tmp_path):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    with pytest.raises(NotAllowed):
        await world.do(do.InterruptClaude(task=world.task_id(), by=ME))


async def test_text_reaches_the_running_turn(tmp_path):
    world = World(tmp_path, plays=(HOLDS,))
    await world.run()
    await world.until(AttemptStarted)
    assert await world.do(do.SendText(task=world.task_id(), text="Be brief.", by=ME)) is True
    assert world.implementer.sent == ["Be brief."]
    assert world.events(SteerQueued)[0].delivered
    world.implementer.go_on.set()
    await world.finished()


async def test_text_between_turns_waits_for_the_next_prompt(tmp_path):
    world = World(tmp_path, plays=(play("one\n"), play("two\n")))
    await world.run()
    await world.finished()
    assert await world.do(do.SendText(task=world.task_id(), text="Also sort.", by=ME)) is False
    from obra_tui.core.model import DecisionKind

    await world.decide(DecisionKind.CHANGES, "Rename it.")
    await world.finished(2)
    assert "Also sort." in world.prompts()[1]
    assert "Rename it." in world.prompts()[1]


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(Outcome.AUTH, "auth"), (Outcome.REFUSED, "unreachable")],
)
async def test_a_login_or_network_fault_costs_no_attempt_and_starts_nothing_else(tmp_path, outcome, code):
    plays = (Play(outcome=outcome, detail="Not logged in."), play("one\n"), play("two\n"))
    world = World(tmp_path, plays=plays, rules=AUTONOMOUS)
    await world.run(task("T001"), task("T002"))
    await world.finished()
    assert world.state() is State.INTERRUPTED
    assert world.state("T002") is State.QUEUED
    assert world.problems() == [code]
    assert world.work().by_key()["T001"].counted == 0
    await world.do(do.Resume(session=world.session, by=ME))
    done = await world.finished(2)
    assert done.accepted == 2


async def test_a_task_that_the_api_will_not_take_waits_and_the_others_go_on(tmp_path):
    too_long = Play(outcome=Outcome.REFUSED, remedy=Remedy.TASK, detail="Prompt is too long.")
    world = World(tmp_path, plays=(too_long, play("two\n")), rules=AUTONOMOUS)
    await world.run(task("T001"), task("T002"))
    done = await world.finished()
    assert (world.state(), world.state("T002"), done.accepted) == (State.INTERRUPTED, State.ACCEPTED, 1)
    assert world.problems() == []
    (moved,) = [event for event in world.events(TaskMoved) if event.after is State.INTERRUPTED]
    assert moved.reason == "Prompt is too long."


async def test_an_account_that_must_be_put_right_starts_nothing_else(tmp_path):
    refused = Play(outcome=Outcome.REFUSED, remedy=Remedy.PERSON, detail="Credit balance is too low.")
    world = World(tmp_path, plays=(refused, play("two\n")), rules=AUTONOMOUS)
    await world.run(task("T001"), task("T002"))
    await world.finished()
    assert (world.state("T002"), world.problems()) == (State.QUEUED, ["account"])


async def test_a_conversation_that_the_api_refuses_for_good_is_begun_afresh_once_and_never_resumed(tmp_path):
    poisoned = Play(outcome=Outcome.REFUSED, remedy=Remedy.FRESH, detail="no low surrogate in string")
    world = World(tmp_path, plays=(poisoned, poisoned, WRITES), rules=AUTONOMOUS)
    await world.run()
    await world.finished()
    assert [request.reason for request in world.implementer.requests] == [
        ConversationReason.FIRST,
        ConversationReason.FRESH,
    ]
    assert world.implementer.requests[1].prompt.count("Do T001.") == 1
    assert world.state() is State.INTERRUPTED
    await world.do(do.Resume(session=world.session, by=ME))
    await world.finished(2)
    last = world.implementer.requests[2]
    assert last.reason is ConversationReason.FRESH
    assert last.claude_session not in {request.claude_session for request in world.implementer.requests[:2]}
    assert world.state() is State.ACCEPTED


async def test_a_usage_limit_is_waited_for_and_goes_on_by_itself(tmp_path):
    limited = Play(outcome=Outcome.LIMITED, detail="5-hour limit", until=1_700_000_600.0)
    world = World(tmp_path, plays=(limited, WRITES), rules=AUTONOMOUS)
    await world.run()
    problem = await world.until(ProblemRaised)
    assert (problem.code, problem.until) == ("limited", 1_700_000_600.0)
    await world.clock.until_asleep()
    world.clock.advance(600)
    await world.finished()
    assert world.state() is State.ACCEPTED
    assert world.work().by_key()["T001"].counted == 1
    assert world.implementer.requests[1].reason is ConversationReason.RESUME
    assert world.events(ProblemCleared)


async def test_waiting_for_a_limit_ends_when_a_person_says_go_on(tmp_path):
    limited = Play(outcome=Outcome.LIMITED, detail="5-hour limit", until=1_700_003_000.0)
    world = World(tmp_path, plays=(limited, WRITES), rules=AUTONOMOUS)
    await world.run()
    await world.until(ProblemRaised)
    await world.do(do.Resume(session=world.session, by=ME))
    await world.finished()
    assert world.state() is State.ACCEPTED


async def test_a_limit_that_is_too_far_away_stops_the_run(tmp_path):
    limited = Play(outcome=Outcome.LIMITED, detail="weekly limit", until=1_700_900_000.0)
    world = World(tmp_path, plays=(limited,), wait_for_limit_s=60.0)
    await world.run()
    await world.finished()
    assert world.state() is State.INTERRUPTED
    assert world.problems() == ["limited"]


async def test_a_lost_conversation_is_begun_afresh_with_the_whole_task_once(tmp_path):
    lost = Play(outcome=Outcome.RESUME_BROKEN, detail="No conversation found")
    world = World(tmp_path, plays=(HOLDS, lost, WRITES), rules=AUTONOMOUS)
    await world.run()
    await world.until(AttemptStarted)
    await world.do(do.StopRun(session=world.session, mode="now", by=ME))
    await world.do(do.Resume(session=world.session, by=ME))
    await world.finished(2)
    last = world.implementer.requests[-1]
    assert last.reason is ConversationReason.FRESH
    assert last.claude_session != world.implementer.requests[0].claude_session
    assert "Do T001." in last.prompt
    assert world.state() is State.ACCEPTED


async def test_a_broken_transport_is_resumed_once_and_then_given_to_the_person(tmp_path):
    broken = Play(outcome=Outcome.TRANSPORT_BROKEN, detail="Claude Code ended without a result.")
    world = World(tmp_path, plays=(broken, broken, WRITES))
    await world.run()
    await world.finished()
    assert world.state() is State.INTERRUPTED
    assert len(world.implementer.requests) == 2
    assert world.problems() == ["unreachable"]


async def test_a_copy_that_cannot_be_made_is_a_problem_with_its_words_and_nothing_is_lost(tmp_path):
    world = World(tmp_path, rules=AUTONOMOUS)
    world.workspace.fail("prepare", WorkspaceError("`npm ci` failed with exit code 1.", fix="Correct workspace.setup."))
    await world.run()
    await world.finished()
    assert world.state() is State.QUEUED
    (problem,) = world.events(ProblemRaised)
    assert "npm ci" in problem.text
    await world.do(do.Resume(session=world.session, by=ME))
    done = await world.finished(2)
    assert done.accepted == 1


# --- permission questions ---

QUESTION = PermissionQuestion(
    id=QuestionId("q1"), kind=PermissionKind.TOOL, tool="Bash", title="git push", detail="git push"
)


async def test_a_question_waits_for_its_answer(tmp_path):
    world = World(tmp_path, plays=(Play(asks=(QUESTION,), writes={"calc.py": "x\n"}),), rules=AUTONOMOUS)
    await world.run()
    await world.until(PermissionAsked)
    answer = PermissionAnswer(verdict=PermissionVerdict.ONCE, by=ME)
    await world.do(do.AnswerPermission(question=QUESTION.id, answer=answer))
    await world.finished()
    assert world.implementer.answers == [answer]
    assert world.state() is State.ACCEPTED
    with pytest.raises(UnknownId):
        await world.do(do.AnswerPermission(question=QUESTION.id, answer=answer))


async def test_a_question_is_denied_at_once_when_nobody_is_there(tmp_path):
    world = World(tmp_path, plays=(Play(asks=(QUESTION,)), WRITES), attended=False)
    await world.run()
    await world.finished()
    (answer,) = world.implementer.answers[:1]
    assert (answer.verdict, answer.by) == (PermissionVerdict.DENY, "unattended")


async def test_a_plan_that_nobody_can_read_is_carried_out(tmp_path):
    plan = structs.replace(QUESTION, kind=PermissionKind.PLAN)
    world = World(tmp_path, plays=(Play(asks=(plan,)), WRITES), attended=False)
    await world.run()
    await world.finished()
    (answer,) = world.implementer.answers[:1]
    assert (answer.verdict, answer.by) == (PermissionVerdict.ONCE, "unattended")


async def test_stopping_withdraws_an_open_question(tmp_path):
    world = World(tmp_path, plays=(Play(asks=(QUESTION,)),))
    await world.run()
    await world.until(PermissionAsked)
    await world.do(do.StopRun(session=world.session, mode="now", by=ME))
    (answered,) = world.events(PermissionAnswered)
    assert answered.answer.verdict is PermissionVerdict.DENY
    assert world.state() is State.INTERRUPTED


# --- sessions ---


async def test_a_second_milestone_session_is_refused_while_one_is_open(tmp_path):
    world = World(tmp_path)
    await world.run()
    with pytest.raises(SessionOpenError, match=world.session):
        await world.do(do.OpenSession(kind=SessionKind.MILESTONE, title="Another"))
    await world.finished()


async def test_a_standalone_session_closes_itself(tmp_path):
    world = World(tmp_path, rules=AUTONOMOUS)
    await world.run(kind=SessionKind.STANDALONE)
    await world.finished()
    assert world.closed()
    with pytest.raises(SessionClosedError):
        await world.do(do.AddTasks(session=world.session, tasks=(task("T002"),)))


async def test_an_unknown_session_is_an_error_that_says_where_to_look(tmp_path):
    world = World(tmp_path)
    with pytest.raises(UnknownId, match="obra history"):
        await world.do(do.StartRun(session=SessionId("s-none")))


@pytest.mark.parametrize(
    "tasks",
    [(task("A"), task("A")), (task("A", depends_on=("B",)),)],
    ids=["double key", "unknown dependency"],
)
async def test_wrong_tasks_are_refused_as_a_whole(tmp_path, tasks):
    world = World(tmp_path)
    session = await world.do(do.OpenSession(kind=SessionKind.MILESTONE, title="x"))
    with pytest.raises(PlanError):
        await world.do(do.AddTasks(session=session, tasks=(task("OK"), *tasks)))
    assert world.work(session).tasks == {}


async def test_a_journal_that_cannot_be_written_stops_the_work(tmp_path):
    world = World(tmp_path, plays=(HOLDS,))
    await world.run()
    await world.until(AttemptStarted)
    world.journal.fail_next = StoreError("The disk is full.")
    with pytest.raises(StoreError):
        await world.do(do.Pause(session=world.session, by=ME))
    assert not world.work().paused


# --- after a crash ---


async def test_work_found_half_way_is_interrupted_and_can_be_taken_up_again(tmp_path):
    world = World(tmp_path, plays=(HOLDS, WRITES), rules=AUTONOMOUS)
    await world.run()
    await world.until(AttemptStarted)
    await world.crash()
    assert world.state() is State.INTERRUPTED
    await world.do(do.Resume(session=world.session, by=ME))
    await world.finished()
    assert world.state() is State.ACCEPTED
    second = world.implementer.requests[-1]
    assert (
        second.reason is ConversationReason.FIRST
        or second.claude_session == world.implementer.requests[0].claude_session
    )


async def test_an_acceptance_found_half_way_is_finished_once(tmp_path):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    gate = world.gate()
    diff = world.work().by_key()["T001"].diff
    attempt = world.work().by_key()["T001"].attempt
    await world.workspace.accept(world.session, attempt, diff, "the commit is there")
    await world.approve(gate=gate)
    await world.crash()
    await world.until(WorkAccepted)
    assert world.state() is State.ACCEPTED
    assert len(set(world.workspace._accepted[world.session].values())) == 1


async def test_an_open_gate_is_still_open_after_a_restart(tmp_path):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    gate = world.gate()
    await world.crash()
    await world.approve(gate=gate)
    await world.until(WorkAccepted)
    assert world.state() is State.ACCEPTED


async def test_sessions_of_another_project_are_left_alone(tmp_path):
    world = World(tmp_path, plays=(HOLDS,))
    await world.run()
    await world.until(AttemptStarted)
    from msgspec.structs import replace

    world.config = replace(world.config, project="/another")
    await world.crash()
    with pytest.raises(UnknownId):
        await world.do(do.Resume(session=world.session, by=ME))


async def test_work_found_while_it_was_checked_is_checked_again_and_claude_is_not_asked_again(tmp_path):
    world = World(tmp_path, rules=AUTONOMOUS)
    world.checks.hold()
    await world.run()
    await world.until(moved_to(State.CHECKING))
    await asyncio.wait_for(world.checks.running.wait(), 5)
    await world.crash()
    assert world.state() is State.INTERRUPTED
    world.checks.release()
    await world.do(do.Resume(session=world.session, by=ME))
    await world.finished()
    assert world.state() is State.ACCEPTED
    assert len(world.implementer.requests) == 1
    assert world.work().by_key()["T001"].counted == 1


async def test_work_found_while_it_was_judged_is_looked_at_again_unless_the_person_said_something(tmp_path):
    world = World(tmp_path, plays=(WRITES, WRITES), rules=AUTONOMOUS)
    world.judge.hold()
    await world.run()
    await world.until(moved_to(State.JUDGING))
    await asyncio.wait_for(world.judge.asked.wait(), 5)
    await world.crash()
    world.judge.release()
    await world.do(do.SendText(task=world.task_id(), text="Sort them, too.", by=ME))
    await world.finished()
    assert world.prompts()[-1] == "Sort them, too."
    assert len(world.implementer.requests) == 2
