"""httpx over the short way to this machine: what goes wrong is told as httpx tells it, and nothing stays open."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from obra_tui.judge.lean_httpx import NO_TLS, httpx
from obra_tui.judge.loopback import LoopbackTransport


class Spoken:
    """A server that says some bytes to whoever asks, then closes or waits until the other side has left."""

    def __init__(self, says: bytes, *, closes: bool) -> None:
        self._says = says
        self._closes = closes
        self.heard = b""
        self.left = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard = await reader.readuntil(b"\r\n\r\n")
        writer.write(self._says)
        if not self._closes:
            with suppress(ConnectionError):
                await reader.read()
            self.left.set()
        writer.close()


@asynccontextmanager
async def _asked(says: bytes, *, closes: bool = True) -> AsyncIterator[tuple[Spoken, httpx.AsyncClient]]:
    spoken = Spoken(says, closes=closes)
    server = await asyncio.start_server(spoken.serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, httpx.AsyncClient(transport=LoopbackTransport(), verify=NO_TLS, base_url=address) as client:
        yield spoken, client


async def test_a_request_says_where_it_goes_and_that_it_is_the_only_one():
    async with _asked(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as (spoken, client):
        answer = await client.get("/api/tags?all=1")
    assert answer.text == "hi"
    lines = spoken.heard.decode().split("\r\n")
    assert lines[0] == "GET /api/tags?all=1 HTTP/1.1"
    assert {"Connection: close", "Accept-Encoding: identity"} <= set(lines)
    assert sum(line.lower().startswith("host: 127.0.0.1:") for line in lines) == 1


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", b"220 mail.example.org ready\r\n\r\n"]
)
async def test_what_is_no_whole_answer_is_a_fault_of_the_protocol(says):
    async with _asked(says) as (_, client):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/")


async def test_a_closed_port_is_a_refused_connection():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with httpx.AsyncClient(transport=LoopbackTransport(), verify=NO_TLS) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/")


async def test_whoever_stops_listening_closes_the_connection():
    async with _asked(b"HTTP/1.1 200 OK\r\n\r\nhi", closes=False) as (spoken, client):
        async with client.stream("GET", "/") as answer:
            assert [piece async for piece in _first(answer)] == [b"hi"]
        await asyncio.wait_for(spoken.left.wait(), 10)


async def test_a_cancelled_request_closes_the_connection():
    async with _asked(b"", closes=False) as (spoken, client):
        asking = asyncio.create_task(client.get("/"))
        while not spoken.heard:
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait_for(spoken.left.wait(), 10)


async def _first(answer: httpx.Response) -> AsyncIterator[bytes]:
    async for piece in answer.aiter_bytes():
        yield piece
        return


def test_the_long_way_is_not_even_loaded_for_a_server_on_this_machine():
    made = """
import sys
from obra_tui.judge.client import ModelClient
from obra_tui.judge.config import JudgeConfig
ModelClient(JudgeConfig(base_url={url!r}))
print("httpcore" in sys.modules)
"""
    said = [
        subprocess.run([sys.executable, "-c", made.format(url=url)], capture_output=True, text=True, check=True).stdout
        for url in ("http://localhost:11434", "http://models.example.org:11434")
    ]
    assert said == ["False\n", "True\n"]
