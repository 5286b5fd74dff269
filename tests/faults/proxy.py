"""A piece of network between a client and a database server, which can be cut, or swallow everything."""

import contextlib
import socket
import threading
from pathlib import Path


class Proxy:
    """Listens on `host` and carries bytes to a socket file.

    `swallow()` makes a black hole: connections stay, nothing arrives any more, either way. `cut_at` breaks the
    connection when the client sends these bytes: before the server has them, or, with `after`, once it has answered.
    """

    def __init__(self, to: Path, host: str = "127.0.0.1") -> None:
        self._to = to
        self._swallows = threading.Event()
        self._open: list[socket.socket] = []
        self._cut_at: bytes | None = None
        self._after = False
        self._listener = socket.create_server((host, 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def swallow(self) -> None:
        self._swallows.set()

    def carry(self) -> None:
        """Work again, for new connections; what was swallowed stays so."""
        self.close_all()
        self._swallows.clear()

    def cut_at(self, words: bytes, *, after: bool) -> None:
        self._cut_at, self._after = words, after

    def close_all(self) -> None:
        opened, self._open = self._open, []
        for one in opened:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.close_all()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._to))
                self._open += [client, server]
                threading.Thread(target=self._up, args=(client, server), daemon=True).start()
                threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                if self._swallows.is_set():
                    continue
                if self._cut_at is not None and self._cut_at in data:
                    self._cut(client, server, data)
                    return
                server.sendall(data)
        self._end(client, server)

    def _cut(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        self._cut_at = None
        client.shutdown(socket.SHUT_RDWR)
        if self._after:
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)  # it ends when it has done what it was sent

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                if not self._swallows.is_set():
                    client.sendall(data)
        if not self._swallows.is_set():
            self._end(client, server)

    def _end(self, *both: socket.socket) -> None:
        for one in both:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
