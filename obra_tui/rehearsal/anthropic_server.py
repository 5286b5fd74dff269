"""A stand-in for the Anthropic Messages API that plays scripts to the real Claude Code program.

It exists so that everything but the model is real in a rehearsal and in the end-to-end tests. It must not know
Obra: it sees what any server at that address would see, and answers from the conversation in the request.
"""

from __future__ import annotations

import itertools
import json
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.rehearsal.conversation import RequestPrompts, read_conversation
from obra_tui.rehearsal.faults import Fault, FaultBook, FaultKind
from obra_tui.rehearsal.loopback import KEPT_REQUESTS, LoopbackServer, Reply, Request
from obra_tui.rehearsal.script import Block, Cue, Response, Say, Script, Think, Use, next_cue

FIRST_PIECE = 0.35  # seconds a model thinks before its first piece, at pace 1
TEXT_PIECE = 0.018  # between pieces of text
INPUT_PIECE = 0.012  # between pieces of a tool's input
PIECE_CHARS = 14
INPUT_CHARS = 36

_WEB_PAGE = b"<!doctype html><html><title>Sign in</title><body>Please sign in to this network.</body></html>"
_GARBAGE = b'event: message_start\ndata: {"type": "mess\xff\x00}\n\n'
_ERROR_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error",
}  # fmt: skip
_ERROR_TEXTS = {401: "invalid x-api-key", 403: "this key may not use the model", 529: "Overloaded"}


class ModelRequest(Struct, frozen=True, kw_only=True):
    """One request to the model, as the stand-in understood it."""

    number: int
    route: str
    session: str
    cwd: str
    model: str
    stream: bool
    prompts: tuple[str, ...]
    script: str | None
    prompt_number: int
    step: int
    fault: FaultKind | None
    raw: Request

    @property
    def prompt(self) -> str:
        """The newest prompt, without what Claude Code adds on its own."""
        return self.prompts[-1] if self.prompts else ""


class Subscription(Struct, frozen=True, kw_only=True):
    """What a subscription login reports in its headers; with an API key there is none."""

    status: str = "allowed"
    claim: str = "five_hour"
    used_5h: float = 0.42
    used_7d: float = 0.17
    resets_at: int = 0

    def headers(self) -> dict[str, str]:
        """The rate-limit headers of an answer."""
        resets = str(self.resets_at or int(time.time()) + 3600)
        prefix = "anthropic-ratelimit-unified"
        return {
            f"{prefix}-status": self.status,
            f"{prefix}-reset": resets,
            f"{prefix}-representative-claim": self.claim,
            f"{prefix}-5h-status": self.status,
            f"{prefix}-5h-reset": resets,
            f"{prefix}-5h-utilization": str(self.used_5h),
            f"{prefix}-7d-status": "allowed",
            f"{prefix}-7d-reset": resets,
            f"{prefix}-7d-utilization": str(self.used_7d),
            f"{prefix}-overage-status": "rejected",
            f"{prefix}-overage-disabled-reason": "org_level_disabled",
        }


