"""The line cursor of a pane, and since when the pane is paused (does not follow the end).

The cursor moves by lines and stays valid when entries fold, wrap or are dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from widgets.lines import LogLine
from widgets.log_view.layout import RowPosition, Viewport


class LinePosition(NamedTuple):
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
        self.at: LinePosition | None = None

    def line(self) -> LogLine | None:
        """The line under the cursor."""
        if self.at is None or self.at.serial not in self._document:
            return None
        lines = self._layout.lines(self.at.serial)
        return lines[min(self.at.line, len(lines) - 1)] if lines else None

    def row(self) -> RowPosition:
        """The first row of the line under the cursor."""
        assert self.at is not None
        return RowPosition(self.at.serial, self._layout.row_of_line(*self.at))

    def target(self, step: int) -> LinePosition | None:
        """Where the cursor would go; None at either end of the document."""
        if self.at is None or self.at.serial not in self._document:
            return self.last_visible() if step < 0 else self.first_visible()
        return self._entry_beside(self.at, step) if self._by_entry else self._line_beside(self.at, step)

    def _entry_beside(self, at: LinePosition, step: int) -> LinePosition | None:
        serial = at.serial + step
        return LinePosition(serial, 0) if serial in self._document else None

    def _line_beside(self, at: LinePosition, step: int) -> LinePosition | None:
        line = at.line + step
        if 0 <= line < len(self._layout.lines(at.serial)):
            return LinePosition(at.serial, line)
        serial = at.serial + step
        if serial not in self._document:
            return None
        return LinePosition(serial, 0 if step > 0 else len(self._layout.lines(serial)) - 1)

    def first_visible(self) -> LinePosition:
        """The line of the first row on screen."""
        return self._of_row(self._view.top)

    def last_visible(self) -> LinePosition:
        """The line of the last row on screen."""
        return self._of_row(self._view.visible()[-1])

    def _of_row(self, place: RowPosition) -> LinePosition:
        return LinePosition(place.serial, 0 if self._by_entry else self._layout.rows(place.serial)[place.row].line)

    def keep_visible(self, downwards: bool) -> None:
        """After a page: the cursor goes along with the view."""
        if self.at is not None:
            self.at = self.last_visible() if downwards else self.first_visible()

    def covers(self, serial: int, line: int) -> bool:
        """Whether a line is drawn as the one under the cursor."""
        return self.at is not None and self.at.serial == serial and (self._by_entry or self.at.line == line)


class FollowState:
    """Says what the lower border of a held pane shows."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._since: datetime | None = None
        self._new = 0

    def count(self, new: int) -> None:
        """So many lines came; they only count while held."""
        if self._since is not None:
            self._new += new

    def mark(self, following: bool) -> bool:
        """Note the state; true when it changed."""
        if following == (self._since is None):
            return False
        self._since = None if following else self._clock()
        self._new = 0
        return True

    @property
    def text(self) -> str:
        """``paused at 14:02:25 · 38 new · end follows``, or nothing while following."""
        if self._since is None:
            return ""
        return f"paused at {self._since:%H:%M:%S} · {self._new:,} new · end follows"
