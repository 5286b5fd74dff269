"""When a run is over and when a silence is too long."""

import pytest

from obra_tui.agents.run_state import BASH_DEFAULT_S, BASH_MARGIN_S, OWED_GRACE_S, STATELESS_GRACE_S, STUCK_S, Course
from obra_tui.core.model import Usage

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
def course():
    course = Course(began=0.0)
    course.sent("u1")
    return course


def feed(course, *frames, at=1.0):
    for frame in frames:
        course.note(frame, at)


def test_a_run_is_over_when_it_is_idle_after_its_result(course):
    feed(course, state("running"), result("u1"))
    assert not course.over(1.0, WAIT)
    feed(course, state("idle"))
    assert course.over(1.0, WAIT)


def test_idle_before_the_result_counts_too(course):
    feed(course, state("running"), state("idle"), result("u1"))
    assert course.over(1.0, WAIT)


def test_idle_without_a_result_is_no_end(course):
    feed(course, state("idle"))
    assert not course.over(99.0, WAIT)


def test_text_that_was_sent_meanwhile_owes_an_answer(course):
    course.sent("u2")
    feed(course, result("u1"), state("idle"))
    assert not course.over(1.0, WAIT)
    assert course.over(1.0 + OWED_GRACE_S, WAIT)
    course.sent("u3")
    assert not course.over(99.0, WAIT)


def test_one_result_may_answer_two_texts(course):
    course.sent("u2")
    feed(course, result("u1", "u2"), state("idle"))
    assert course.over(1.0, WAIT)


def test_a_subagent_in_the_background_is_waited_for_without_limit(course):
    feed(course, tasks("local_agent"), result("u1"), state("idle"))
    assert not course.over(9999.0, WAIT)
    feed(course, tasks(), at=2.0)
    assert course.over(2.0, WAIT)


def test_a_command_in_the_background_is_waited_for_a_while(course):
    feed(course, tasks("local_bash"), result("u1"), state("idle"))
    assert not course.over(WAIT, WAIT)
    assert course.over(1.0 + WAIT, WAIT)


def test_a_program_without_states_is_over_a_moment_after_its_result(course):
    feed(course, result("u1"))
    assert not course.over(1.0, WAIT)
    assert course.over(1.0 + STATELESS_GRACE_S, WAIT)


def test_a_program_that_claims_to_run_for_ever_is_not_believed(course):
    feed(course, state("running"), result("u1"))
    assert not course.over(STUCK_S, WAIT)
    assert course.over(1.0 + STUCK_S, WAIT)


def test_silence_is_measured_from_the_last_frame(course):
    feed(course, state("running"), at=5.0)
    assert course.silence_ends(10.0) == 15.0


def test_a_command_may_be_silent_within_its_limit(course):
    feed(course, bash(command="x"))
    assert course.silence_ends(10.0) == 1.0 + BASH_DEFAULT_S + BASH_MARGIN_S + 10.0
    feed(course, bash(command="x", timeout=600_000))
    assert course.silence_ends(10.0) == 1.0 + 600.0 + BASH_MARGIN_S + 10.0
    feed(course, TOOL_DONE, at=3.0)
    assert course.silence_ends(10.0) == 13.0


def test_an_announced_retry_is_no_silence(course):
    feed(course, {"type": "system", "subtype": "api_retry", "retry_delay_ms": 39_000})
    assert course.silence_ends(10.0) == 1.0 + 39.0 + 10.0


def test_tokens_of_messages_that_no_result_counted_are_known(course):
    started = {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 10, "output_tokens": 1}}}
    feed(course, {"type": "stream_event", "event": started})
    assert course.unreported() == Usage(input_tokens=10, output_tokens=1)
    delta = {"type": "message_delta", "usage": {"input_tokens": 10, "output_tokens": 7}}
    feed(course, {"type": "stream_event", "event": delta})
    assert course.unreported() == Usage(input_tokens=10, output_tokens=7)
    feed(course, result("u1"))
    assert course.unreported() == Usage()


def test_a_lifted_limit_is_no_limit(course):
    def limit(status):
        return {"type": "rate_limit_event", "rate_limit_info": {"status": status, "resetsAt": 9}}

    feed(course, limit("rejected"))
    assert (course.rejected, course.rejected_until) == (True, 9.0)
    feed(course, limit("allowed"))
    assert (course.rejected, course.rejected_until) == (False, None)
