"""A model server on loopback that does exactly what a test scripts, byte by byte, and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

MODEL = "qwen2.5-coder:32b"
DIGEST = "sha256:6a1b"


@dataclass
class Reply:
    """Status line, then chunks; `hang` keeps the connection open until the client goes, `cut` drops it."""

    chunks: Sequence[bytes] = ()
    status: int = 200
    type: str = "application/x-ndjson"
    hang: bool = False
    cut: bool = False
    trickle: float = 0.0
    """Seconds between two chunks, for ever (the chunks are repeated)."""


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


def as_json(value: object, status: int = 200) -> Reply:
    return Reply(chunks=[json.dumps(value).encode()], status=status, type="application/json")


def ndjson(
    text: str, *, model: str = MODEL, prompt_tokens: int | None = 4000, finish: str = "stop", **last: Any
) -> Reply:
    """An answer as Ollama streams it, a few characters a line."""
    pieces = [text[at : at + 16] for at in range(0, len(text), 16)]
    lines: list[dict[str, Any]] = [
        {"model": model, "message": {"role": "assistant", "content": piece}, "done": False} for piece in pieces
    ]
    end: dict[str, Any] = {"model": model, "message": {"role": "assistant", "content": ""}, "done": True}
    end |= {"done_reason": finish, "eval_count": len(pieces)} | last
    if prompt_tokens is not None:
        end["prompt_eval_count"] = prompt_tokens
    return Reply(chunks=[json.dumps(line).encode() + b"\n" for line in [*lines, end]])


def sse(text: str, *, model: str = MODEL, prompt_tokens: int | None = 4000, finish: str = "stop") -> Reply:
    """An answer as OpenAI-compatible servers stream it."""
    deltas: list[dict[str, Any]] = [{"delta": {"content": text[at : at + 16]}} for at in range(0, len(text), 16)]
    chunks: list[dict[str, Any]] = [{"model": model, "choices": [delta]} for delta in deltas]
    chunks.append({"model": model, "choices": [{"delta": {}, "finish_reason": finish}]})
    if prompt_tokens is not None:
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": len(deltas)}
        chunks.append({"model": model, "choices": [], "usage": usage})
    lines = [b": keep-alive\n\n", *(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)]
    return Reply(chunks=[*lines, b"data: [DONE]\n\n"], type="text/event-stream")


def tags(*names: str) -> Reply:
    return as_json({"models": [{"name": name, "model": name, "digest": DIGEST} for name in names or (MODEL,)]})


Answering = Callable[[Asked], Reply]


@dataclass
class ModelServer:
    """`chat` holds the replies to chat requests in turn; the last one is repeated."""

    chat: list[Reply | Answering] = field(default_factory=list)
    routes: dict[str, Reply | list[Reply]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    """The scripted pieces of a chat reply have been sent."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """A client closed its connection while it was being answered."""

    @property
    def prompts(self) -> list[Any]:
        return [asked.body for asked in self.asked if asked.method == "POST"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await _read(reader)
            if asked is not None:
                self.asked.append(asked)
                await self._send(self._reply(asked), reader, writer, self.answering if asked.body else asyncio.Event())
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        finally:
            writer.close()

    def _reply(self, asked: Asked) -> Reply:
        if asked.method == "POST":
            reply = self.chat.pop(0) if len(self.chat) > 1 else self.chat[0]
            return reply(asked) if callable(reply) else reply
        found = self.routes.get(asked.path)
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found or as_json({"error": "404 page not found"}, status=404)

    async def _send(
        self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answering: asyncio.Event
    ) -> None:
        head = f"HTTP/1.1 {reply.status} X\r\nContent-Type: {reply.type}\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head.encode())
        left = asyncio.create_task(reader.read())
        for chunk in reply.chunks:
            await _chunk(writer, chunk)
        answering.set()
        while reply.trickle and not left.done():
            await _chunk(writer, b" ")
            await asyncio.wait({left}, timeout=reply.trickle)
        if reply.hang:
            await left
        if left.done():
            self.gone.set()
        elif not reply.cut:
            writer.write(b"0\r\n\r\n")
        left.cancel()
        await writer.drain()


async def _chunk(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
    await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method=method, path=path, headers=headers, body=json.loads(body) if body else None)


@asynccontextmanager
async def model_server(*chat: Reply | Answering, port: int = 0) -> AsyncIterator[ModelServer]:
    """An Ollama that has `MODEL` loaded, and is an OpenAI-compatible server as well."""
    server = ModelServer(chat=list(chat))
    server.routes = {
        "/api/tags": tags(),
        "/api/ps": tags(),
        "/api/version": as_json({"version": "0.33.2"}),
        "/v1/models": as_json({"object": "list", "data": [{"id": MODEL, "object": "model"}]}),
    }
    listener = await asyncio.start_server(server.serve, "127.0.0.1", port)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
