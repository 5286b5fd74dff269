"""Rows of a document at one width. Only what is looked at is ever laid out."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from .document import Document, Growing
from .lines import LogLine, gutter_width
from .wrapping import breaks

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
