"""Text that came from outside: made safe for a terminal, and compared with the words that are known."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def visible(text: str) -> str:
    """Return `text` with control, bidirectional and zero-width characters made visible; `\\n` and `\\t` stay."""
    return _CONTROL.sub(_picture, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int = 200) -> str:
    """Return the text on one line, safe for a terminal, cut with an ellipsis."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return "·" if unicodedata.category(match[0]) == "Cf" else "�"


def closest_match(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """Return the known word most like this one, or nothing when none is as much like it as that."""
    from difflib import get_close_matches  # most runs meet no wrong word

    return next(iter(get_close_matches(word, list(known), 1, likeness)), "")


def sentence(text: str) -> str:
    """Return the text with one mark at its end: what was quoted in it may have brought its own, or none."""
    bare = text.rstrip(". \n")
    if not bare or bare.endswith(("!", "?", "…", ":")):
        return bare
    return f"{bare}..." if text.rstrip().endswith("...") else f"{bare}."


def few(names: Sequence[str], most: int = 5) -> str:
    """Return the first of many names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
