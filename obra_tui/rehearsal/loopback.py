"""A small HTTP/1.1 server on 127.0.0.1 in a thread of its own: the floor both model servers stand on.

It exists because a stand-in must be able to misbehave on purpose (cut a socket, trickle, never answer) and
must still stop at once. It must not know what a model is: subclasses answer requests, this module moves bytes.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from types import MappingProxyType
from typing import Any, Self

from msgspec import Struct, field

LOOPBACK = "127.0.0.1"
MOST_BODY = 256 << 20
KEPT_REQUESTS = 400

_REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    413: "Payload Too Large", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Unavailable", 529: "Overloaded",
}  # fmt: skip


class ClientLeft(Exception):
    """The other side closed the connection before the answer was complete."""


class HungUp(Exception):
    """We closed the connection on purpose; nothing more can be said on it."""


class Request(Struct, frozen=True, kw_only=True):
    """One request as it came over the wire. Header names are lower case."""

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an unreadable or other body is an empty one."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class _Wire(asyncio.StreamReaderProtocol):
    """Tells when the client is gone, also while we are not reading."""

    def __init__(self, reader: asyncio.StreamReader, server: LoopbackServer) -> None:
        self.gone = asyncio.Event()
        super().__init__(reader, lambda reader, writer: server._serve(reader, writer, self.gone))

    def eof_received(self) -> bool | None:
        self.gone.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        super().connection_lost(exc)


class Reply(Struct):
    """Where an answer is written. One per request; knows nothing of what the bytes mean."""

    _writer: asyncio.StreamWriter
    _gone: asyncio.Event
    started: bool = False
    _chunked: bool = field(default=False)

    async def whole(
        self, status: int, body: bytes, *, kind: str = "application/json", headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a complete answer with its length."""
        self._head(status, {"content-type": kind, "content-length": str(len(body)), **(headers or {})})
        await self._put(body)

    async def json(self, status: int, value: object, *, headers: Mapping[str, str] | None = None) -> None:
        """Send a complete JSON answer."""
        await self.whole(status, json.dumps(value).encode(), headers=headers)

    async def stream(self, kind: str, *, headers: Mapping[str, str] | None = None) -> None:
        """Begin a 200 answer whose length nobody knows yet; `piece` and `end` follow."""
        self._head(200, {"content-type": kind, "transfer-encoding": "chunked", **(headers or {})})
        self._chunked = True
        await self._put(b"")

    async def piece(self, data: bytes) -> None:
        """Send one piece of a streamed answer."""
        if data:
            await self._put(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self) -> None:
        """Finish a streamed answer, so that the connection can serve the next request."""
        if self._chunked:
            await self._put(b"0\r\n\r\n")

    async def rest(self, seconds: float) -> None:
        """Wait, but not for a client that has left."""
        if seconds <= 0:
            await asyncio.sleep(0)
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), seconds)
        if self._gone.is_set():
            raise ClientLeft

    def cut(self) -> None:
        """Close in the middle of the answer."""
        self._writer.close()
        raise HungUp

    def reset(self) -> None:
        """Close so rudely that the client sees a connection reset."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        raise HungUp

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.started = True
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}", *(f"{k}: {v}" for k, v in headers.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def _put(self, data: bytes) -> None:
        if self._gone.is_set():
            raise ClientLeft
        self._writer.write(data)
        try:
            await self._writer.drain()
        except ConnectionError as error:
            raise ClientLeft from error


class LoopbackServer:
    """Serve HTTP on a free port of 127.0.0.1 from an own thread; `start` and `stop` return when it is done."""

    name = "loopback"

    def __init__(self, *, port: int = 0) -> None:
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._listener: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self._lock = threading.Lock()
        self._seen: deque[Request] = deque(maxlen=KEPT_REQUESTS)
        self._count = 0
        self._arrived = threading.Condition(self._lock)

    # --- life

    def start(self) -> Self:
        """Listen; connections are accepted from the moment this returns."""
        if self._thread is not None:
            return self
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        name = f"obra-{self.name}"
        self._thread = threading.Thread(target=self._run, args=(self._loop, ready), name=name, daemon=True)
        self._thread.start()
        ready.wait()
        try:
            self._call(self._listen())
        except OSError:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Close every connection and the thread. Safe to call twice."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self._call(self._close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        self._loop = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections for a while, as a server that is not running does, and come back on the same port."""
        self.go_down()
        try:
            yield
        finally:
            self.come_up()

    def go_down(self) -> None:
        """Stop listening and drop every open connection; the port is kept for `come_up`."""
        self._call(self._close())

    def come_up(self) -> None:
        """Listen again on the port of before."""
        self._call(self._listen())

    # --- what tests ask

    @property
    def port(self) -> int:
        """The port it listens on (0 before the start)."""
        return self._port

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def exchanges(self) -> tuple[Request, ...]:
        """The last requests, oldest first, as they came over the wire."""
        with self._lock:
            return tuple(self._seen)

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> bool:
        """Wait until `count` requests have come since the start; False when the time is up."""
        with self._arrived:
            return self._arrived.wait_for(lambda: self._count >= count, timeout)

    # --- for subclasses

    async def answer(self, request: Request, reply: Reply) -> None:
        """Answer one request."""
        await reply.json(404, {"error": f"{self.name} knows no {request.method} {request.route}"})

    # --- inside

    def _run(self, loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        loop.call_soon(ready.set)
        loop.run_forever()

    def _call(self, work: Any) -> None:
        if self._loop is None:
            work.close()
            raise RuntimeError(f"{self.name} was not started")
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> None:
        if self._listener is not None:
            return
        loop = asyncio.get_running_loop()

        def wire() -> _Wire:
            return _Wire(asyncio.StreamReader(limit=1 << 20, loop=loop), self)

        self._listener = await loop.create_server(wire, LOOPBACK, self._port, reuse_address=True, backlog=64)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        talks = tuple(self._talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0)  # lets the transports close their sockets before the loop ends

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gone: asyncio.Event) -> None:
        async with self._talk(writer):
            while (request := await self._read(reader, writer)) is not None:
                reply = Reply(writer, gone)
                await self.answer(request, reply)
                if request.headers.get("connection", "").lower() == "close":
                    break

    @asynccontextmanager
    async def _talk(self, writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            yield
        except (ClientLeft, HungUp, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the talk is over, whichever side ended it
        finally:
            self._talks.discard(task)
            writer.transport.abort() if writer.is_closing() else writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
        head = await _head(reader)
        if head is None:
            return None
        method, path, headers = head
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await _body(reader, headers)
        with self._arrived:
            self._count += 1
            request = Request(number=self._count, method=method, path=path, headers=headers, body=body)
            self._seen.append(request)
            self._arrived.notify_all()
        return request


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, Mapping[str, str]] | None:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    first, *rest = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3:
        return None
    pairs = (line.partition(":") for line in rest)
    return parts[0], parts[1], MappingProxyType({name.strip().lower(): value.strip() for name, _, value in pairs})


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return b"".join([chunk async for chunk in _chunks(reader)])
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BODY:
        raise HungUp
    return await reader.readexactly(int(length))


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
