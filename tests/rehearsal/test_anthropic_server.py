"""The Messages API stand-in, asked as Claude Code asks it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from pathlib import Path

import pytest

from obra_tui.rehearsal.anthropic_server import AnthropicServer, Subscription
from obra_tui.rehearsal.faults import Fault, FaultKind
from obra_tui.rehearsal.script import parse_scripts
from tests.rehearsal.speaking import Answer, ask, claude_request, connect, environment, user

REPLY = {
    "think": "Hm.",
    "say": "I write it now, as it was asked.",
    "use": [{"write": "a.py", "content": "x = {cwd}\n"}],
}


def server(*faults: Fault, **options: object) -> AnthropicServer:
    scripts = parse_scripts([{"name": "s", "turns": [{"replies": [REPLY]}]}], Path())
    return AnthropicServer(scripts, pace=0, faults=faults, **options)  # type: ignore[arg-type]


def say(claude: AnthropicServer, *, stream: bool = True, text: str = "go") -> Answer:
    body = claude_request(user(text), environment("/the/repo"), stream=stream)
    return ask(claude, "/v1/messages?beta=true", body, {"x-claude-code-session-id": "s1"})


def test_a_streamed_message_and_a_plain_one_say_the_same() -> None:
    with server() as claude:
        plain = say(claude, stream=False).json()
        events = say(claude).events
    blocks = {}
    for event in events:
        if event["type"] == "content_block_start":
            blocks[event["index"]] = ""
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            blocks[event["index"]] += delta.get("text") or delta.get("partial_json") or delta.get("thinking") or ""
    thinking, text, tool = plain["content"]
    assert blocks == {0: thinking["thinking"], 1: text["text"], 2: blocks[2]}
    assert json.loads(blocks[2]) == tool["input"] == {"file_path": "/the/repo/a.py", "content": "x = {cwd}\n"}
    assert thinking["signature"]
    assert [events[0]["type"], events[-1]["type"]] == ["message_start", "message_stop"]
    assert plain["stop_reason"] == events[-2]["delta"]["stop_reason"] == "tool_use"
    assert plain["usage"]["input_tokens"] > 0 < plain["usage"]["output_tokens"]


def test_the_text_comes_in_small_pieces() -> None:
    with server() as claude:
        texts = [e["delta"]["text"] for e in say(claude).events if e.get("delta", {}).get("type") == "text_delta"]
    assert "".join(texts) == REPLY["say"]
    assert len(texts) > 1


def test_every_request_is_remembered_with_its_prompt() -> None:
    with server() as claude:
        say(claude, text="Write a.py <system-reminder>noise</system-reminder>")
        (asked,) = claude.requests
    assert (asked.prompt, asked.cwd, asked.session, asked.script) == ("Write a.py", "/the/repo", "s1", "s")
    assert claude.prompts == ("Write a.py",)


def test_one_connection_serves_many_requests() -> None:
    with server() as claude:
        line = connect(claude)
        for _ in range(3):
            line.request("POST", "/v1/messages", json.dumps(claude_request(user("go"))))
            sock = line.sock
            assert line.getresponse().read().endswith(b"\n\n")
        assert line.sock is sock
        line.close()


def test_tokens_can_be_counted_and_unknown_routes_are_refused() -> None:
    with server() as claude:
        assert ask(claude, "/v1/messages/count_tokens", claude_request(user("go"))).json()["input_tokens"] > 10
        assert ask(claude, "/v1/complete", {}).status == 404
        assert ask(claude, "/v1/messages", {"messages": []}).status == 400


def test_without_a_script_it_says_so_and_touches_nothing() -> None:
    with AnthropicServer(pace=0) as claude:
        told = say(claude, stream=False, text="[[script:nowhere]]").json()
    assert "no script called 'nowhere'" in told["content"][0]["text"]
    assert told["stop_reason"] == "end_turn"


@pytest.mark.parametrize("status", [401, 403, 429, 500, 529])
def test_an_http_error_hits_once_and_then_it_works(status: int) -> None:
    with server(Fault(kind=FaultKind.HTTP, status=status, retry_after=2)) as claude:
        refused = say(claude)
        assert (refused.status, refused.headers["retry-after"]) == (status, "2")
        assert refused.json()["type"] == "error"
        assert say(claude).status == 200
        assert [a.fault for a in claude.requests] == [FaultKind.HTTP, None]


def test_a_fault_can_wait_and_last_and_be_meant_for_a_prompt() -> None:
    fault = Fault(kind=FaultKind.HTTP, skip=1, times=2, prompt_matches="hit me")
    with server(fault) as claude:
        assert [say(claude, text=t).status for t in ("hit me", "not me", "hit me", "hit me", "hit me")] == [
            200,
            200,
            500,
            500,
            200,
        ]


def test_a_usage_limit_names_the_time_of_its_end() -> None:
    with server(Fault(kind=FaultKind.LIMITED, seconds=600)) as claude:
        limited = say(claude)
    assert limited.status == 429
    assert limited.headers["anthropic-ratelimit-unified-status"] == "rejected"
    assert int(limited.headers["anthropic-ratelimit-unified-reset"]) > 0


def test_a_subscription_reports_its_window_with_every_answer() -> None:
    with server(subscription=Subscription(status="allowed_warning", used_5h=0.9)) as claude:
        headers = say(claude).headers
    assert headers["anthropic-ratelimit-unified-status"] == "allowed_warning"
    assert headers["anthropic-ratelimit-unified-5h-utilization"] == "0.9"


def test_an_error_in_mid_stream_follows_real_pieces() -> None:
    with server(Fault(kind=FaultKind.ERROR_EVENT, after=2)) as claude:
        kinds = [e["type"] for e in say(claude).events]
    assert kinds.count("content_block_delta") == 2
    assert kinds[-1] == "error"


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.RESET])
@pytest.mark.parametrize("after", [0, 2])
def test_a_broken_connection_breaks_where_it_was_ordered(kind: FaultKind, after: int) -> None:
    with server(Fault(kind=kind, after=after)) as claude:
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            say(claude)
        assert say(claude).status == 200


def test_a_web_page_and_garbage_come_with_status_200() -> None:
    with server(Fault(kind=FaultKind.HTML), Fault(kind=FaultKind.GARBAGE)) as claude:
        page, noise = say(claude), say(claude)
    assert (page.status, page.headers["content-type"]) == (200, "text/html")
    assert noise.status == 200
    with pytest.raises(ValueError):
        _ = noise.events


def test_the_token_limit_cuts_the_answer_and_says_so() -> None:
    with server(Fault(kind=FaultKind.LENGTH, after=1)) as claude:
        events = say(claude).events
    assert events[-2]["delta"]["stop_reason"] == "max_tokens"
    assert not any(e.get("content_block", {}).get("type") == "tool_use" for e in events)


def test_silence_is_ended_by_stopping_the_server() -> None:
    claude = server(Fault(kind=FaultKind.HANG, seconds=3600)).start()
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            say(claude)
        ended.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert claude.wait_for_requests(1)
    claude.stop()
    waiting.join(5)
    assert ended.is_set()


def test_a_client_that_leaves_does_not_keep_the_server_busy() -> None:
    with server(Fault(kind=FaultKind.HANG, seconds=3600)) as claude:
        line = connect(claude)
        line.request("POST", "/v1/messages", json.dumps(claude_request(user("go"))))
        assert claude.wait_for_requests(1)
        line.close()
        assert say(claude).status == 200


def test_nothing_is_left_after_the_stop() -> None:
    before = set(threading.enumerate())
    with server() as claude:
        say(claude)
        port = claude.port
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)
    claude.stop()


def test_a_server_that_went_down_comes_back_at_the_same_address() -> None:
    with server() as claude:
        with claude.down(), pytest.raises(ConnectionRefusedError):
            say(claude)
        assert say(claude).status == 200
