"""Frames as the program sends them, shortened, and what becomes of them."""

import json

from obra_tui.agents.translate import MAX_OUTPUT, Translation
from obra_tui.core.events import (
    ClaudeActivity,
    ClaudeNoticed,
    ClaudeStarted,
    LimitReported,
    RetryScheduled,
    TextDropped,
    TextFinished,
    TextStreamed,
    ThinkingStreamed,
    ToolFinished,
    ToolStarted,
    UsageReported,
)
from obra_tui.core.model import Usage
from tests.agents.taking_in import take_in

CWD = "/copies/t1"


def stream(**event):
    return {"type": "stream_event", "event": event, "parent_tool_use_id": None}


def begins(message):
    return stream(type="message_start", message={"id": message, "usage": {"input_tokens": 3, "output_tokens": 1}})


def opens(index, kind="text"):
    return stream(type="content_block_start", index=index, content_block={"type": kind})


def piece(index, text):
    return stream(type="content_block_delta", index=index, delta={"type": "text_delta", "text": text})


def whole(message, *blocks, **more):
    return {"type": "assistant", "message": {"id": message, "model": "m", "content": list(blocks)}, **more}


def text(said):
    return {"type": "text", "text": said}


def call(ident, name, **given):
    return {"type": "tool_use", "id": ident, "name": name, "input": given}


def answer(ident, content, twin=None, **more):
    block = {"type": "tool_result", "tool_use_id": ident, "content": content, **more}
    return {"type": "user", "message": {"role": "user", "content": [block]}, "tool_use_result": twin}


def read(*frames, translation=None):
    translation = translation or Translation(CWD, pid=7)
    return [event for now, frame in enumerate(frames) for event in take_in(frame, None, translation, float(now))]


def test_streamed_text_and_its_end_have_the_same_block():
    events = read(begins("m1"), opens(0), piece(0, "Hel"), piece(0, "lo"), whole("m1", text("Hello")))
    assert events == [
        TextStreamed(block="m1:0", text="Hel"), TextStreamed(block="m1:0", text="lo"),
        TextFinished(block="m1:0", text="Hello")]  # fmt: skip


def test_two_blocks_of_one_message_are_told_apart():
    events = read(
        begins("m1"), opens(0), piece(0, "One"), whole("m1", text("One")), stream(type="content_block_stop", index=0),
        opens(2), piece(2, "Two"), whole("m1", text("Two")))  # fmt: skip
    assert [event.block for event in events if isinstance(event, TextFinished)] == ["m1:0", "m1:2"]


def test_text_that_was_never_streamed_is_finished_too():
    events = read(whole("m1", text("A")), whole("m1", text("B")))
    assert [(event.block, event.text) for event in events] == [("m1:whole1", "A"), ("m1:whole2", "B")]


def test_a_new_message_drops_what_the_broken_one_did_not_finish():
    events = read(
        begins("m1"), opens(0), piece(0, "Done."), whole("m1", text("Done.")), opens(1), piece(1, "And th"),
        begins("m2"), opens(0), piece(0, "And then"), whole("m2", text("And then")))  # fmt: skip
    assert [event for event in events if isinstance(event, TextDropped)] == [TextDropped(block="m1:1")]
    assert [event.block for event in events if isinstance(event, TextFinished)] == ["m1:0", "m2:0"]


def test_text_cut_short_by_the_end_of_the_run_stays():
    translation = Translation(CWD)
    read(begins("m1"), opens(0), piece(0, "Half a sen"), translation=translation)
    assert translation.close() == [TextFinished(block="m1:0", text="Half a sen")]
    assert translation.close() == []


def test_thinking_is_streamed():
    delta = {"type": "thinking_delta", "thinking": "Hm."}
    assert read(begins("m1"), stream(type="content_block_delta", index=0, delta=delta)) == [
        ThinkingStreamed(block="m1:0", text="Hm.")]  # fmt: skip


def test_a_tool_has_a_title_relative_to_the_copy():
    events = read(whole("m", call("t", "Edit", file_path=f"{CWD}/src/a.py", old_string="x", new_string="y")))
    started = events[0]
    assert isinstance(started, ToolStarted)
    assert (started.call, started.tool, started.title, started.parent) == ("t", "Edit", "src/a.py", "")
    assert json.loads(started.input_json)["new_string"] == "y"


def test_an_edit_ends_with_a_patch_and_its_counts():
    hunk = {"oldStart": 1, "oldLines": 2, "newStart": 1, "newLines": 3, "lines": [" a", "-b", "+c", "+--- d"]}
    twin = {"filePath": f"{CWD}/a.py", "structuredPatch": [hunk], "originalFile": "a\nb\n"}
    events = read(whole("m", call("t", "Edit", file_path=f"{CWD}/a.py")), answer("t", "updated", twin))
    assert events[1] == ToolFinished(
        call="t", is_error=False, output="updated", added=2, removed=1, duration_s=1.0,
        patch="--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,3 @@\n a\n-b\n+c\n+--- d\n")  # fmt: skip


def test_a_new_file_ends_with_a_patch_from_nothing():
    twin = {"type": "create", "filePath": f"{CWD}/n.py", "content": "one\ntwo\n", "structuredPatch": []}
    finished = read(answer("t", "created", twin))[0]
    assert finished.patch == "--- /dev/null\n+++ b/n.py\n@@ -0,0 +1,2 @@\n+one\n+two\n"
    assert (finished.added, finished.removed) == (2, 0)


def test_output_is_bounded_in_the_middle_and_says_so():
    long = "a" * MAX_OUTPUT + "the end"
    output = read(answer("t", long))[0].output
    assert len(output) < MAX_OUTPUT + 100
    assert "left out" in output and output.endswith("the end")


