"""Paints one row of a pane as a Strip, with the scrollbar beside it, and caches recent strips.

Knows styles and cells; not which row is shown where. A strip costs two kilobytes, so the cache holds a few screens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from widgets.lines import LogLine, gutter_width, runs_of
from widgets.log_view.layout import Row
from widgets.palette import Palette
from widgets.segments import clip


class Face(IntEnum):
    """What the scrollbar shows beside one row."""

    NONE = 0
    TRACK = 1
    THUMB = 2


class Bar(NamedTuple):
    """A thumb that covers rows [start, start + size)."""

    start: int
    size: int

    @classmethod
    def hidden(cls) -> Bar:
        """Nothing to scroll."""
        return cls(0, 0)

    @classmethod
    def of(cls, height: int, total: int, above: int) -> Bar:
        """The thumb for a window of `height` rows with `above` of `total` rows above it."""
        size = min(height, max(1, height * height // max(1, total)))
        room = height - size
        start = room * above // max(1, total - height)
        return cls(min(max(0, start), room), size)

    @classmethod
    def at_end(cls, height: int, total: int) -> Bar:
        """The thumb of a pane that follows."""
        return cls.of(height, total, total - height)

    @staticmethod
    def rows_at(start: float, height: int, total: int) -> int:
        """How many rows are above the window when the thumb begins at `start`."""
        size = min(height, max(1, height * height // max(1, total)))
        room = max(1, height - size)
        return max(0, round(min(max(0.0, start), room) * (total - height) / room))

    def covers(self, y: int) -> bool:
        """Whether the thumb is on a row."""
        return self.start <= y < self.start + self.size

    def faces(self, height: int) -> list[Face]:
        """What to draw beside each of `height` rows."""
        if not self.size:
            return [Face.NONE] * height
        faces = [Face.TRACK] * height
        faces[self.start : self.start + self.size] = [Face.THUMB] * self.size
        return faces


class Overlay(NamedTuple):
    """A style laid over characters [start, end) of a line; it wins over what is below."""

    start: int
    end: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxStyle:
    """What surrounds the text of every row: borders, padding, the faces of the scrollbar, filters."""

    left: tuple[Segment, ...] = ()
    right: tuple[Segment, ...] = ()
    bar: tuple[Segment, Segment, Segment] = (Segment(" "), Segment(" "), Segment("█"))
    filters: tuple[LineFilter, ...] = ()
    background: Color = field(default_factory=lambda: Color(0, 0, 0))


class RowPainter:
    """Builds full-width strips for rows."""

    def __init__(self, palette: Palette, width: int, chrome: BoxStyle) -> None:
        self.palette = palette
        self.width = width
        self.chrome = chrome

    def strip(
        self,
        line: LogLine,
        row: Row,
        face: Face,
        *,
        overlays: Sequence[Overlay] = (),
        cursor: str = "",
        shift: int = 0,
    ) -> Strip:
        """A row with its gutter, filled to the width, with borders and scrollbar."""
        content = self._plain(line, row) if not (overlays or shift) else None
        if content is None:
            segments = [*self._lead(line, row), *self._text(line, row, overlays)]
            content = self._fitted(segments, line, row, shift)
        if cursor:
            over = self.palette.over
            content = [Segment(text, over(style or self.palette.base, cursor)) for text, style, _ in content]
        return self._framed(content, face)

    def blank(self, face: Face) -> Strip:
        """A row below the last line."""
        return self._framed([Segment(" " * self.width, self.palette.base)], face)

    def _framed(self, content: list[Segment], face: Face) -> Strip:
        chrome = self.chrome
        segments = [*chrome.left, *content, chrome.bar[face], *chrome.right]
        for line_filter in chrome.filters:
            segments = line_filter.apply(segments, chrome.background)
        return Strip(segments, len(chrome.left) + self.width + 1 + len(chrome.right))

    def _plain(self, line: LogLine, row: Row) -> list[Segment] | None:
        """The short way for most rows: one piece of narrow text in one style."""
        if line.spans or line.time or line.glyph or line.lead or line.aside or (row.start and line.hang):
            return None
        text = line.text[row.start : row.end]
        if not text.isascii() or len(text) > self.width:
            return None
        return [Segment(text.ljust(self.width), self.palette.style(line.style))]

    def _lead(self, line: LogLine, row: Row) -> list[Segment]:
        """Time, glyph and lead on a line's first row, blanks and hang on the rows it wraps to."""
        style = self.palette.style
        if row.start:
            hang = line.hang if line.hang is not None else " " * cell_len(line.lead)
            blank = " " * gutter_width(line)
            return [Segment(blank + hang, style(f"{line.style} {line.lead_style}"))]
        segments: list[Segment] = []
        if line.time:
            segments.append(Segment(line.time + " ", style(f"{line.style} time")))
        if line.glyph:
            segments.append(Segment(line.glyph + " ", style(line.style)))
        if line.lead:
            segments.append(Segment(line.lead, style(f"{line.style} {line.lead_style}")))
        return segments

    def _text(self, line: LogLine, row: Row, overlays: Sequence[Overlay]) -> list[Segment]:
        style = self.palette.style
        segments: list[Segment] = []
        position = row.start
        for text, name, _ in runs_of(line, row.start, row.end):
            base = style(f"{line.style} {name}" if isinstance(name, str) else name)
            segments.extend(self._overlaid(text, position, base, overlays))
            position += len(text)
        return segments

    def _overlaid(self, text: str, at: int, base: Style, overlays: Sequence[Overlay]) -> list[Segment]:
        """A run cut where overlays begin and end."""
        if not overlays:
            return [Segment(text, base)]
        stop = at + len(text)
        cuts = {at, stop}
        for start, end, _ in overlays:
            cuts.update(cut for cut in (start, end) if at < cut < stop)
        edges = sorted(cuts)
        segments: list[Segment] = []
        for start, end in pairwise(edges):
            style = base
            for overlay in overlays:
                if overlay.start <= start and end <= overlay.end:
                    style = self.palette.over(style, overlay.name)
            segments.append(Segment(text[start - at : end - at], style))
        return segments

    def _fitted(self, segments: list[Segment], line: LogLine, row: Row, shift: int) -> list[Segment]:
        """Exactly `width` cells, the aside at the right edge of the first row."""
        ground = self.palette.style(line.style)
        used = sum(cell_len(segment.text) for segment in segments)
        if line.aside and not row.start:
            aside = Segment(clip(line.aside, self.width), self.palette.style(f"{line.style} {line.aside_style}"))
            room = self.width - cell_len(aside.text)
            body = _exactly(segments, used, room, shift, ground)
            return [*body, aside]
        return _exactly(segments, used, self.width, shift, ground)


