"""The program's side of the proxy, inside a sandbox without a network: loopback ports that lead to a socket of Obra's.

A script of its own, started by `python -I -S forwarder.py SOCKET PORTS PROGRAM…`: it listens, leaves a child behind
that passes bytes on, and becomes PROGRAM. It imports nothing but the standard library and knows nothing of what passes.
"""

import os
import socket
import sys
import threading

PROXY_PORT = 31279


def main() -> None:
    path, ports, *program = sys.argv[1:]
    listeners = [(_listen(PROXY_PORT), 0), *((_listen(int(port)), int(port)) for port in ports.split(",") if port)]
    if os.fork() == 0:
        _serve(listeners, path)
    for listener, _ in listeners:
        listener.close()
    os.execv(program[0], program)


def _listen(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=64)


def _serve(listeners: list[tuple[socket.socket, int]], path: str) -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    accepting = [threading.Thread(target=_accept, args=(listener, port, path)) for listener, port in listeners]
    for thread in accepting:
        thread.start()
    for thread in accepting:
        thread.join()


def _accept(listener: socket.socket, port: int, path: str) -> None:
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_connect, args=(client, port, path), daemon=True).start()


def _connect(client: socket.socket, port: int, path: str) -> None:
    """Pass a client on; one that came to another port than the proxy's wants that port of the machine outside."""
    with client, socket.socket(socket.AF_UNIX) as out:
        try:
            out.connect(path)
            if port:
                out.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
                _read_head(out)
        except OSError:
            return
        back = threading.Thread(target=_pump, args=(out, client), daemon=True)
        back.start()
        _pump(client, out)
        back.join()


def _read_head(out: socket.socket) -> None:
    """Read the proxy's answer up to its end. Raises `ConnectionError` when it refused."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = out.recv(1)
        if not byte:
            raise ConnectionError
        head += byte
    if b" 200 " not in head:
        raise ConnectionError


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


if __name__ == "__main__":
    main()
