"""The web view put together: history and news read beside whoever works, answers by the command table.

Where no Obra is at work, an answer is carried out by an engine of its own that ends with it, as on the command line.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from obra_tui.bootstrap.client import RemoteClient, open_client, wait_for_state
from obra_tui.config.load import load
from obra_tui.core.commands import Command, Decide
from obra_tui.core.errors import ConfigError, UnknownId
from obra_tui.headless.follow import text_lines
from obra_tui.services.archive import database
from obra_tui.services.remote_engine import RemoteEngine
from obra_tui.store.ownership import holder_of

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.web.access import Access
    from obra_tui.web.ports import ServingPlace, WebBackend

_ANSWER_S = 30.0


def place_of(settings: Settings, port: int) -> ServingPlace:
    """Return where it is served. Raises `ConfigError` when that would be unsafe, or the extra is missing."""
    need_extra()
    from obra_tui.web.ports import ServingPlace
    from obra_tui.web.serving import check_place

    web = settings.web
    if bool(web.tls_cert) != bool(web.tls_key):
        raise ConfigError("web.tls_cert and web.tls_key belong together.", fix="Set both, or neither.")
    place = ServingPlace(
        host=web.host,
        port=port,
        public_url=web.public_url,
        proxy=web.proxy,
        is_tls=bool(web.tls_cert),
    )
    check_place(place)
    return place


def need_extra() -> None:
    """Raise `ConfigError` where the packages of the extra are not installed."""
    try:
        import argon2  # noqa: F401
        import jinja2  # noqa: F401
        import segno  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"The web view needs a package that is not installed ({error.name}).",
            fix="Install Obra with its extra: obra-tui[web]",
        ) from None


def access_of(settings: Settings) -> Access:
    from obra_tui.web.access import Access

    return Access(settings.data_dir, idle_s=settings.web.session_hours * 3600)


def serve_web(settings: Settings, port: int | None, on_ready: Callable[[ServingPlace], None]) -> None:
    """Serve until the program is told to end; `on_ready` is called when the address is known."""
    place = place_of(settings, settings.web.port if port is None else port)
    from obra_tui.web.app import web_app
    from obra_tui.web.serving import listen, serve

    target = database(settings)
    if not isinstance(target, str) and not target.exists():
        raise UnknownId("There is no session yet.", where=str(target), fix="`obra run` or `obra demo` makes one.")
    with closing(listen(place.host, place.port)) as sock:
        place = replace(place, port=sock.getsockname()[1])
        remote = RemoteEngine(settings.data_dir, target)
        try:
            app = web_app(web_backend(settings, remote), access_of(settings), place)
            sock.listen(128)
            on_ready(place)
            with suppress(KeyboardInterrupt):
                serve(app, sock, cert=settings.web.tls_cert, key=settings.web.tls_key)
        finally:
            remote.stop()


def web_backend(settings: Settings, remote: RemoteEngine) -> WebBackend:
    from obra_tui.web.ports import WebBackend

    alone = threading.Lock()

    def ask(command: Command, project: str) -> object:
        folder = Path(project)
        holder = holder_of(settings.data_dir)
        if holder is not None:
            return RemoteClient(remote, holder.pid, folder).send(command)
        with alone, open_client(load(folder), folder) as client:
            answer = client.send(command)
            if isinstance(command, Decide) and not client.owner:
                detail = remote.history.gate(command.gate)
                wait_for_state(
                    client, detail.session.id, detail.attempt.summary.task, client.deciding, timeout_s=_ANSWER_S
                )
            return answer

    def owner() -> str:
        holder = holder_of(settings.data_dir)
        return f"pid {holder.pid}" if holder is not None else ""

    return WebBackend(history=remote.history, news=remote, ask=ask, log_lines=text_lines, owner=owner)