def _exactly(segments: list[Segment], used: int, width: int, shift: int, ground: Style) -> list[Segment]:
    if shift:
        segments = list(Strip(segments, used).crop(shift))
        used = max(0, used - shift)
    if used == width:
        return segments
    if used < width:
        last = segments[-1] if segments else Segment("", ground)
        if last.style == ground:
            return [*segments[:-1], Segment(last.text + " " * (width - used), ground)]
        return [*segments, Segment(" " * (width - used), ground)]
    return list(Strip(segments, used).adjust_cell_length(width, ground))


_KEPT = 240

Key = tuple[int, int, Face]
"""Serial of the entry, row in it, and what the scrollbar shows beside it."""


class StripCache:
    """Strips by row; an equal strip keeps its identity, so that it need not be painted again."""

    def __init__(self) -> None:
        self._kept: dict[Key, tuple[LogLine | None, Strip]] = {}

    def clear(self) -> None:
        """Forget everything: colours, borders or widths changed."""
        self._kept.clear()

    def known(self, key: Key, line: LogLine) -> Strip | None:
        """The strip of a row with nothing but this line on it, if it was made."""
        kept = self._kept.get(key)
        return kept[1] if kept is not None and kept[0] is line else None

    def get(self, key: Key, line: LogLine | None, make: Callable[[], Strip]) -> Strip:
        """The strip of a row; `line` is None for a row with a cursor, a match or a selection on it."""
        kept = self._kept.get(key)
        if kept is not None and line is not None and kept[0] is line:
            return kept[1]
        strip = make()
        if kept is not None and kept[1] == strip:
            strip = kept[1]
        self._keep(key, line, strip)
        return strip

    def _keep(self, key: Key, line: LogLine | None, strip: Strip) -> None:
        if len(self._kept) >= _KEPT:
            for old in list(self._kept)[: _KEPT // 2]:
                del self._kept[old]
        self._kept[key] = (line, strip)
