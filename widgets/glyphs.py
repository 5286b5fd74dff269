"""One ASCII character for every symbol that is drawn, for terminals and fonts without the symbols.

A status alone is written by `status.mark`, where there is room for `[ok]`; this table is for everything that has
one cell: the glyph column of a list, borders, bars, arrows. What a person, a model or a program wrote keeps its
letters, whatever they are: only symbols are replaced, each by something as wide as it was.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_STATES = {"✓": "+", "✗": "x", "●": ">", "·": ".", "‖": "|", "■": "#", "–": "-"}
_WORDS = {
    "…": "~", "→": ">", "←": "<", "↔": "=", "↑": "^", "↓": "v", "⏎": "<", "↵": "<", "⌫": "<", "⇧": "^", "×": "x",
    "−": "-", "—": "-", "±": "~", "Δ": "d", "≥": ">", "≤": "<", "»": ">", "›": ">", "‹": "<", "«": "<",
    "▸": ">", "▾": "v", "▶": ">", "◀": "<", "▲": "^", "▼": "v", "•": "*", "◦": "o", "▪": "-", "○": "o", "◉": "@",
    "▬": "=", "␛": "?", "␡": "?", "␊": "/", "␉": ">", "␍": "<", "�": "?", "\u2800": " ",
}  # fmt: skip
_RISING = dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True))
_PARTS = {"▏": "|", "▎": "|", "▍": "|", "▌": "|", "▋": "#", "▊": "#", "▉": "#", "▐": "|", "▕": "|", "▔": "-", "▀": "-"}
_SHADES = {"░": ".", "▒": ":", "▓": "#"}
_DOTS = {chr(0x2800): " "} | {chr(0x2800 + dots): ":" if dots.bit_count() > 1 else "." for dots in range(1, 256)}
"""Braille, of which plots are made."""
_FLAT = "─━┄┅┈┉╌╍═╴╶╸╺╼╾"
_UPRIGHT = "│┃┆┇┊┋╎╏║╵╷╹╻╽╿"


def _lines() -> dict[str, str]:
    """Box drawing: level lines, upright lines, and everything else is a corner or a crossing."""
    drawn = {chr(code): "+" for code in range(0x2500, 0x2580)}
    return {**drawn, **dict.fromkeys(_FLAT, "-"), **dict.fromkeys(_UPRIGHT, "|"), "╱": "/", "╲": "\\", "╳": "x"}


def _blocks() -> dict[str, str]:
    return {**{chr(code): "#" for code in range(0x2580, 0x25A0)}, **_PARTS, **_RISING, **_SHADES}


ASCII: Mapping[str, str] = {**_lines(), **_blocks(), **_DOTS, **_WORDS, **_STATES}
"""Symbol → the character that stands for it. Both are one cell wide."""

_TABLE = str.maketrans(dict(ASCII))


def in_ascii(text: str) -> str:
    """Return `text` with ASCII for every symbol; letters of any language stay.

    >>> in_ascii("✓ café … 3/4")
    '+ café ~ 3/4'
    """
    return text if text.isascii() else text.translate(_TABLE)


class AsciiLineFilter(LineFilter):
    """Replaces the symbols in every line that an app draws, whichever widget drew it.

    Give it to the app: ``def get_line_filters(self): return [*super().get_line_filters(), self._ascii]``.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the same segments when they are ASCII already, replaced ones otherwise."""
        if all(segment.text.isascii() for segment in segments):
            return segments
        return [Segment(in_ascii(text), style, control) for text, style, control in segments]
