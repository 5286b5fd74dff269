"""What every request must pass before a page sees it, and what every answer carries.

`Host` names us, so that no foreign name that points here is answered; a request that changes something comes from a
page of ours; a body is small; behind a proxy only the proxy is heard. Answers may load and run nothing but our own.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from obra_tui.web.ports import ServingPlace

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY = 1_000_000
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
_SAFE = ("GET", "HEAD")


class Guard:
    """Wraps the application."""

    def __init__(self, app: App, place: ServingPlace) -> None:
        self._app = app
        self._place = place
        more = ((b"strict-transport-security", b"max-age=31536000"),) if place.is_secure else ()
        self._headers = (*_HEADERS, *more)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks over a WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await self._refuse(send, *refusal)
            return
        await self._app(scope, _limited(receive), self._with_headers(scope, send))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        place, headers = self._place, _headers_of(scope)
        if place.proxy and (scope.get("client") or ("",))[0] != place.proxy:
            return 403, "Only the proxy that web.proxy names is answered."
        hosts = headers.get(b"host", ())
        if len(hosts) != 1 or hosts[0].decode("latin-1").lower() not in place.hosts:
            return 421, "This address is not one that Obra is served at: open the one that `obra web` printed."
        if scope["method"] in _SAFE:
            return None
        if scope["method"] != "POST":
            return 405, "This cannot be done here."
        origins = headers.get(b"origin", ())
        if len(origins) != 1 or origins[0].decode("latin-1") not in place.origins:
            return 403, "This request came from another page than one of Obra's own: nothing was done."
        length = headers.get(b"content-length", (b"",))[0]
        if not length.isdigit() or int(length) > MOST_BODY:
            return 413, "What was sent is too long."
        return None

    async def _refuse(self, send: Send, status: int, text: str) -> None:
        body = f"{text}\n".encode()
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": [*headers, *self._headers]})
        await send({"type": "http.response.body", "body": body})

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        kept = b"max-age=3600" if scope["path"].startswith("/static/") else b"no-store"

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [item for item in message["headers"] if item[0].lower() != b"cache-control"]
                message["headers"] = [*own, *self._headers, (b"cache-control", kept)]
            await send(message)

        return sending


def _headers_of(scope: Scope) -> dict[bytes, tuple[bytes, ...]]:
    found: dict[bytes, tuple[bytes, ...]] = {}
    for name, value in scope["headers"]:
        found[name.lower()] = (*found.get(name.lower(), ()), value)
    return found


def _limited(receive: Receive) -> Receive:
    """Hold a body to its limit whatever its length was said to be."""
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > MOST_BODY:
                return {"type": "http.disconnect"}
        return message

    return receiving


def client_of(scope: Scope, place: ServingPlace) -> str:
    """Return the address that tries are counted for: behind the proxy the last one that it added."""
    if place.proxy:
        forwarded = _headers_of(scope).get(b"x-forwarded-for", ())
        last = b",".join(forwarded).rpartition(b",")[2].strip().decode("latin-1")
        return last or place.proxy
    return str((scope.get("client") or ("unknown",))[0])
