"""One HTTP client for all forges: what is asked for, what an error means to a person, what may be tried again.

The token goes to the API's own address and nowhere else: no redirect is followed, and only this machine gets it
unencrypted. No error that is raised holds it.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from obra_tui.core.errors import ForgeError

_TIMEOUT_S = 30.0
_TRIES = 3
_LONGEST_WAIT_S = 60.0
_PAGE = 100
_MOST_PAGES = 20
_MOST_SAID = 300


class ForgeClient:
    def __init__(self, api: str, headers: Mapping[str, str]) -> None:
        where = urlsplit(api)
        if where.scheme != "https" and where.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ForgeError(
                "The token would be sent unencrypted.",
                where=api,
                fix="Set forge.url to an address that begins with https://.",
            )
        self._api = api
        self._http = httpx.Client(headers={"user-agent": "obra", **headers}, timeout=_TIMEOUT_S, follow_redirects=False)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._asked("GET", path, query, None)

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        return self._asked(method, path, {}, body)

    def pages(self, path: str, key: str = "", **query: Any) -> Iterator[Any]:
        """Yield the entries of a list that comes in pages; `key` names it where it is part of an object."""
        for page in range(1, _MOST_PAGES + 1):
            found = self.get(path, per_page=_PAGE, limit=_PAGE, page=page, **query)
            entries = found.get(key, []) if key and isinstance(found, dict) else found
            if not isinstance(entries, list):
                raise _odd(path)
            yield from entries
            if len(entries) < _PAGE:
                return

    def _asked(self, method: str, path: str, query: Mapping[str, Any], body: Mapping[str, Any] | None) -> Any:
        for left in reversed(range(_TRIES)):
            try:
                answer = self._http.request(method, f"{self._api}{path}", params=query or None, json=body)
            except httpx.HTTPError as error:
                if left and method == "GET":
                    time.sleep(1.0)
                    continue
                raise ForgeError(
                    f"The forge could not be reached ({type(error).__name__}).",
                    where=self._api,
                    fix="Look at the network and at forge.url, and try again.",
                ) from None
            wait = _wait_s(answer)
            # What changes something is tried again only where the forge says that it did nothing.
            again = answer.status_code == 429 or _is_limited(answer) or (answer.status_code >= 500 and method == "GET")
            if left and again and wait <= _LONGEST_WAIT_S:
                time.sleep(wait)
                continue
            return _read(answer, method, path)
        raise AssertionError("the last try returns or raises")


def _is_limited(answer: httpx.Response) -> bool:
    return answer.status_code in (403, 429) and (
        answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    )


def _wait_s(answer: httpx.Response) -> float:
    after, reset = answer.headers.get("retry-after", ""), answer.headers.get("x-ratelimit-reset", "")
    if after.isdecimal():
        return float(after)
    if reset.isdecimal() and _is_limited(answer):
        return max(0.0, float(reset) - time.time())
    return 1.0


def _read(answer: httpx.Response, method: str, path: str) -> Any:
    code = answer.status_code
    if 200 <= code < 300:
        try:
            return answer.json() if answer.content else {}
        except ValueError:
            raise _odd(path) from None
    what, fix = _meaning(answer)
    said = _said(answer)
    raise ForgeError(
        f"{what} ({method} {path}: {code}{f', {said}' if said else ''})", where=str(answer.url.host), fix=fix
    )


def _meaning(answer: httpx.Response) -> tuple[str, str]:
    match answer.status_code:
        case 401:
            return "The forge does not accept the token.", "Make a new one, or log in again."
        case 403 | 429 if _is_limited(answer) or answer.status_code == 429:
            return "The forge takes no more requests for now.", "Try again later: its limit is used up."
        case 403:
            return "The token may not do this.", "Give it the right to write contents, pull requests, statuses, issues."
        case 404:
            return "The forge knows no such repository or entry, or hides it from this token.", (
                "Look at forge.remote, and at what the token may see."
            )
        case 409:
            return "The forge refuses it as things stand.", "Look at the pull request there, and try again."
        case 422 | 400:
            return "The forge does not take what was sent.", "Its own words say why; forge.base must be a branch there."
        case code if code >= 500:
            return "The forge has a fault of its own.", "Try again later."
        case code if 300 <= code < 400:
            return "The repository has moved.", "Set the remote, or forge.url, to its new address."
        case _:
            return "The forge refused.", "Its own words say why."


def _said(answer: httpx.Response) -> str:
    """Return the forge's own words, without headers and never the request's."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors") or []
    more = [str(item.get("message", "")) if isinstance(item, dict) else str(item) for item in errors][:3]
    words = [str(body.get("message") or body.get("error") or ""), *more]
    return " ".join("; ".join(filter(None, words)).split())[:_MOST_SAID]


def _odd(path: str) -> ForgeError:
    return ForgeError(f"The forge's answer to {path} is not understood.", fix="Look whether forge.kind is right.")