class AnthropicServer(LoopbackServer):
    """Plays `scripts`. `pace` 1 can be watched, 0 is as fast as possible."""

    name = "rehearsal-claude"

    def __init__(
        self,
        scripts: Iterable[Script] = (),
        *,
        pace: float = 1.0,
        faults: Iterable[Fault] = (),
        subscription: Subscription | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        self.scripts: tuple[Script, ...] = tuple(scripts)
        self.pace = pace
        self.faults = FaultBook(faults)
        self.subscription = subscription
        self._asked: deque[ModelRequest] = deque(maxlen=KEPT_REQUESTS)
        self._ids = itertools.count(1)
        self._step_faults: dict[tuple[str, str, int, int], int] = {}

    @property
    def requests(self) -> tuple[ModelRequest, ...]:
        """The last requests for an answer, oldest first."""
        return tuple(self._asked)

    @property
    def prompts(self) -> tuple[str, ...]:
        """Each prompt that was really sent, once, in order of first sight."""
        seen: dict[tuple[str, int], str] = {}
        for asked in self._asked:
            for place, text in enumerate(asked.prompts):
                seen.setdefault((asked.session, place), text)
        return tuple(seen.values())

    async def answer(self, request: Request, reply: Reply) -> None:
        match (request.method, request.route):
            case ("POST", "/v1/messages"):
                await self._message(request, reply)
            case ("POST", "/v1/messages/count_tokens"):
                await reply.json(200, {"input_tokens": _tokens(len(request.body))})
            case ("HEAD", _):
                await reply.whole(200, b"")
            case _:
                await reply.json(404, _error(404, f"no such route: {request.method} {request.route}"))

    async def _message(self, request: Request, reply: Reply) -> None:
        body = request.json()
        if not isinstance(body.get("messages"), list) or not body["messages"]:
            await reply.json(400, _error(400, "messages: at least one message is required"))
            return
        conversation = read_conversation(body, request.headers)
        cue = next_cue(self.scripts, conversation) or _lost(conversation)
        fault = self.faults.take(conversation.current.text) or self._step_fault(conversation, cue)
        self._asked.append(_asked(request, body, conversation, cue, fault))
        play = _AnthropicPlay(
            reply=reply,
            message=_message_for(cue.response, conversation, body, next(self._ids), len(request.body)),
            response=cue.response,
            stream=body.get("stream") is True,
            headers={**(self.subscription.headers() if self.subscription else {}), **cue.response.headers},
            pace=self.pace,
            fault=fault,
        )
        await play.run()

    def _step_fault(self, conversation: RequestPrompts, cue: Cue) -> Fault | None:
        """A fault written into the script hits the first `times` tries of that step in that session."""
        fault = cue.response.fault
        if fault is None:
            return None
        key = (conversation.session, cue.script, cue.prompt_number, cue.step)
        tries = self._step_faults.get(key, 0)
        self._step_faults[key] = tries + 1
        return fault if fault.skip <= tries < fault.skip + fault.times else None


class _AnthropicPlay(Struct, kw_only=True):
    """One answer on its way out, faults included."""

    reply: Reply
    message: dict[str, Any]
    response: Response
    stream: bool
    headers: Mapping[str, str]
    pace: float
    fault: Fault | None

    async def run(self) -> None:
        if self.fault is not None and await self._instead(self.fault):
            return
        delay = FIRST_PIECE if self.response.delay is None else self.response.delay
        await self.reply.rest(delay * self.pace)
        if self.stream:
            await self._stream()
        else:
            await self._plain()

    async def _instead(self, fault: Fault) -> bool:
        """Faults that take the place of an answer. True when nothing is left to be said."""
        match fault.kind:
            case FaultKind.HTTP:
                await self._refuse(fault)
            case FaultKind.LIMITED:
                await self._limited(fault)
            case FaultKind.HTML:
                await self.reply.whole(200, _WEB_PAGE, kind="text/html")
            case FaultKind.GARBAGE:
                await self.reply.whole(200, _GARBAGE, kind="text/event-stream")
            case FaultKind.DELAY:
                await self.reply.rest(fault.seconds)
                return False
            case FaultKind.HANG | FaultKind.CUT | FaultKind.RESET if not fault.after:
                await self._break(fault)
            case _:
                return False
        return True

    async def _refuse(self, fault: Fault) -> None:
        headers = dict(fault.headers)
        if fault.retry_after is not None:
            headers["retry-after"] = f"{fault.retry_after:g}"
        await self.reply.json(fault.status, _error(fault.status, fault.text), headers=headers)

    async def _limited(self, fault: Fault) -> None:
        rejected = Subscription(status="rejected", used_5h=1.0, resets_at=int(time.time() + fault.seconds))
        headers = {**rejected.headers(), "retry-after": f"{fault.seconds:.0f}", **fault.headers}
        told = _error(429, fault.text or "This request would exceed your rate limit.")
        await self.reply.json(429, told, headers=headers)

    async def _break(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.HANG:
                await self.reply.rest(fault.seconds)
                self.reply.cut()
            case FaultKind.RESET:
                self.reply.reset()
            case FaultKind.ERROR_EVENT:
                await self.reply.piece(_event("error", _error(529, fault.text or "Overloaded")))
                await self.reply.end()
            case _:
                self.reply.cut()

    async def _plain(self) -> None:
        if self.fault is not None and self.fault.kind is FaultKind.LENGTH:
            self.message["stop_reason"] = "max_tokens"
        await self.reply.json(200, self.message, headers=self.headers)

    async def _stream(self) -> None:
        await self.reply.stream("text/event-stream", headers={"cache-control": "no-cache", **self.headers})
        message = self.message
        if self.fault is not None and self.fault.kind is FaultKind.LENGTH:
            message = _shortened(message, self.fault.after)
            self.fault = None
        sent = 0
        for kind, value, pause in _events(message):
            if kind == "content_block_delta":
                if self.fault is not None and self.fault.kind is not FaultKind.DELAY and sent == self.fault.after:
                    await self._break(self.fault)
                    return
                sent += 1
            await self.reply.piece(_event(kind, value))
            fixed = self.response.pause
            await self.reply.rest(pause * self.pace if fixed is None or not pause else fixed)
        await self.reply.end()


def _events(message: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], float]]:
    """The events of a streamed message, each with the pause that follows it at pace 1."""
    usage = message["usage"]
    opening = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield "message_start", {"message": opening}, 0.0
    yield "ping", {}, 0.0
    for index, block in enumerate(message["content"]):
        yield "content_block_start", {"index": index, "content_block": _opened(block)}, 0.0
        for delta, pause in _deltas(block):
            yield "content_block_delta", {"index": index, "delta": delta}, pause
        yield "content_block_stop", {"index": index}, 0.0
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": end, "usage": usage}, 0.0
    yield "message_stop", {}, 0.0


