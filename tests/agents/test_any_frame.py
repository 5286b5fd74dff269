"""Whatever a future program sends, reading it is no fault: any JSON under the names that we look at."""

from hypothesis import given, settings
from hypothesis import strategies as st

from obra_tui.agents.outcome import Ending, classify
from obra_tui.agents.path_policy import PathPolicy
from obra_tui.agents.policy import Rules, rule_on
from obra_tui.agents.questions import plan_question, text_question, tool_question
from obra_tui.agents.run_state import RunState
from obra_tui.agents.translate import Translation
from tests.agents.taking_in import take_in

TYPES = ("stream_event", "assistant", "user", "system", "result", "rate_limit_event", "tool_use", "tool_result",
         "text", "message_start", "message_delta", "content_block_start", "content_block_delta", "text_delta",
         "create")  # fmt: skip
SUBTYPES = ("init", "session_state_changed", "status", "api_retry", "permission_denied", "background_tasks_changed",
            "task_started", "notification")  # fmt: skip
NAMES = ("type", "subtype", "event", "message", "content", "id", "name", "input", "delta", "text", "thinking", "index",
         "content_block", "usage", "tool_use_id", "tool_use_result", "structuredPatch", "lines", "filePath", "stdout",
         "state", "tasks", "task_id", "retry_delay_ms", "attempt", "error_status", "num_turns", "user_message_uuids",
         "model_usage_since_last_result", "inputTokens", "costUSD", "rate_limit_info", "status", "resetsAt", "result",
         "is_error", "terminal_reason", "api_error_status", "errors", "parent_tool_use_id", "session_id", "questions",
         "question", "options", "label", "todos", "file_path", "command", "pattern", "url", "timeout", "plan",
         "old_string", "new_string", "description", "multiSelect", "input_tokens")  # fmt: skip
TOOLS = ("Bash", "Edit", "Write", "Read", "Glob", "Grep", "TodoWrite", "Task", "AskUserQuestion", "WebFetch", "other")

words = st.text(max_size=8) | st.sampled_from(TYPES + SUBTYPES + TOOLS)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | words
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)
frames = st.builds(
    lambda body, kind, sub: {**body, "type": kind, "subtype": sub},
    objects,
    st.sampled_from(TYPES),
    st.sampled_from(SUBTYPES),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(frames, max_size=4))
def test_any_frame_can_be_read(sequence):
    translation, state = Translation("/copy"), RunState(began=0.0)
    for now, frame in enumerate(sequence):
        take_in(frame, state, translation, float(now))
    state.over(99.0, 1.0)
    state.silence_ends(1.0)
    state.unreported()
    translation.close()


@settings(max_examples=100, deadline=None)
@given(objects)
def test_any_result_can_be_classified(result):
    assert classify(Ending(result=result)).detail


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TOOLS), objects)
def test_any_call_can_be_ruled_on_and_asked_about(tool, given_input):
    place = PathPolicy(cwd="/copy", resolve=lambda path: path)
    ruling = rule_on(tool, given_input, place, Rules())
    assert tool_question(tool, given_input, ruling, "/copy").title is not None
    plan_question(given_input)
    text_question(given_input)
