"""Where an answer of HTTP/1.1 begins and ends in the bytes that come. Pure: it is handed the bytes."""

_MOST_HEAD = 65_536
_MOST_SIZE_LINE = 1_000


class BadAnswer(Exception):
    """What came is not HTTP."""


class Incoming:
    """One answer on its way. `take` is given what came and returns what of it belongs to the body."""

    def __init__(self) -> None:
        self.status = 0
        """0 until the headers are there."""
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False
        self._rest = b""
        self._left: int | None = None
        """Bytes of the body, or of its present chunk, that are still to come; None until the other side closes."""
        self._chunked = self._trailing = False

    def take(self, data: bytes) -> bytes:
        """Return the next bytes of the body. Raises `BadAnswer`."""
        if self.complete:
            return b""
        if self._rest:
            data, self._rest = self._rest + data, b""
        while not self.status:
            head, found, rest = data.partition(b"\r\n\r\n")
            if not found:
                self._keep(data, _MOST_HEAD)
                return b""
            self._read_head(head)
            data = rest
        return self._of_chunks(data) if self._chunked else self._of_length(data)

    def ended_by_closing(self) -> bool:
        """Tell whether the answer is whole, now that the other side has closed the connection."""
        if self.status and self._left is None and not self._chunked:
            self.complete = True
        return self.complete

    def _keep(self, data: bytes, most: int) -> None:
        if len(data) > most:
            raise BadAnswer("The server's answer has no end of its headers or of a chunk's size.")
        self._rest = data

    def _read_head(self, head: bytes) -> None:
        first, *lines = head.split(b"\r\n")
        version, _, said = first.partition(b" ")
        code = said[:3]
        if version not in (b"HTTP/1.1", b"HTTP/1.0") or len(code) != 3 or not code.isdigit() or code < b"100":
            raise BadAnswer("The server's answer does not begin as HTTP does.")
        if code.startswith(b"1"):
            return  # "go on": the answer itself follows
        self.headers = [_header(line) for line in lines]
        self.status = int(code)
        self._find_end()

    def _find_end(self) -> None:
        told = {name.lower(): value for name, value in self.headers}
        length = told.get(b"content-length")
        if self.status in (204, 304):
            self._left = 0
        elif b"transfer-encoding" in told:
            if told[b"transfer-encoding"].lower() != b"chunked":
                raise BadAnswer("The server's answer is encoded in a way that nobody asked for.")
            self._chunked, self._left = True, 0
        elif length is not None:
            if not length.isdigit():
                raise BadAnswer("The server's answer has a length that is no number.")
            self._left = int(length)
        self.complete = self._left == 0 and not self._chunked

    def _of_length(self, data: bytes) -> bytes:
        if self._left is None:
            return data
        body = data[: self._left]
        self._left -= len(body)
        self.complete = not self._left
        return body

    def _of_chunks(self, data: bytes) -> bytes:
        parts: list[bytes] = []
        while data and not self.complete:
            if self._left:
                parts.append(data[: self._left])
                data, self._left = data[len(parts[-1]) :], self._left - len(parts[-1])
                continue
            line, found, rest = data.partition(b"\n")
            if not found:
                self._keep(data, _MOST_SIZE_LINE)
                break
            data = rest
            self._read_line(line.strip())
        return b"".join(parts)

    def _read_line(self, line: bytes) -> None:
        """Read the size of a chunk, the empty line after one, or the lines after the last one."""
        if self._trailing:
            self.complete = not line
        elif line:
            self._left = _size(line.partition(b";")[0].strip())
            self._trailing = not self._left


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name.strip():
        raise BadAnswer("The server's answer has a header without a name.")
    return name.strip(), value.strip()


def _size(digits: bytes) -> int:
    if not digits or len(digits) > 15 or digits.strip(b"0123456789abcdefABCDEF"):
        raise BadAnswer("The server's answer has a chunk whose size is no number.")
    return int(digits, 16)
