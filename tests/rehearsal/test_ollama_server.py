"""The Ollama stand-in in both dialects, well-behaved and not."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any

import pytest

from obra_tui.rehearsal.faults import Fault, FaultKind
from obra_tui.rehearsal.ollama_server import MODEL, OllamaServer
from tests.rehearsal.speaking import Answer, ask, connect

SCORE = {"type": "integer", "minimum": 0, "maximum": 100}
FINDING = {"file": {"type": "string"}, "line": {"type": "integer"}, "message": {"type": "string"}}
SCHEMA = {
    "type": "object",
    "properties": {
        "findings": {"type": "array", "items": {"type": "object", "properties": FINDING}},
        "scores": {"type": "object", "properties": {"correctness": SCORE, "readability": SCORE}},
        "verdict": {"enum": ["approve", "revise", "reject"]},
    },
}
PROMPT = """Every function has a docstring.
--- /dev/null
+++ b/a.py
@@ -0,0 +1,2 @@
+def add(a, b):
+    return a + b
"""


def native(judge: OllamaServer, *, timeout: float = 10, **more: Any) -> Answer:
    body = {
        "model": MODEL, "stream": False, "format": SCHEMA, "options": {"num_ctx": 8192},
        "messages": [{"role": "system", "content": "You review."}, {"role": "user", "content": PROMPT}], **more,
    }  # fmt: skip
    return ask(judge, "/api/chat", body, timeout=timeout)


def openai(judge: OllamaServer, **more: Any) -> Answer:
    wrapped = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": SCHEMA}}
    body = {"model": MODEL, "response_format": wrapped, "messages": [{"role": "user", "content": PROMPT}], **more}
    return ask(judge, "/v1/chat/completions", body)


def text(answer: Answer) -> str:
    return answer.json()["message"]["content"]


def check(value: dict[str, Any]) -> None:
    assert value["findings"] == [{"file": "a.py", "line": 1, "message": "The function add has no docstring."}]
    assert value["verdict"] == "revise"


def test_the_verdict_follows_from_the_prompt_in_all_four_ways_of_asking() -> None:
    with OllamaServer(pace=0) as judge:
        plain = native(judge)
        lines = native(judge, stream=True).lines
        whole = openai(judge).json()
        events = openai(judge, stream=True).events
    check(json.loads(text(plain)))
    check(json.loads("".join(line["message"]["content"] for line in lines)))
    check(json.loads(whole["choices"][0]["message"]["content"]))
    check(json.loads("".join(e["choices"][0]["delta"].get("content", "") for e in events)))
    assert len(lines) > 10
    assert [line["done"] for line in lines].count(True) == 1


def tokens(text: str) -> int:
    digits = len(re.findall(r"\d", text))
    return digits + -(-(len(text) - digits) // 4)


def test_the_numbers_at_the_end_are_honest() -> None:
    with OllamaServer(pace=0) as judge:
        told = native(judge).json()
        usage = openai(judge).json()["usage"]
        (first, _) = judge.requests
    assert told["prompt_eval_count"] == first.prompt_tokens == tokens("You review.\n" + PROMPT)
    assert told["eval_count"] == tokens(told["message"]["content"])
    assert told["done_reason"] == "stop"
    assert told["total_duration"] >= told["eval_duration"] >= 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_prompt_beyond_num_ctx_is_cut_without_a_word_and_only_the_count_tells() -> None:
    long = PROMPT + "word " * 4000
    message = [{"role": "user", "content": long}]
    with OllamaServer(pace=0) as judge:
        told = native(judge, messages=message, options={"num_ctx": 1000}).json()
        refused = openai(judge, messages=[{"role": "user", "content": "word " * 40_000}])
    assert told["prompt_eval_count"] == 1000
    assert json.loads(told["message"]["content"])["findings"][0]["message"] == "Nothing was changed."
    assert refused.status == 400
    assert refused.json()["error"]["type"] == "exceed_context_size_error"


def test_the_answer_stops_at_the_tokens_it_was_granted() -> None:
    with OllamaServer(pace=0) as judge:
        assert native(judge, options={"num_ctx": 8192, "num_predict": 5}).json()["done_reason"] == "length"
        assert openai(judge, max_tokens=5).json()["choices"][0]["finish_reason"] == "length"


def test_the_model_says_what_it_is_everywhere() -> None:
    with OllamaServer(pace=0) as judge:
        assert ask(judge, "/").body == b"Ollama is running"
        assert "rehearsal" in ask(judge, "/api/version").json()["version"]
        (card,) = ask(judge, "/api/tags").json()["models"]
        assert card["name"] == "rehearsal-qwen:latest"
        assert len(card["digest"]) == 64
        assert ask(judge, "/api/ps").json()["models"] == []
        native(judge)
        assert ask(judge, "/api/ps").json()["models"][0]["digest"] == card["digest"]
        shown = ask(judge, "/api/show", {"model": MODEL}).json()
        assert shown["model_info"]["rehearsal.context_length"] == 32768
        assert ask(judge, "/v1/models").json()["data"][0]["id"] == MODEL
        assert ask(judge, "/api/generate", {"model": MODEL}).json()["done_reason"] == "load"
        assert ask(judge, "/api/nothing").status == 404


def test_an_unknown_model_is_named_until_it_is_pulled() -> None:
    with OllamaServer(pace=0) as judge:
        missing = native(judge, model="qwen9:1b")
        assert (missing.status, missing.json()) == (404, {"error": "model 'qwen9:1b' not found"})
        judge.pull("qwen9:1b")
        assert native(judge, model="qwen9:1b").json()["model"] == "qwen9:1b"


def spoiled(kind: FaultKind) -> str:
    with OllamaServer(pace=0, faults=[Fault(kind=kind)]) as judge:
        answer = text(native(judge))
        check(json.loads(text(native(judge))))  # the fault is over after one request
    return answer


def test_answers_can_be_wrong_in_every_known_way() -> None:
    assert spoiled(FaultKind.EMPTY) == ""
    assert '"correctness": NaN' in spoiled(FaultKind.NAN)
    assert '"correctness": true' in spoiled(FaultKind.BOOL_SCORE)
    assert '"correctness": 101' in spoiled(FaultKind.SCORE_101)
    assert spoiled(FaultKind.DUPLICATE_KEYS).count('"correctness":') == 2
    assert "no/such/file.py" in spoiled(FaultKind.GHOST_LINE)
    thought, _, rest = spoiled(FaultKind.THINK).partition("</think>")
    assert thought.startswith("<think>")
    check(json.loads(rest))
    for kind in (FaultKind.PROSE, FaultKind.HALF_JSON):
        with pytest.raises(ValueError):
            json.loads(spoiled(kind))


def with_fault(kind: FaultKind, *, stream: bool = False, **more: Any) -> Answer:
    with OllamaServer(pace=0, faults=[Fault(kind=kind, **more)]) as judge:
        return native(judge, stream=stream)


def test_the_server_can_refuse() -> None:
    assert with_fault(FaultKind.LOADING).status == 503
    assert with_fault(FaultKind.MODEL_MISSING).status == 404
    assert with_fault(FaultKind.HTTP, status=500, text="out of memory").json() == {"error": "out of memory"}
    assert with_fault(FaultKind.HTML).headers["content-type"] == "text/html"


def test_the_server_can_answer_with_less_or_other_than_was_asked() -> None:
    assert with_fault(FaultKind.WRONG_MODEL).json()["model"] != MODEL
    assert with_fault(FaultKind.TRUNCATED).json()["prompt_eval_count"] < 20
    assert with_fault(FaultKind.LENGTH, after=3).json()["done_reason"] == "length"


def test_a_stream_can_end_in_an_error_line_or_not_end_at_all() -> None:
    lines = with_fault(FaultKind.ERROR_EVENT, stream=True, after=2, text="runner stopped").lines
    assert len(lines) == 3
    assert lines[-1] == {"error": "runner stopped"}
    for kind in (FaultKind.CUT, FaultKind.RESET):
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            with_fault(kind, stream=True, after=2)


def test_a_trickle_comes_byte_by_byte() -> None:
    with OllamaServer(pace=0, faults=[Fault(kind=FaultKind.TRICKLE)]) as judge:
        line = connect(judge)
        body = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}]}
        line.request("POST", "/api/chat", json.dumps(body))
        assert line.getresponse().read(1) == b"{"
        line.close()


def test_silence_before_the_first_byte_lasts_until_the_client_has_had_enough() -> None:
    with OllamaServer(pace=0, faults=[Fault(kind=FaultKind.HANG, seconds=3600)]) as judge:
        with pytest.raises(TimeoutError):
            native(judge, timeout=0.05)
        check(json.loads(text(native(judge))))


def test_every_request_is_remembered() -> None:
    with OllamaServer(pace=0) as judge:
        native(judge)
        (asked,) = judge.requests
    assert (asked.prompt, asked.system, asked.model, asked.stream) == (PROMPT, "You review.", MODEL, False)
    assert asked.schema == SCHEMA
    assert asked.options["num_ctx"] == 8192
    assert asked.review.opinion == "revise"
