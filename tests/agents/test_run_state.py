"""When a run is over and when a silence is too long."""

import pytest

from obra_tui.agents.run_state import BASH_DEFAULT_S, BASH_MARGIN_S, OWED_GRACE_S, STATELESS_GRACE_S, STUCK_S, RunState
from obra_tui.core.model import Usage
from tests.agents.taking_in import take_in

WAIT = 30.0


def state(name):
    return {"type": "system", "subtype": "session_state_changed", "state": name}


def tasks(*kinds):
    listed = [{"task_id": f"t{place}", "task_type": kind} for place, kind in enumerate(kinds)]
    return {"type": "system", "subtype": "background_tasks_changed", "tasks": listed}


def result(*uuids, **more):
    return {"type": "result", "num_turns": 1, "session_id": "s", "user_message_uuids": list(uuids), **more}


def bash(**given):
    call = {"type": "tool_use", "id": "t", "name": "Bash", "input": given}
    return {"type": "assistant", "message": {"content": [call]}}


TOOL_DONE = {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t"}]}}


@pytest.fixture
def state_of_run():
    state_of_run = RunState(began=0.0)
    state_of_run.sent("u1")
    return state_of_run


def feed(state_of_run, *frames, at=1.0):
    for frame in frames:
        take_in(frame, state_of_run, None, at)


def test_a_run_is_over_when_it_is_idle_after_its_result(state_of_run):
    feed(state_of_run, state("running"), result("u1"))
    assert not state_of_run.over(1.0, WAIT)
    feed(state_of_run, state("idle"))
    assert state_of_run.over(1.0, WAIT)


def test_idle_before_the_result_counts_too(state_of_run):
    feed(state_of_run, state("running"), state("idle"), result("u1"))
    assert state_of_run.over(1.0, WAIT)


def test_idle_without_a_result_is_no_end(state_of_run):
    feed(state_of_run, state("idle"))
    assert not state_of_run.over(99.0, WAIT)


def test_text_that_was_sent_meanwhile_owes_an_answer(state_of_run):
    state_of_run.sent("u2")
    feed(state_of_run, result("u1"), state("idle"))
    assert not state_of_run.over(1.0, WAIT)
    assert state_of_run.over(1.0 + OWED_GRACE_S, WAIT)
    state_of_run.sent("u3")
    assert not state_of_run.over(99.0, WAIT)


def test_one_result_may_answer_two_texts(state_of_run):
    state_of_run.sent("u2")
    feed(state_of_run, result("u1", "u2"), state("idle"))
    assert state_of_run.over(1.0, WAIT)


def test_a_subagent_in_the_background_is_waited_for_without_limit(state_of_run):
    feed(state_of_run, tasks("local_agent"), result("u1"), state("idle"))
    assert not state_of_run.over(9999.0, WAIT)
    feed(state_of_run, tasks(), at=2.0)
    assert state_of_run.over(2.0, WAIT)


def test_a_command_in_the_background_is_waited_for_a_while(state_of_run):
    feed(state_of_run, tasks("local_bash"), result("u1"), state("idle"))
    assert not state_of_run.over(WAIT, WAIT)
    assert state_of_run.over(1.0 + WAIT, WAIT)


def test_a_program_without_states_is_over_a_moment_after_its_result(state_of_run):
    feed(state_of_run, result("u1"))
    assert not state_of_run.over(1.0, WAIT)
    assert state_of_run.over(1.0 + STATELESS_GRACE_S, WAIT)


def test_a_program_that_claims_to_run_for_ever_is_not_believed(state_of_run):
    feed(state_of_run, state("running"), result("u1"))
    assert not state_of_run.over(STUCK_S, WAIT)
    assert state_of_run.over(1.0 + STUCK_S, WAIT)


def test_silence_is_measured_from_the_last_frame(state_of_run):
    feed(state_of_run, state("running"), at=5.0)
    assert state_of_run.silence_ends(10.0) == 15.0


def test_a_command_may_be_silent_within_its_limit(state_of_run):
    feed(state_of_run, bash(command="x"))
    assert state_of_run.silence_ends(10.0) == 1.0 + BASH_DEFAULT_S + BASH_MARGIN_S + 10.0
    feed(state_of_run, bash(command="x", timeout=600_000))
    assert state_of_run.silence_ends(10.0) == 1.0 + 600.0 + BASH_MARGIN_S + 10.0
    feed(state_of_run, TOOL_DONE, at=3.0)
    assert state_of_run.silence_ends(10.0) == 13.0


def test_an_announced_retry_is_no_silence(state_of_run):
    feed(state_of_run, {"type": "system", "subtype": "api_retry", "retry_delay_ms": 39_000})
    assert state_of_run.silence_ends(10.0) == 1.0 + 39.0 + 10.0


def test_tokens_of_messages_that_no_result_counted_are_known(state_of_run):
    started = {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 10, "output_tokens": 1}}}
    feed(state_of_run, {"type": "stream_event", "event": started})
    assert state_of_run.unreported() == Usage(input_tokens=10, output_tokens=1)
    delta = {"type": "message_delta", "usage": {"input_tokens": 10, "output_tokens": 7}}
    feed(state_of_run, {"type": "stream_event", "event": delta})
    assert state_of_run.unreported() == Usage(input_tokens=10, output_tokens=7)
    feed(state_of_run, result("u1"))
    assert state_of_run.unreported() == Usage()


def test_a_lifted_limit_is_no_limit(state_of_run):
    def limit(status):
        return {"type": "rate_limit_event", "rate_limit_info": {"status": status, "resetsAt": 9}}

    feed(state_of_run, limit("rejected"))
    assert (state_of_run.rejected, state_of_run.rejected_until) == (True, 9.0)
    feed(state_of_run, limit("allowed"))
    assert (state_of_run.rejected, state_of_run.rejected_until) == (False, None)
