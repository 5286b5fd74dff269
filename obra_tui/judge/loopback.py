"""How httpx reaches a server on this machine: one plain connection per request, without the layers for the whole web.

A verdict streams in fifty pieces and more, and each costs the way from the socket to the reader. Behind httpx's own
transport that way is half a millisecond long (pools, proxies, cancel scopes and locks for any event loop); here a piece
goes from the loop's own reader to whoever waits for it. Knows nothing of models.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

from obra_tui.judge.framing import BadAnswer, Incoming
from obra_tui.judge.lean_httpx import httpx

_NEVER_SENT = {b"connection", b"accept-encoding"}


class LoopbackTransport(httpx.AsyncBaseTransport):
    """Plain HTTP/1.1 on the running asyncio loop. Whatever goes wrong is told as httpx tells it."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        connection = await _connected(request)
        try:
            connection.say(_head(request) + await request.aread())
            await connection.headed()
        except BaseException:
            connection.leave()
            raise
        incoming = connection.incoming
        return httpx.Response(incoming.status, headers=incoming.headers, stream=_Body(connection))


class _Connection(asyncio.Protocol):
    """One request and its answer. The loop hands over what came; one reader waits for it."""

    def __init__(self) -> None:
        self.incoming = Incoming()
        self._transport: asyncio.Transport | None = None
        self._came: list[bytes] = []
        self._fault: Exception | None = None
        self._closed = False
        self._news: asyncio.Future[None] | None = None

    # --- said by the loop --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            body = self.incoming.take(data)
        except BadAnswer as error:
            self._fault = httpx.RemoteProtocolError(str(error))
        else:
            if body:
                self._came.append(body)
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        if exc is not None:
            self._fault = httpx.ReadError(str(exc))
        elif not self.incoming.ended_by_closing() and self._fault is None:
            self._fault = httpx.RemoteProtocolError("The server closed the connection before its answer was complete.")
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # --- asked by the reader -----------------------------------------------------------------

    def say(self, text: bytes) -> None:
        assert self._transport is not None
        self._transport.write(text)

    async def headed(self) -> None:
        """Return when status and headers are there."""
        while not self.incoming.status:
            await self._more()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes: what came at once as one piece."""
        while True:
            if self._came:
                piece = b"".join(self._came)
                self._came.clear()
                yield piece
            elif self.incoming.complete:
                return
            else:
                await self._more()

    async def _more(self) -> None:
        """Return when something came since. Raises what ended the connection too early."""
        if self._fault is not None:
            raise self._fault
        self._news = asyncio.get_running_loop().create_future()
        try:
            await self._news
        finally:
            self._news = None

    def leave(self) -> None:
        if self._transport is not None and not self._closed:
            self._transport.abort()


class _Body(httpx.AsyncByteStream):
    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._connection.pieces()

    async def aclose(self) -> None:
        self._connection.leave()


async def _connected(request: httpx.Request) -> _Connection:
    loop, url = asyncio.get_running_loop(), request.url
    limit = request.extensions.get("timeout", {}).get("connect")
    try:
        async with asyncio.timeout(limit):
            _, connection = await loop.create_connection(_Connection, url.host, url.port or 80)
    except TimeoutError as error:
        raise httpx.ConnectTimeout(f"no connection within {limit} s", request=request) from error
    except OSError as error:
        raise httpx.ConnectError(_refusal(error), request=request) from error
    return connection


def _refusal(error: OSError) -> str:
    return "All connection attempts failed" if error.errno is None else (error.strerror or str(error))


def _head(request: httpx.Request) -> bytes:
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%b: %b" % (name, value) for name, value in request.headers.raw if name.lower() not in _NEVER_SENT]
    return b"\r\n".join((*lines, b"Accept-Encoding: identity", b"Connection: close", b"", b""))
