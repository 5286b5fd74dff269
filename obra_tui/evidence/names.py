"""File names as text that can be stored and shown, and back.

Git's names are bytes. A byte that is no UTF-8 becomes a visible `\\xff`, because
a lone surrogate can be neither written to a database nor drawn. Pure.
"""

import re

_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")


def shown(name: bytes) -> str:
    """Return the name as well-formed text."""
    return name.decode("utf-8", "backslashreplace")


def raw(name: str) -> bytes:
    """Return the bytes of a shown name."""
    plain = name.encode("utf-8", "surrogateescape")
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), plain)


def text_of(content: bytes) -> str:
    """Return content as UTF-8 text with replacement characters, and without NUL, which databases refuse."""
    return content.decode("utf-8", "replace").replace("\0", "␀")
