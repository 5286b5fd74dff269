"""A message is decoded into the same structs whether it has the expected shape or not."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obra_tui.agents.messages import decode_message, message_in
from obra_tui.agents.run_state import RunState
from obra_tui.agents.titles import input_json
from obra_tui.agents.translate import Translation
from obra_tui.agents.transport import parsed
from tests.agents.taking_in import take_in, take_line
from tests.agents.test_any_frame import frames, values


def message(*content, **more):
    return {"id": "m1", "model": "opus", "role": "assistant", "content": [*content], "usage": {"n": 1}, **more}


def assistant(*content, **more):
    return {"type": "assistant", "message": message(*content), "parent_tool_use_id": None, "session_id": "s", **more}


def user(*content, **more):
    return {"type": "user", "message": {"role": "user", "content": [*content]}, "parent_tool_use_id": None, **more}


def streamed(delta, **more):
    return {"type": "stream_event", "event": {"type": "content_block_delta", "index": 1, "delta": delta}, **more}


TEXT = {"type": "text", "text": "I look at it first. é 😀"}
CALL = {"type": "tool_use", "id": "c1", "name": "Bash", "input": {"command": "pytest -q", "timeout": 5000}}
RESULT = {"type": "tool_result", "tool_use_id": "c1", "content": "ok", "is_error": False}
IN_BLOCKS = {"type": "tool_result", "tool_use_id": "c2", "content": [{"type": "text", "text": "ok"}]}
EDITED = {"filePath": "/copy/a.py", "structuredPatch": [{"oldStart": 1, "lines": ["-a", "+b"]}], "stdout": "longer"}

MESSAGES = [
    assistant(TEXT),
    assistant(CALL),
    assistant({"type": "thinking", "thinking": "hm", "signature": "x"}, TEXT, CALL),
    assistant(TEXT, CALL, parent_tool_use_id="c0"),
    assistant(TEXT, error=None),
    user(RESULT),
    user(RESULT, tool_use_result=EDITED),
    user(RESULT, tool_use_result="Error: no"),
    user(IN_BLOCKS, RESULT, tool_use_result=EDITED),
    user({**RESULT, "is_error": True}),
    streamed({"type": "text_delta", "text": "I lo"}),
    streamed({"type": "thinking_delta", "thinking": "hm"}),
    streamed({"type": "thinking_delta", "thinking": ""}),
    streamed({"type": "input_json_delta", "partial_json": "{"}),
    streamed({"type": "signature_delta", "signature": "x"}),
    assistant(TEXT, error="rate_limit"),
    {**assistant(TEXT), "message": message(TEXT, model="<synthetic>")},
    assistant({"type": "server_tool_use", "id": "c3", "name": "WebSearch", "input": {"query": "x"}}),
    user({"type": "text", "text": "said by a hook"}),
    user(RESULT, {"type": "text", "text": "said by a hook"}),
    user({"type": "text", "text": "again"}, isReplay=True),
    {"type": "user", "message": {"content": "said by a hook"}},
    {"type": "stream_event", "event": {"type": "message_start", "message": {"id": "m1", "usage": {}}}},
    {"type": "stream_event", "event": {"type": "content_block_start", "index": 1, "content_block": TEXT}},
    {"type": "stream_event", "event": {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {}}},
    {"type": "stream_event", "event": {"type": "message_stop"}},
]
CONTROL = [
    {"type": "result", "num_turns": 1},
    {"type": "system", "subtype": "session_state_changed", "state": "idle"},
    {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected"}},
    {"type": "hologram"},
]


def read(sequence, *, carefully):
    """Return all events and what is known of the run in the end."""
    translation, state, events = Translation("/copy"), RunState(began=0.0), []
    for now, line in enumerate(sequence):
        if carefully:
            events += take_in(parsed(line), state, translation, now)
        else:
            events += take_line(line, state, translation, now)
    return events, state, translation.close()


def odd(frame):
    """Frames like this one, with anything in the place of one value of it, or without it."""
    if isinstance(frame, dict) and frame:
        name = st.sampled_from(sorted(frame))
        without = name.map(lambda gone: {key: value for key, value in frame.items() if key != gone})
        return without | name.flatmap(lambda key: (odd(frame[key]) | values).map(lambda new: {**frame, key: new}))
    if isinstance(frame, list) and frame:
        return (odd(frame[0]) | values).map(lambda new: [new, *frame[1:]]) | values.map(lambda new: [*frame, new])
    return values


lines = st.one_of(
    st.sampled_from(MESSAGES + CONTROL),
    st.sampled_from(MESSAGES).flatmap(odd),
    st.sampled_from(MESSAGES).flatmap(odd),
    frames,
)


@settings(max_examples=250, deadline=None)
@given(st.lists(lines.map(lambda frame: json.dumps(frame).encode()), max_size=6))
def test_a_line_means_the_same_whether_it_is_decoded_at_once_or_read_with_care(sequence):
    assert repr(read(sequence, carefully=False)) == repr(read(sequence, carefully=True))


@pytest.mark.parametrize("frame", MESSAGES, ids=lambda frame: json.dumps(frame)[9:60])
def test_a_message_of_the_expected_shape_is_decoded_from_its_bytes(frame):
    assert decode_message(json.dumps(frame, ensure_ascii=False).encode()) is not None


@pytest.mark.parametrize("frame", CONTROL, ids=lambda frame: json.dumps(frame)[9:60])
def test_what_is_no_message_stays_an_object(frame):
    assert decode_message(json.dumps(frame).encode()) is None
    assert message_in(frame) is None


def test_what_can_be_read_of_an_odd_message_is_kept():
    read_carefully = message_in(assistant(TEXT, 7, {"type": "hologram"}, {**CALL, "id": None}))
    assert [block.text for block in read_carefully.message.content] == [TEXT["text"]]


@pytest.mark.parametrize("line", [b"", b"\xff", b"not json", b"[1]", b'{"type":"user"', b'{"type":"assistant"}'])
def test_a_line_that_cannot_be_read_is_left_to_those_who_say_so(line):
    assert decode_message(line) is None


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(max_size=6), values, max_size=5))
def test_what_a_call_was_given_is_written_as_python_writes_it(given_input):
    assert input_json(given_input) == json.dumps(given_input, ensure_ascii=False)
