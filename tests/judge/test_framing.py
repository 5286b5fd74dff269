"""Where an answer of HTTP begins and ends, however its bytes are cut."""

import pytest

from obra_tui.judge.framing import BadAnswer, Incoming

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def _taken(raw: bytes, step: int) -> tuple[Incoming, bytes]:
    incoming = Incoming()
    return incoming, b"".join(incoming.take(raw[at : at + step]) for at in range(0, len(raw), step))


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    "raw",
    [
        CHUNKED + b"3\r\nabc\r\n2;note=1\r\nde\r\n0\r\n\r\n",
        CHUNKED + b"0003\r\nabc\r\n2\r\nde\r\n0\r\nChecked: yes\r\n\r\n",
        CHUNKED + b"5\nabcde\n0\n\n",
        OK + b"Content-Length: 5\r\n\r\nabcde",
        OK + b"Content-Length: 5\r\n\r\nabcdeAnd more that nobody asked for",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length:5\r\n\r\nabcde",
    ],
)
def test_a_body_is_whole_however_its_bytes_are_cut(raw, step):
    incoming, body = _taken(raw, step)
    assert (incoming.status, body, incoming.complete) == (200, b"abcde", True)
    assert (b"Content-Type", b"text/plain") in incoming.headers


def test_a_body_without_a_length_ends_when_the_server_closes():
    incoming, body = _taken(OK + b"\r\nabcde", 4)
    assert body == b"abcde"
    assert not incoming.complete
    assert incoming.ended_by_closing()
    assert incoming.complete


@pytest.mark.parametrize("code", [b"204 No Content", b"304 Not Modified"])
def test_an_answer_without_a_body_is_complete_at_once(code):
    incoming, body = _taken(b"HTTP/1.1 " + code + b"\r\n\r\n", 5)
    assert body == b""
    assert incoming.complete


@pytest.mark.parametrize(
    "raw",
    [b"", OK, CHUNKED, CHUNKED + b"3\r\nab", CHUNKED + b"3\r\nabc\r\n0\r\n", OK + b"Content-Length: 5\r\n\r\nabcd"],
)
def test_what_was_closed_too_early_is_not_whole(raw):
    incoming, _ = _taken(raw, 4)
    assert not incoming.ended_by_closing()


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 ok\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\n\r\n",
        OK + b"no header\r\n\r\n",
        OK + b"Content-Length: -5\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"fffffffffffffffff\r\n",
        CHUNKED + b"1" * 2000,
        b"HTTP/1.1 200 OK\r\nLong: " + b"x" * 70_000,
    ],
)
def test_what_is_not_http_is_refused(raw):
    with pytest.raises(BadAnswer):
        _taken(raw, 100)
