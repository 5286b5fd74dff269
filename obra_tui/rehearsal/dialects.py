"""The two ways of asking a local model, Ollama's own and OpenAI's: requests read, answers wrapped.

It exists so that the server plays one answer, whatever it is wrapped in. It must not know what the answer says.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

_WORD = re.compile(r"[^\W\d_]+")
CONTEXT = 32_768
DEFAULT_NUM_CTX = 4_096  # what Ollama takes when nobody says; longer prompts are cut without a word


class ChatRequest(Struct, frozen=True, kw_only=True):
    """A request in either dialect."""

    model: str
    prompt: str
    system: str
    visible: str
    """What is left of the prompt when the context is too small."""
    tokens: int
    """Of the whole prompt."""
    counted: int
    """Of what was read."""
    schema: Mapping[str, Any] | None
    options: Mapping[str, Any]
    most: int
    stream: bool
    too_long: bool

    @classmethod
    def read(cls, body: Mapping[str, Any], native: bool) -> ChatRequest:
        options = body.get("options") if native else body
        options = options if isinstance(options, dict) else {}
        messages = [m for m in body.get("messages", []) if isinstance(m, dict)]
        system = "\n".join(_said(m) for m in messages if m.get("role") == "system")
        prompt = "\n".join(_said(m) for m in messages if m.get("role") == "user")
        tokens = tokens_in("\n".join(_said(m) for m in messages))
        window = int(options.get("num_ctx") or DEFAULT_NUM_CTX) if native else CONTEXT
        room = max(window * 4 - len(system), 0)
        most = options.get("num_predict") if native else body.get("max_tokens") or body.get("max_completion_tokens")
        return cls(
            model=str(body.get("model", "")),
            prompt=prompt,
            system=system,
            visible=prompt[-room:] if native and tokens > window else prompt,
            tokens=tokens,
            counted=min(tokens, window),
            schema=_schema(body, native),
            options={k: v for k, v in options.items() if k != "messages"},
            most=most if isinstance(most, int) and most > 0 else 1 << 30,
            stream=body.get("stream") is not False if native else body.get("stream") is True,
            too_long=not native and tokens > window,
        )


class Dialect:
    """How answers are wrapped. Two exist: Ollama's own and OpenAI's."""

    media = "application/json"

    def __init__(self, asked: ChatRequest) -> None:
        self.asked = asked
        self.model = asked.model
        self.begun = time.monotonic_ns()
        self.first_token: int | None = None
        self.spoken = False

    def piece(self, text: str) -> bytes:
        raise NotImplementedError

    def last(self, output: int, counted: int, reason: str) -> bytes:
        raise NotImplementedError

    def whole(self, text: str, output: int, counted: int, reason: str) -> dict[str, Any]:
        raise NotImplementedError

    def broken(self, text: str) -> bytes:
        raise NotImplementedError

    def error(self, status: int, text: str, **more: int) -> dict[str, Any]:
        raise NotImplementedError

    def mark_first_token(self) -> None:
        """The prompt has been read; generation begins."""
        self.first_token = time.monotonic_ns()


class Native(Dialect):
    media = "application/x-ndjson"

    def piece(self, text: str) -> bytes:
        return _line({**self._head(), "message": {"role": "assistant", "content": text}, "done": False})

    def last(self, output: int, counted: int, reason: str) -> bytes:
        empty = {"role": "assistant", "content": ""}
        return _line({**self._head(), "message": empty, **self._tail(output, counted, reason)})

    def whole(self, text: str, output: int, counted: int, reason: str) -> dict[str, Any]:
        told = {"role": "assistant", "content": text}
        return {**self._head(), "message": told, **self._tail(output, counted, reason)}

    def broken(self, text: str) -> bytes:
        return _line({"error": text})

    def error(self, status: int, text: str, **more: int) -> dict[str, Any]:
        return {"error": text}

    def _head(self) -> dict[str, Any]:
        return {"model": self.model, "created_at": now_text()}

    def _tail(self, output: int, counted: int, reason: str) -> dict[str, Any]:
        now = time.monotonic_ns()
        first = self.first_token or now
        return {
            "done": True,
            "done_reason": reason,
            "total_duration": now - self.begun,
            "load_duration": 0,
            "prompt_eval_count": counted,
            "prompt_eval_duration": first - self.begun,
            "eval_count": output,
            "eval_duration": now - first,
        }


class OpenAI(Dialect):
    media = "text/event-stream"

    def piece(self, text: str) -> bytes:
        delta = {"content": text} if self.spoken else {"role": "assistant", "content": text}
        self.spoken = True
        return _data({**self._head("chat.completion.chunk"), "choices": [self._choice(None, delta=delta)]})

    def last(self, output: int, counted: int, reason: str) -> bytes:
        end = {**self._head("chat.completion.chunk"), "choices": [self._choice(reason, delta={})]}
        return _data({**end, "usage": _openai_usage(counted, output)}) + b"data: [DONE]\n\n"

    def whole(self, text: str, output: int, counted: int, reason: str) -> dict[str, Any]:
        choice = self._choice(reason, message={"role": "assistant", "content": text})
        return {**self._head("chat.completion"), "choices": [choice], "usage": _openai_usage(counted, output)}

    def broken(self, text: str) -> bytes:
        return _data(self.error(500, text))

    def error(self, status: int, text: str, **more: int) -> dict[str, Any]:
        kinds = {400: "exceed_context_size_error", 404: "not_found_error", 503: "unavailable_error"}
        return {"error": {"code": status, "message": text, "type": kinds.get(status, "server_error"), **more}}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-rehearsal-{self.begun}",
            "object": kind,
            "created": int(time.time()),
            "model": self.model,
        }

    def _choice(self, reason: str | None, **told: Mapping[str, Any]) -> dict[str, Any]:
        return {"index": 0, **told, "finish_reason": reason}


def _schema(body: Mapping[str, Any], native: bool) -> Mapping[str, Any] | None:
    given: Any = body.get("format")
    if not native:
        wrapped = body.get("response_format") or {}
        given = (wrapped.get("json_schema") or {}).get("schema") or wrapped.get("schema")
    return given if isinstance(given, dict) else None


def _said(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _openai_usage(counted: int, output: int) -> dict[str, int]:
    return {"prompt_tokens": counted, "completion_tokens": output, "total_tokens": counted + output}


def tokens_in(text: str) -> int:
    """An honest estimate: one for each digit, a quarter of the other characters, and never fewer than words."""
    digits = sum(map(str.isdigit, text))
    return max(1, digits + -(-(len(text) - digits) // 4), len(_WORD.findall(text)))


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _data(value: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def now_text() -> str:
    """The time as Ollama writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
