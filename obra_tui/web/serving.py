"""Listening, and the refusal to listen where it would be unsafe; the pairing code as a picture in the terminal."""

import io
import ipaddress
import os
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import segno
import uvicorn

from obra_tui.core.errors import ConfigError
from obra_tui.web.guard import App
from obra_tui.web.ports import ServingPlace, is_loopback

_END_S = 1
"""Open streams of news get so long when the server ends."""
_MOST_AT_ONCE = 200


def check_place(place: ServingPlace) -> None:
    """Refuse an address at which a password would cross a network in the clear. Raises `ConfigError`."""
    public = urlsplit(place.public_url)
    if place.public_url and (public.path or public.query or public.username or public.fragment):
        raise ConfigError(
            "web.public_url has more than scheme, host and port.",
            fix="Leave nothing else in it: https://obra.example.org",
        )
    if place.proxy:
        _check_proxy(place)
        return
    if not is_loopback(place.host):
        if not place.is_tls:
            raise ConfigError(
                f"{place.host} can be reached by others, and the connection would not be encrypted.",
                where="web.host",
                fix="Set web.tls_cert and web.tls_key, or web.proxy to a proxy that does it, or use 127.0.0.1.",
            )
        if place.host in ("0.0.0.0", "::") and not place.public_url:
            raise ConfigError(
                f"{place.host} is no name that a browser can be sent to.",
                where="web.public_url",
                fix="Set it to the address that browsers use: https://obra.example.org:8765",
            )
    if place.public_url and not place.is_secure and not is_loopback(public.hostname or ""):
        raise _clear_text(place)


def _check_proxy(place: ServingPlace) -> None:
    try:
        ipaddress.ip_address(place.proxy)
    except ValueError:
        raise ConfigError(
            f"{place.proxy!r} is no IP address.",
            where="web.proxy",
            fix="Name the address that the proxy connects from.",
        ) from None
    if not place.public_url:
        raise ConfigError(
            "Behind a proxy the address that browsers use is not known.",
            where="web.public_url",
            fix="Set it to that address: https://obra.example.org",
        )
    if not place.is_secure and not is_loopback(urlsplit(place.public_url).hostname or ""):
        raise _clear_text(place)


def _clear_text(place: ServingPlace) -> ConfigError:
    return ConfigError(
        f"{place.public_url} is not encrypted.", where="web.public_url", fix="Use an address that begins with https://."
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises `ConfigError` when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host.strip("[]"), port))
    except OSError as error:
        found.close()
        raise ConfigError(
            f"Nothing can be served at {host} port {port}: {os.strerror(error.errno or 0)}.",
            where="web.port",
            fix="Name another one with --port, or set web.port = 0 for one that is free.",
        ) from error
    return found


def serve(app: App, sock: socket.socket, *, cert: str = "", key: str = "") -> None:
    """Answer until the program is told to end."""
    if cert:
        _check_certificate(cert, key)
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws="none",
        http="h11",
        loop="asyncio",
        lifespan="on",
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=_END_S,
        ssl_certfile=cert or None,
        ssl_keyfile=key or None,
    )
    uvicorn.Server(config).run(sockets=[sock])


def _check_certificate(cert: str, key: str) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key or None)
    except OSError as error:  # an SSLError is one, too
        missing = next((name for name in (cert, key) if name and not Path(name).is_file()), cert)
        raise ConfigError(
            f"The certificate cannot be used: {error.strerror or error}.",
            where=missing,
            fix="Set web.tls_cert and web.tls_key to PEM files that belong together.",
        ) from error


def picture(url: str) -> str:
    """Return a QR code of two rows in each line of text."""
    out = io.StringIO()
    segno.make(url, error="l", micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()