def _opened(block: Mapping[str, Any]) -> dict[str, Any]:
    match block["type"]:
        case "tool_use":
            return {**block, "input": {}}
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case _:
            return {"type": "text", "text": ""}


def _deltas(block: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], float]]:
    match block["type"]:
        case "tool_use":
            for piece in _pieces(json.dumps(block["input"], ensure_ascii=False), INPUT_CHARS):
                yield {"type": "input_json_delta", "partial_json": piece}, INPUT_PIECE
        case "thinking":
            for piece in _pieces(block["thinking"], PIECE_CHARS):
                yield {"type": "thinking_delta", "thinking": piece}, TEXT_PIECE
            yield {"type": "signature_delta", "signature": block["signature"]}, 0.0
        case _:
            for piece in _pieces(block["text"], PIECE_CHARS):
                yield {"type": "text_delta", "text": piece}, TEXT_PIECE


def _pieces(text: str, size: int) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


def _event(kind: str, value: Mapping[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **value})}\n\n".encode()


def _message_for(
    response: Response, conversation: RequestPrompts, body: Mapping[str, Any], number: int, size: int
) -> dict[str, Any]:
    content = [_content(block, conversation.cwd, f"{number:04d}{i}") for i, block in enumerate(response.blocks)]
    return {
        "id": f"msg_rehearsal_{number:06d}",
        "type": "message",
        "role": "assistant",
        "model": conversation.model,
        "content": content,
        "stop_reason": response.stop_reason,
        "stop_sequence": None,
        "usage": {**_usage(content, body, size), **response.usage},
    }


def _content(block: Block, cwd: str, ident: str) -> dict[str, Any]:
    match block:
        case Think(text=text):
            return {"type": "thinking", "thinking": text, "signature": f"rehearsal-{ident}"}
        case Say(text=text):
            return {"type": "text", "text": text}
        case Use(tool=tool, input=given):
            return {"type": "tool_use", "id": f"toolu_rehearsal_{ident}", "name": tool, "input": _placed(given, cwd)}


def _placed(value: Any, cwd: str, key: str = "") -> Any:
    """Put the working folder into a tool's input."""
    match value:
        case str() if key.endswith("_path") and cwd and "{cwd}" not in value:
            return str(PurePosixPath(cwd, value))
        case str() if key != "content":
            return value.replace("{cwd}", cwd)
        case Mapping():
            return {k: _placed(v, cwd, str(k)) for k, v in value.items()}
        case list() | tuple():
            return [_placed(v, cwd) for v in value]
        case _:
            return value


def _usage(content: Sequence[Mapping[str, Any]], body: Mapping[str, Any], size: int) -> dict[str, int]:
    """Honest numbers: a quarter of the characters; what an earlier request of the conversation held is cached."""
    total, newest = _tokens(size), _tokens(len(json.dumps(body["messages"][-1])))
    known = any(isinstance(m, dict) and m.get("role") == "assistant" for m in body["messages"])
    cached = max(total - newest, 0) if known else 0
    return {
        "input_tokens": total - cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": _tokens(sum(len(json.dumps(block)) for block in content)),
    }


def _tokens(chars: int) -> int:
    return max(1, chars // 4)


def _shortened(message: Mapping[str, Any], pieces: int) -> dict[str, Any]:
    """The message as it is when the token limit stops it: text only as far as it came, no tool call."""
    texts = [b for b in message["content"] if b["type"] == "text"] or [{"type": "text", "text": "Let me"}]
    text = texts[0]["text"][: max(1, pieces) * PIECE_CHARS]
    return {**message, "content": [{"type": "text", "text": text}], "stop_reason": "max_tokens"}


def _error(status: int, text: str) -> dict[str, Any]:
    kind = _ERROR_TYPES.get(status, "api_error")
    told = text or _ERROR_TEXTS.get(status, f"scripted failure {status}")
    return {"type": "error", "error": {"type": kind, "message": told}, "request_id": "req_rehearsal"}


def _lost(conversation: RequestPrompts) -> Cue:
    """No script is meant: say so, change nothing."""
    wanted = conversation.marker()
    text = "This is a rehearsal and I have no script for this task, so I change nothing."
    if wanted is not None:
        text = f"This is a rehearsal and I have no script called {wanted!r}, so I change nothing."
    return Cue(script="", prompt_number=len(conversation.prompts), step=0, response=Response(blocks=(Say(text=text),)))


def _asked(
    request: Request, body: Mapping[str, Any], conversation: RequestPrompts, cue: Cue, fault: Fault | None
) -> ModelRequest:
    return ModelRequest(
        number=request.number,
        route=request.route,
        session=conversation.session,
        cwd=conversation.cwd,
        model=conversation.model,
        stream=body.get("stream") is True,
        prompts=tuple(p.text for p in conversation.prompts),
        script=cue.script or None,
        prompt_number=cue.prompt_number,
        step=cue.step,
        fault=fault.kind if fault else None,
        raw=replace(request, headers=MappingProxyType(dict(request.headers))),
    )