def test_the_program_keeps_more_output_than_it_shows_the_model():
    finished = read(answer("t", "preview", {"stdout": "all of it, every line", "stderr": ""}))[0]
    assert finished.output == "all of it, every line"


def test_a_failed_tool_is_an_error_without_the_markup():
    finished = read(answer("t", "<tool_use_error>No such file</tool_use_error>", "Error: no", is_error=True))[0]
    assert (finished.is_error, finished.output) == (True, "No such file")


def test_tools_of_a_subagent_name_their_parent_and_its_words_are_not_ours():
    frame = whole("m", text("I look."), call("t2", "Bash", command="ls"), parent_tool_use_id="t1")
    prompt = {"type": "user", "parent_tool_use_id": "t1", "message": {"content": [text("Look around")]}}
    events = read(prompt, frame)
    assert [(type(event), event.parent) for event in events] == [(ToolStarted, "t1")]


def test_a_long_input_is_shortened_but_stays_json():
    started = read(whole("m", call("t", "Write", file_path="a", content="x" * 300_000)))[0]
    assert len(started.input_json) < 100_000
    assert "left out" in json.loads(started.input_json)["content"]


def test_the_program_reports_itself():
    frame = {"type": "system", "subtype": "init", "session_id": "s", "model": "m", "claude_code_version": "2.1",
             "permissionMode": "default", "cwd": CWD}  # fmt: skip
    started = ClaudeStarted(claude_session="s", model="m", version="2.1", pid=7, permission_mode="default", cwd=CWD)
    assert read(frame) == [started]


def test_activity_is_told_when_it_changes():
    def state(name):
        return {"type": "system", "subtype": "session_state_changed", "state": name}

    compacting = {"type": "system", "subtype": "status", "status": "compacting"}
    requesting = {"type": "system", "subtype": "status", "status": "requesting"}
    before = (state("running"), state("running"), requesting)
    events = read(*before, compacting, state("running"), state("idle"), state("?"))
    assert [event.state for event in events] == ["running", "compacting", "running", "idle"]
    assert all(isinstance(event, ClaudeActivity) for event in events)


def test_a_retry_is_told_with_its_delay():
    frame = {"type": "system", "subtype": "api_retry", "attempt": 1, "max_retries": 10, "retry_delay_ms": 578,
             "error_status": None, "error": "unknown"}  # fmt: skip
    assert read(frame) == [RetryScheduled(attempt=1, max_retries=10, delay_s=0.578, status=None, error="unknown")]


def test_a_limit_is_reported():
    info = {"status": "rejected", "resetsAt": 1700000000, "rateLimitType": "five_hour"}
    assert read({"type": "rate_limit_event", "rate_limit_info": info}) == [
        LimitReported(status="rejected", window="five_hour", resets_at=1700000000.0, utilization=None)]  # fmt: skip


def test_usage_is_the_difference_per_model_and_not_the_total():
    def model(tokens, cost):
        return {"inputTokens": tokens, "outputTokens": 1, "costUSD": cost}

    frame = {"type": "result", "num_turns": 2, "total_cost_usd": 9.0, "modelUsage": {"big": model(900, 9.0)},
             "model_usage_since_last_result": {"big": model(10, 0.5), "small": model(3, 0.1)}}  # fmt: skip
    assert read(frame) == [
        UsageReported(model="big", usage=Usage(input_tokens=10, output_tokens=1, cost_usd=0.5, turns=2)),
        UsageReported(model="small", usage=Usage(input_tokens=3, output_tokens=1, cost_usd=0.1))]  # fmt: skip


def test_usage_without_a_difference_has_tokens_and_no_cost():
    frame = {"type": "result", "num_turns": 1, "total_cost_usd": 3.0, "usage": {"input_tokens": 5, "output_tokens": 2}}
    assert read(frame) == [UsageReported(usage=Usage(input_tokens=5, output_tokens=2, turns=1))]


def test_an_api_error_is_a_notice_and_no_text_of_claude():
    frame = whole("m", text("API Error: 500"), error="server_error")
    assert read(frame) == [ClaudeNoticed(level="error", text="API Error: 500")]


def test_a_denied_tool_is_noticed():
    frame = {"type": "system", "subtype": "permission_denied", "tool_name": "Bash", "message": "nobody to ask"}
    assert read(frame) == [ClaudeNoticed(level="warning", text="Bash was denied: nobody to ask")]


def test_the_programs_word_of_an_interruption_is_noticed():
    frame = {"type": "user", "message": {"role": "user", "content": [text("[Request interrupted by user]")]}}
    assert read(frame) == [ClaudeNoticed(level="info", text="[Request interrupted by user]")]


def test_an_unknown_frame_is_told_once_and_raw():
    translation = Translation(CWD)
    first = read({"type": "hologram", "x": 1}, {"type": "hologram", "x": 2}, translation=translation)
    assert [event.raw_json for event in first] == ['{"type": "hologram", "x": 1}']


def test_frames_of_any_shape_are_no_fault():
    odd = [{}, {"type": None}, {"type": 5}, {"type": "assistant"}, {"type": "assistant", "message": "x"},
           {"type": "user", "message": {"content": 5}}, {"type": "user"}, {"type": "stream_event", "event": []},
           {"type": "system"}, {"type": "result", "model_usage_since_last_result": []}, {"type": "rate_limit_event"},
           {"type": "assistant", "message": {"content": [5, None, {"type": "tool_use"}]}},
           answer("t", [{"type": "image"}], {"structuredPatch": [5]}), answer("t", None, 5)]  # fmt: skip
    read(*odd)
