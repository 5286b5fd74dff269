"""Selected text by entry, line and character, so that a selection stays on its words while lines scroll.

Textual carries a selection as (x, y) offsets; a line's y is made unmistakable by a bias no screen reaches.
"""

from __future__ import annotations

from typing import NamedTuple

from textual.geometry import Offset

from widgets.log_view.layout import Layout

_LINES = 1 << 24
_BIAS = 1 << 60


class Anchor(NamedTuple):
    """One end of a selection."""

    serial: int
    line: int
    at: int


class SelectedRange(NamedTuple):
    """From the first anchor up to (not including) the second."""

    start: Anchor
    end: Anchor

    def span(self, serial: int, line: int, length: int) -> tuple[int, int] | None:
        """The selected characters of one line, if any."""
        here = (serial, line)
        if here < self.start[:2] or here > self.end[:2]:
            return None
        start = self.start.at if here == self.start[:2] else 0
        end = self.end.at if here == self.end[:2] else length
        if start >= end and length:
            return None
        return start, min(end, length)


def line_id(serial: int, line: int) -> int:
    """The y that stands for one line of one entry."""
    return _BIAS + serial * _LINES + line


def anchor_of(offset: Offset) -> Anchor | None:
    """The anchor that an offset stands for; None for a plain screen offset."""
    if offset.y < _BIAS // 2:
        return None
    serial, line = divmod(offset.y - _BIAS, _LINES)
    return Anchor(serial, line, offset.x)


def text_in(chosen: SelectedRange, layout: Layout) -> str:
    """The characters of a range, lines joined by newlines."""
    document = layout.document
    parts: list[str] = []
    first, last = max(chosen.start.serial, document.first), min(chosen.end.serial + 1, document.end)
    for serial in range(first, last):
        for index, line in enumerate(layout.lines(serial)):
            span = chosen.span(serial, index, len(line.text))
            if span is not None:
                parts.append(line.text[span[0] : span[1]])
    return "\n".join(parts)
