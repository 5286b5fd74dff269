"""A web hook on loopback, as a service that Apprise sends to."""

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from msgspec import Struct, field


class WebHook(Struct):
    """Its address for Apprise, what came in, and the status that it answers with."""

    address: str = ""
    came: queue.SimpleQueue = field(default_factory=queue.SimpleQueue)
    status: int = 200


@contextmanager
def open_hook() -> Iterator[WebHook]:
    hook = WebHook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            hook.came.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    hook.address = f"json://ada:dummy-password@127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
