"""Addresses of servers in settings: taken apart, and put together again from what was understood. Pure.

Two parsers may read one text as two hosts; who checks with one and connects with the other sends a login elsewhere. So
whatever could be read in two ways is an error, and only the plain form is used from then on.
"""

import ipaddress
import re
from urllib.parse import urlsplit

_PLAIN = re.compile(r"[\x21-\x7e]*")
_DOUBTFUL = re.compile(r"[\\<>\"^`{|}\s]")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_WHOLE = "must be a full address such as http://127.0.0.1:11434"


def plain_address(value: str) -> str:
    """Return the address in its plain form; an empty text stays empty. Raises `ValueError` with what is wrong."""
    if not value:
        return ""
    if not _PLAIN.fullmatch(value) or _DOUBTFUL.search(value):
        raise ValueError("must be plain: no spaces, backslashes, control characters or letters that are not ASCII")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(_WHOLE) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(_WHOLE)
    if "@" in parts.netloc or "%40" in parts.netloc:
        raise ValueError("must not hold a user name or a password: keys have settings of their own")
    if "?" in value or "#" in value or ".." in parts.path.split("/"):
        raise ValueError("must end with a host or a path: no query, no fragment, no `..`")
    host = _host(parts.hostname)
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path}".rstrip("/")


def _host(host: str) -> str:
    """Return a name or number that is read in one way only."""
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host)}]"
    labels = host.removesuffix(".").split(".")
    if re.fullmatch(r"(?:0[xX][0-9a-fA-F]*|\d+)", labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ValueError(f"names a host that can be read in two ways: {host}") from None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"names no host: {host}")
    return host.lower()
