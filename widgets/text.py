"""Untrusted text made visible and harmless before it reaches a terminal.

Text that a model, a program or a repository wrote may hold escape sequences, bidirectional overrides or
characters of no width. Nothing here knows where a text came from; it only says what may be shown.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

TAB_WIDTH = 4

# Controls, soft hyphen, bidi marks and overrides, zero-width and invisible letters, tag characters, surrogates.
_HIDDEN = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff"
)
_CONTROL = "\x00-\x1f\x7f-\x9f"
_UNSAFE = re.compile(f"[{_CONTROL}{_HIDDEN}]")
_UNSAFE_BUT_LAYOUT = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_HIDDEN}]")
_COLOUR_SEQUENCE = re.compile(r"\x1b\[[0-9;:]{0,64}m")
_LINK_CHARACTERS = re.compile(r"[\x21-\x7e]+")


def clean(text: str) -> str:
    """Replace control, bidirectional and zero-width characters visibly; keep newlines, expand tabs.

    >>> clean("a\\x1b[2Jb")
    'a␛[2Jb'
    """
    if text.isascii() and text.isprintable():
        return text
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    text = _UNSAFE_BUT_LAYOUT.sub(_visible, text)
    return text.expandtabs(TAB_WIDTH) if "\t" in text else text


def clean_line(text: str) -> str:
    """The same for a text that must stay on one line: newlines become visible too."""
    text = clean(text)
    return text.replace("\n", "␊") if "\n" in text else text


def without_colours(text: str) -> str:
    """Drop well-formed colour sequences, which programs write even when nobody asked for colour."""
    return _COLOUR_SEQUENCE.sub("", text) if "\x1b" in text else text


def is_web_link(target: str) -> bool:
    """Only plain http and https addresses may become links."""
    if not _LINK_CHARACTERS.fullmatch(target):
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


class SafeLineFilter(LineFilter):
    """The last choke point: whatever a widget let through is replaced here, keeping the line's width.

    Give it to the app: ``def get_line_filters(self): return [*super().get_line_filters(), self._safe]``.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the same segments when they are harmless, replaced ones otherwise."""
        for segment in segments:
            text = segment.text
            if not (text.isascii() and text.isprintable()) and _UNSAFE.search(text):
                return _replaced(segments)
        return segments


def _replaced(segments: list[Segment]) -> list[Segment]:
    """A hidden character has no width, its replacement has one: cut the line back to what it was."""
    before = sum(cell_len(segment.text) for segment in segments)
    shown = [Segment(_UNSAFE.sub("�", text), style) for text, style, _ in segments]
    return list(Strip(shown).adjust_cell_length(before))
