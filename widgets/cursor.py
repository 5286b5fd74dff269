"""The line a person is at: moves by lines, lives through folding, dropping and wrapping."""

from __future__ import annotations

from typing import NamedTuple

from .lines import LogLine
from .viewport import Place, Viewport


class LinePlace(NamedTuple):
    """One line of one entry."""

    serial: int
    line: int


class LineCursor:
    """A cursor over the lines of a viewport; nowhere until somebody moves it."""

    def __init__(self, view: Viewport, by_entry: bool = False) -> None:
        self._view = view
        self._layout = view.layout
        self._document = view.layout.document
        self._by_entry = by_entry
        self.at: LinePlace | None = None

    def line(self) -> LogLine | None:
        """The line under the cursor."""
        if self.at is None or self.at.serial not in self._document:
            return None
        lines = self._layout.lines(self.at.serial)
        return lines[min(self.at.line, len(lines) - 1)] if lines else None

    def row(self) -> Place:
        """The first row of the line under the cursor."""
        assert self.at is not None
        return Place(self.at.serial, self._layout.row_of_line(*self.at))

    def target(self, step: int) -> LinePlace | None:
        """Where the cursor would go; None at either end of the document."""
        if self.at is None or self.at.serial not in self._document:
            return self.last_visible() if step < 0 else self.first_visible()
        return self._entry_beside(self.at, step) if self._by_entry else self._line_beside(self.at, step)

    def _entry_beside(self, at: LinePlace, step: int) -> LinePlace | None:
        serial = at.serial + step
        return LinePlace(serial, 0) if serial in self._document else None

    def _line_beside(self, at: LinePlace, step: int) -> LinePlace | None:
        line = at.line + step
        if 0 <= line < len(self._layout.lines(at.serial)):
            return LinePlace(at.serial, line)
        serial = at.serial + step
        if serial not in self._document:
            return None
        return LinePlace(serial, 0 if step > 0 else len(self._layout.lines(serial)) - 1)

    def first_visible(self) -> LinePlace:
        """The line of the first row on screen."""
        return self._of_row(self._view.top)

    def last_visible(self) -> LinePlace:
        """The line of the last row on screen."""
        return self._of_row(self._view.visible()[-1])

    def _of_row(self, place: Place) -> LinePlace:
        return LinePlace(place.serial, 0 if self._by_entry else self._layout.rows(place.serial)[place.row].line)

    def keep_visible(self, downwards: bool) -> None:
        """After a page: the cursor goes along with the view."""
        if self.at is not None:
            self.at = self.last_visible() if downwards else self.first_visible()

    def covers(self, serial: int, line: int) -> bool:
        """Whether a line is drawn as the one under the cursor."""
        return self.at is not None and self.at.serial == serial and (self._by_entry or self.at.line == line)
