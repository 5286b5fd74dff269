"""A stand-in for Ollama that reviews the prompt it is given. It speaks the OpenAI-compatible dialect as well.

It exists so that a rehearsal has a judge on a machine without a GPU, and so that every way in which a local model
server misbehaves can be ordered. It must not know Obra: all it learns is in the request.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from obra_tui.rehearsal.dialects import CONTEXT, ChatRequest, Dialect, Native, OpenAI, now_text, tokens_in
from obra_tui.rehearsal.faults import Fault, FaultBook, FaultKind
from obra_tui.rehearsal.loopback import KEPT_REQUESTS, LoopbackServer, Reply, Request
from obra_tui.rehearsal.reading import read_prompt
from obra_tui.rehearsal.reviewer import Review, review
from obra_tui.rehearsal.schema import fill
from obra_tui.rehearsal.spoil import spoil

MODEL = "rehearsal-qwen"
VERSION = "0.0.0-rehearsal"
TOKEN_PAUSE = 0.01  # between pieces of the answer, at pace 1
PROMPT_SPEED = 900  # tokens of prompt read in a second, at pace 1
LONGEST_READ = 0.8
PIECE_CHARS = 5

_WEB_PAGE = b"<!doctype html><html><title>502</title><body>Bad gateway</body></html>"


class Reviewed(Struct, frozen=True, kw_only=True):
    """One request for a review, as the stand-in understood it, and what it answered."""

    number: int
    route: str
    model: str
    prompt: str
    """The texts of all user messages."""
    system: str
    schema: Mapping[str, Any] | None
    options: Mapping[str, Any]
    stream: bool
    prompt_tokens: int
    review: Review
    fault: FaultKind | None
    raw: Request


class OllamaServer(LoopbackServer):
    """Serves `models`. `pace` 1 can be watched, 0 is as fast as possible."""

    name = "rehearsal-judge"

    def __init__(
        self, *, models: Sequence[str] = (MODEL,), pace: float = 1.0, faults: Iterable[Fault] = (), port: int = 0
    ) -> None:
        super().__init__(port=port)
        self.models = tuple(models)
        self.pace = pace
        self.faults = FaultBook(faults)
        self._reviewed: deque[Reviewed] = deque(maxlen=KEPT_REQUESTS)
        self._loaded: dict[str, datetime] = {}

    @property
    def requests(self) -> tuple[Reviewed, ...]:
        """The last requests for a review, oldest first."""
        return tuple(self._reviewed)

    def pull(self, model: str) -> None:
        """Make a model available, as `ollama pull` would."""
        self.models = tuple(dict.fromkeys((*self.models, model)))

    async def answer(self, request: Request, reply: Reply) -> None:
        match (request.method, request.route):
            case ("POST", "/api/chat" | "/v1/chat/completions"):
                await self._review(request, reply)
            case ("POST", "/api/generate"):
                await self._load(request, reply)
            case ("GET" | "HEAD", "/"):
                await reply.whole(200, b"" if request.method == "HEAD" else b"Ollama is running", kind="text/plain")
            case ("GET", "/api/version"):
                await reply.json(200, {"version": VERSION})
            case ("GET", "/api/tags"):
                await reply.json(200, {"models": [_card(name) for name in self.models]})
            case ("GET", "/api/ps"):
                await reply.json(200, {"models": [_running(name, until) for name, until in self._loaded.items()]})
            case ("POST", "/api/show"):
                await self._show(request, reply)
            case ("GET", "/v1/models"):
                data = [
                    {"id": name, "object": "model", "created": 0, "owned_by": "obra-rehearsal"} for name in self.models
                ]
                await reply.json(200, {"object": "list", "data": data})
            case ("GET", "/health"):
                await reply.json(200, {"status": "ok"})
            case _:
                await reply.whole(404, b"404 page not found", kind="text/plain")

    async def _show(self, request: Request, reply: Reply) -> None:
        body = request.json()
        name = self._known(str(body.get("model") or body.get("name") or ""))
        if name is None:
            await reply.json(404, {"error": f"model '{body.get('model', '')}' not found"})
            return
        card = _card(name)
        info = {"general.architecture": "rehearsal", "rehearsal.context_length": CONTEXT}
        shown = {
            "details": card["details"],
            "model_info": info,
            "capabilities": ["completion"],
            "modified_at": card["modified_at"],
        }
        await reply.json(200, shown)

    async def _load(self, request: Request, reply: Reply) -> None:
        body = request.json()
        name = self._known(str(body.get("model", "")))
        if name is None:
            await reply.json(404, {"error": f"model '{body.get('model', '')}' not found"})
            return
        self._loaded[name] = datetime.now(UTC) + timedelta(minutes=5)
        done = {"model": name, "created_at": now_text(), "response": "", "done": True, "done_reason": "load"}
        await reply.json(200, done)

    def _known(self, name: str) -> str | None:
        return next((m for m in self.models if name in (m, f"{m}:latest") or f"{name}:latest" == m), None)

    async def _review(self, request: Request, reply: Reply) -> None:
        body = request.json()
        native = request.route == "/api/chat"
        asked = ChatRequest.read(body, native)
        fault = self.faults.take(asked.prompt)
        known = self._known(asked.model)
        if fault and fault.kind is FaultKind.MODEL_MISSING:
            known = None
        told = review(read_prompt(asked.visible))
        self._reviewed.append(_reviewed(request, asked, told, fault))
        dialect: Dialect = Native(asked) if native else OpenAI(asked)
        if known is None:
            await reply.json(404, dialect.error(404, f"model '{asked.model}' not found"))
            return
        if asked.too_long:
            await reply.json(
                400, dialect.error(400, _too_long(asked.tokens), n_prompt_tokens=asked.tokens, n_ctx=CONTEXT)
            )
            return
        self._loaded[known] = datetime.now(UTC) + timedelta(minutes=10)
        await _OllamaPlay(reply=reply, dialect=dialect, asked=asked, told=told, fault=fault, pace=self.pace).run()


class _OllamaPlay(Struct, kw_only=True):
    """One answer on its way out, faults included."""

    reply: Reply
    dialect: Dialect
    asked: ChatRequest
    told: Review
    fault: Fault | None
    pace: float

    @property
    def kind(self) -> FaultKind | None:
        return self.fault.kind if self.fault else None

    async def run(self) -> None:
        if self.fault is not None and await self._instead(self.fault):
            return
        if self.kind is FaultKind.WRONG_MODEL:
            self.dialect.model = "some-other-model:1b"
        await self.reply.rest(min(self.asked.tokens / PROMPT_SPEED, LONGEST_READ) * self.pace)
        self.dialect.mark_first_token()
        text = spoil(fill(self.asked.schema, self.told), self.kind)
        most = self.asked.most
        if self.fault is not None and self.kind is FaultKind.LENGTH:
            most = min(most, max(1, self.fault.after))
        reason = "length" if tokens_in(text) > most else "stop"
        text = text[: most * 4]
        counted = max(1, self.asked.counted // 8) if self.kind is FaultKind.TRUNCATED else self.asked.counted
        if self.asked.stream:
            await self._stream(text, counted, reason)
        else:
            await self.reply.json(200, self.dialect.whole(text, tokens_in(text), counted, reason))

    async def _stream(self, text: str, counted: int, reason: str) -> None:
        await self.reply.stream(self.dialect.media)
        for sent, piece in enumerate(_pieces(text)):
            if self.fault is not None and sent == self.fault.after and await self._midway(self.fault):
                return
            await self._send(self.dialect.piece(piece))
            await self.reply.rest(TOKEN_PAUSE * self.pace)
        await self._send(self.dialect.last(tokens_in(text), counted, reason))
        await self.reply.end()

    async def _send(self, data: bytes) -> None:
        if self.kind is not FaultKind.TRICKLE:
            await self.reply.piece(data)
            return
        for at in range(len(data)):
            await self.reply.piece(data[at : at + 1])
            await self.reply.rest(1.0)

    async def _instead(self, fault: Fault) -> bool:
        """Faults that take the place of an answer. True when nothing is left to be said."""
        match fault.kind:
            case FaultKind.HTTP:
                await self._refuse(fault.status, fault.text or f"scripted failure {fault.status}", fault)
            case FaultKind.LOADING:
                await self._refuse(503, fault.text or "Loading model", fault)
            case FaultKind.HTML:
                await self.reply.whole(200, _WEB_PAGE, kind="text/html")
            case FaultKind.GARBAGE:
                await self.reply.whole(200, b"\x00\xff{{{not json\n\n\n", kind=self.dialect.media)
            case FaultKind.DELAY:
                await self.reply.rest(fault.seconds)
                return False
            case FaultKind.HANG | FaultKind.CUT | FaultKind.RESET if not fault.after or not self.asked.stream:
                return await self._midway(fault)
            case _:
                return False
        return True

    async def _refuse(self, status: int, text: str, fault: Fault) -> None:
        headers = dict(fault.headers)
        if fault.retry_after is not None:
            headers["retry-after"] = f"{fault.retry_after:g}"
        await self.reply.json(status, self.dialect.error(status, text), headers=headers)

    async def _midway(self, fault: Fault) -> bool:
        match fault.kind:
            case FaultKind.HANG:
                await self.reply.rest(fault.seconds)
                self.reply.cut()
            case FaultKind.CUT:
                self.reply.cut()
            case FaultKind.RESET:
                self.reply.reset()
            case FaultKind.ERROR_EVENT:
                await self.reply.piece(self.dialect.broken(fault.text or "model runner has unexpectedly stopped"))
                await self.reply.end()
            case _:
                return False
        return True


def _reviewed(request: Request, asked: ChatRequest, told: Review, fault: Fault | None) -> Reviewed:
    return Reviewed(
        number=request.number,
        route=request.route,
        model=asked.model,
        prompt=asked.prompt,
        system=asked.system,
        schema=asked.schema,
        options=asked.options,
        stream=asked.stream,
        prompt_tokens=asked.tokens,
        review=told,
        fault=fault.kind if fault else None,
        raw=request,
    )


def _digest(name: str) -> str:
    return hashlib.sha256(f"obra rehearsal: {name}".encode()).hexdigest()


def _card(name: str) -> dict[str, Any]:
    full = name if ":" in name else f"{name}:latest"
    details = {"format": "script", "family": "rehearsal", "parameter_size": "0B", "quantization_level": "none"}
    return {
        "name": full,
        "model": full,
        "modified_at": "2026-01-05T09:00:00Z",
        "size": 0,
        "digest": _digest(name),
        "details": details,
    }


def _running(name: str, until: datetime) -> dict[str, Any]:
    return {**_card(name), "expires_at": until.isoformat(), "size_vram": 0, "context_length": CONTEXT}


def _too_long(tokens: int) -> str:
    return f"the request exceeds the available context size ({tokens} > {CONTEXT} tokens)"


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE_CHARS):
        yield text[start : start + PIECE_CHARS]
