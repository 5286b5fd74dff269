"""Rows of a document at one width, and which of them are on screen.

Only rows that are looked at are laid out. A position is (serial of the entry, row within it), so it stays valid when
lines are dropped above and rows are inserted below. The viewport follows the end or stays where a person reads.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from widgets.lines import LogLine, gutter_width
from widgets.log_view.model import Document, Growing
from widgets.segments import breaks

_REMEMBERED = 500
_PRUNE_EVERY = 64


class Row(NamedTuple):
    """One row on screen: which line of its entry, and which characters of it."""

    line: int
    start: int
    end: int


_FIXED = -1


class _Laid(NamedTuple):
    lines: Sequence[LogLine]
    rows: list[Row]
    version: int = _FIXED
    settled: int = 0


class Layout:
    """Turns entries into rows, remembers the recent ones, estimates the height of the whole."""

    def __init__(self, document: Document, width: int = 80, wrap: bool = True) -> None:
        self.document = document
        self.width = width
        self.wrap = wrap
        self._laid: dict[int, _Laid] = {}
        self._tall: dict[int, int] = {}
        self._extra = 0
        self._pruned = 0

    def forget(self, serial: int | None = None) -> None:
        """Lay out again: one entry that changed, or everything."""
        if serial is None:
            self._laid.clear()
            self._tall.clear()
            self._extra = 0
        else:
            self._laid.pop(serial, None)
            self._set_tall(serial, 0)

    def resize(self, width: int, wrap: bool) -> bool:
        """Set the width; true when rows have changed by it."""
        if (width, wrap) == (self.width, self.wrap):
            return False
        self.width, self.wrap = width, wrap
        self.forget()
        return True

    def lines(self, serial: int) -> Sequence[LogLine]:
        """The lines of one entry."""
        return self._of(serial).lines

    def rows(self, serial: int) -> list[Row]:
        """The rows of one entry; at least one."""
        return self._of(serial).rows

    def row(self, serial: int, index: int) -> tuple[LogLine, Row]:
        """One row and the line it belongs to."""
        laid = self._of(serial)
        row = laid.rows[index]
        return laid.lines[row.line], row

    def row_of_line(self, serial: int, line: int) -> int:
        """The first row of a line within its entry."""
        rows = self.rows(serial)
        return min(bisect_left(rows, (line, -1, -1)), len(rows) - 1)

    def _of(self, serial: int) -> _Laid:
        laid = self._laid.get(serial)
        if laid is not None and laid.version == _FIXED:
            return laid
        entry = self.document[serial]
        if isinstance(entry, str):
            return self._remember(serial, self._plain(entry) or self._full(serial))
        if isinstance(entry, LogLine):
            return self._remember(serial, self._full(serial))
        return self._grown(serial, entry, laid)

    def _plain(self, text: str) -> _Laid | None:
        """The short way for most entries: a narrow text that fits into one row as it is."""
        if len(text) > self.width or not (text.isascii() and text.isprintable()) or "://" in text:
            return None
        if self.document.styler is not LogLine:
            return None
        return _Laid((LogLine(text),), [Row(0, 0, len(text))])

    def _full(self, serial: int) -> _Laid:
        lines = self.document.lines(serial)
        return _Laid(lines, self._rows_of(lines, 0))

    def _grown(self, serial: int, entry: Growing, laid: _Laid | None) -> _Laid:
        """Rows of lines that were settled last time are kept, the others laid out again."""
        if laid is not None and laid.version == entry.version:
            return laid
        lines, rows, start = entry.lines, [], 0
        version = _FIXED if entry.finished else entry.version
        if laid is not None:
            rows, start = laid.rows, laid.settled
            del rows[bisect_left(rows, (start, -1, -1)) :]
        rows.extend(self._rows_of(lines[start:], start))
        if not rows:
            lines, rows = _NOTHING, [Row(0, 0, 0)]
            return self._remember(serial, _Laid(lines, rows, version, 0))
        return self._remember(serial, _Laid(lines, rows, version, entry.settled))

    def _remember(self, serial: int, laid: _Laid) -> _Laid:
        if len(self._laid) >= _REMEMBERED:
            for old in list(self._laid)[: _REMEMBERED // 2]:
                del self._laid[old]
        self._laid[serial] = laid
        self._set_tall(serial, len(laid.rows) - 1)
        return laid

    def _set_tall(self, serial: int, extra: int) -> None:
        self._extra += extra - self._tall.pop(serial, 0)
        if extra:
            self._tall[serial] = extra

    def _rows_of(self, lines: Sequence[LogLine], start: int) -> list[Row]:
        rows: list[Row] = []
        for index, line in enumerate(lines, start):
            if self.wrap:
                rows.extend(Row(index, *piece) for piece in breaks(line.text, *self._room(line)))
            else:
                rows.append(Row(index, 0, len(line.text)))
        return rows

    def _room(self, line: LogLine) -> tuple[int, int]:
        """Cells for the text of a following row and of the first row."""
        gutter = gutter_width(line)
        first = self.width - gutter - cell_len(line.lead)
        hang = cell_len(line.lead if line.hang is None else line.hang)
        if line.aside:
            first -= cell_len(line.aside) + 1
        return max(8, self.width - gutter - hang), max(8, first)

    def height(self) -> int:
        """About how many rows the whole document has: entries never looked at count as one row."""
        self._prune()
        return len(self.document) + self._extra

    def rows_before(self, serial: int, row: int) -> int:
        """About how many rows are above one."""
        above = sum(extra for other, extra in self._tall.items() if other < serial)
        return serial - self.document.first + above + row

    def at(self, rows: int) -> tuple[int, int]:
        """The place that has about so many rows above it: the inverse of `rows_before`."""
        serial, left = self.document.first, rows
        for tall in sorted(self._tall):
            ahead = tall - serial
            if left < ahead:
                break
            left -= ahead
            if left <= self._tall[tall]:
                return tall, left
            left -= self._tall[tall] + 1
            serial = tall + 1
        return min(serial + max(0, left), self.document.end - 1), 0

    def _prune(self) -> None:
        """Forget the height of dropped entries, but not one by one."""
        first = self.document.first
        if 0 <= first - self._pruned < _PRUNE_EVERY:
            return
        self._pruned = first
        self._tall = {serial: extra for serial, extra in self._tall.items() if serial >= first}
        self._extra = sum(self._tall.values())


_NOTHING = (LogLine(""),)


class RowPosition(NamedTuple):
    """One row of the document."""

    serial: int
    row: int


class Viewport:
    """A window of `height` rows over a layout."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.height = 24
        self.can_follow = True
        self._following = True
        self._top = RowPosition(0, 0)

    @property
    def following(self) -> bool:
        """The last row stays at the bottom whatever comes."""
        return self._following and self.can_follow

    @property
    def empty(self) -> bool:
        """Nothing to show."""
        return not self.layout.document.entries

    @property
    def top(self) -> RowPosition:
        """The first visible row."""
        if self.following:
            return self.end_top()
        return self._clamped(self._top)

    def _clamped(self, place: RowPosition) -> RowPosition:
        document = self.layout.document
        if place.serial < document.first:
            return RowPosition(document.first, 0)
        if place.serial >= document.end:
            return self.end_top()
        return RowPosition(place.serial, min(place.row, len(self.layout.rows(place.serial)) - 1))

    def end_top(self) -> RowPosition:
        """The first visible row when the last row is at the bottom."""
        document = self.layout.document
        if not document.entries:
            return RowPosition(document.first, 0)
        last = document.end - 1
        return self.above(RowPosition(last, len(self.layout.rows(last)) - 1), self.height - 1)

    def above(self, place: RowPosition, count: int) -> RowPosition:
        """The row `count` rows above, or the very first."""
        serial, row = place
        first = self.layout.document.first
        while count > row and serial > first:
            count -= row + 1
            serial -= 1
            row = len(self.layout.rows(serial)) - 1
        return RowPosition(serial, max(0, row - count))

    def below(self, place: RowPosition, count: int) -> RowPosition:
        """The row `count` rows below, or the very last."""
        serial, row = place
        end = self.layout.document.end
        while True:
            left = len(self.layout.rows(serial)) - 1 - row
            if count <= left:
                return RowPosition(serial, row + count)
            if serial + 1 >= end:
                return RowPosition(serial, row + left)
            count -= left + 1
            serial, row = serial + 1, 0

    def visible(self) -> list[RowPosition]:
        """The rows on screen, top to bottom."""
        if self.empty:
            return []
        if self.following:
            return self._last_rows()
        serial, row = self.top
        end = self.layout.document.end
        places: list[RowPosition] = []
        while serial < end and len(places) < self.height:
            count = min(len(self.layout.rows(serial)), row + self.height - len(places))
            places.extend(RowPosition(serial, index) for index in range(row, count))
            serial, row = serial + 1, 0
        return places

    def _last_rows(self) -> list[RowPosition]:
        """The rows on screen when following, found from the end."""
        serial, first = self.layout.document.end - 1, self.layout.document.first
        places: list[RowPosition] = []
        while serial >= first and len(places) < self.height:
            room = self.height - len(places)
            count = len(self.layout.rows(serial))
            places.extend(RowPosition(serial, row) for row in range(count - 1, max(-1, count - 1 - room), -1))
            serial -= 1
        places.reverse()
        return places

    def scroll(self, rows: int) -> None:
        """Move by rows; upwards stops following, reaching the end starts it again."""
        if self.empty:
            return
        top = self.top
        self.show_from(self.above(top, -rows) if rows < 0 else self.below(top, rows), settle=rows > 0)

    def show_from(self, place: RowPosition, settle: bool = True) -> None:
        """Put a row at the top, but never show emptiness below the last row."""
        end_top = self.end_top()
        if place >= end_top:
            self._top = end_top
            self._following = settle or end_top == self._first()
        else:
            self._top = place
            self._following = False

    def _first(self) -> RowPosition:
        return RowPosition(self.layout.document.first, 0)

    def hold(self) -> None:
        """Stop following where we are."""
        self._top = self.top
        self._following = False

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._following = True

    def reveal(self, place: RowPosition, context: int = 0) -> None:
        """Scroll as little as needed to make a row visible."""
        top = self.top
        if place < top or self.empty:
            self.show_from(self.above(place, context), settle=False)
        elif place > self.below(top, self.height - 1):
            self.show_from(self.above(place, max(0, self.height - 1 - context)), settle=False)
        elif self.following:
            self.hold()
