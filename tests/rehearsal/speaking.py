"""Speak to the loopback servers as a client would, with nothing but the standard library."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from obra_tui.rehearsal.loopback import LoopbackServer


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.body.splitlines() if line]

    @property
    def events(self) -> list[dict[str, Any]]:
        data = (line[6:] for line in self.body.splitlines() if line.startswith(b"data: "))
        return [json.loads(line) for line in data if line != b"[DONE]"]


def connect(server: LoopbackServer, timeout: float = 10) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)


def ask(
    server: LoopbackServer,
    path: str,
    body: object | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10,
) -> Answer:
    line = connect(server, timeout)
    try:
        data = None if body is None else json.dumps(body).encode()
        line.request("GET" if data is None else "POST", path, data, dict(headers or {}))
        got = line.getresponse()
        return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
    finally:
        line.close()


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def said(*texts: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "text", "text": text} for text in texts]}


def used(ident: str, tool: str, **given: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "tool_use", "id": ident, "name": tool, "input": given}]}


def result(ident: str, text: str = "ok", *, error: bool = False, also: Sequence[str] = ()) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": ident, "content": text, "is_error": error}
    return {"role": "user", "content": [block, *({"type": "text", "text": t} for t in also)]}


def environment(cwd: str) -> dict[str, Any]:
    return {"role": "system", "content": f"# Environment\n - Primary working directory: {cwd}\n - Platform: linux"}


def claude_request(*messages: Mapping[str, Any], stream: bool = True) -> dict[str, Any]:
    return {"model": "claude-test", "max_tokens": 1000, "stream": stream, "messages": list(messages)}
