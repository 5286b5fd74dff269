"""What a pane shows and where it stands: the one model that its scroller, finder, pointer, appender and rows share.

Knows no widget: what changes is reported by callbacks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from widgets.lines import LogLine
from widgets.log_view.follow_state import FollowState, LineCursor, LinePosition
from widgets.log_view.layout import Layout, RowPosition, Viewport
from widgets.log_view.model import Document, Styler
from widgets.log_view.search import Search
from widgets.log_view.selection import SelectedRange


def _ignore(*_: object) -> None:
    """No listener yet."""


class PaneModel:
    """A document, its layout, the part of it in view, the cursor, the search and the selection."""

    def __init__(
        self,
        *,
        cap: int,
        wrap: bool,
        follow: bool,
        styler: Styler,
        clock: Callable[[], datetime],
        cursor_by_entry: bool,
    ) -> None:
        self._cap, self._styler = cap, styler
        self._cursor_by_entry = cursor_by_entry
        self.can_follow = follow
        self.follow_state = FollowState(clock)
        self.content_width, self.wrap = 80, wrap
        self.shift = 0
        """Cells that long lines are moved to the left while they do not wrap."""
        self._rows_in_view = 24
        self.on_changed: Callable[[bool], object] = _ignore
        """Called with whether every row has to be painted anew."""
        self.on_cursor_moved: Callable[[], object] = _ignore
        self.on_follow_changed: Callable[[bool], object] = _ignore
        self.reset()

    def reset(self) -> None:
        """Forget every line; width, wrap and follow mode stay."""
        self.document = Document(self._cap, self._styler)
        self.layout = Layout(self.document, self.content_width, self.wrap)
        self.view = Viewport(self.layout)
        self.view.can_follow, self.view.height = self.can_follow, self._rows_in_view
        self.cursor = LineCursor(self.view, self._cursor_by_entry)
        self.search: Search | None = None
        self.selected: SelectedRange | None = None

    def use_styler(self, styler: Styler) -> None:
        """Draw plain entries in another way; their texts, and so their rows, are the same."""
        self._styler = self.document.styler = styler
        self.layout.forget()
        self.changed(repaint=True)

    def changed(self, repaint: bool = False) -> None:
        """Something is different; with `repaint`, remembered rows are not valid any more."""
        self.on_changed(repaint)

    @property
    def has_marks(self) -> bool:
        """There may be a cursor, a match or a selection on a row."""
        return self.search is not None or self.selected is not None or not self.view.following

    def set_height(self, rows: int) -> None:
        """So many rows are on screen."""
        self.view.height = self._rows_in_view = max(1, rows)

    def lay_out(self, width: int, wrap: bool) -> None:
        """New rows, but the same first visible line."""
        held = None if self.view.following or self.view.empty else self.cursor.first_visible()
        self.content_width, self.wrap = width, wrap
        if self.layout.resize(width, wrap) and held is not None:
            self.view.show_from(RowPosition(held.serial, self.layout.row_of_line(*held)), settle=False)

    def note_follow(self) -> None:
        """Note when a person left the end, or came back to it."""
        following = self.view.following
        if self.can_follow and self.follow_state.mark(following):
            if following:
                self.cursor.at = None
            self.on_follow_changed(following)

    def set_cursor(self, position: LinePosition, context: int = 0) -> None:
        """Put the cursor on a line and scroll as little as needed to show it."""
        self.cursor.at = position
        self.view.reveal(self.cursor.row(), context)
        self.note_follow()
        self.changed()
        self.on_cursor_moved()

    @property
    def at_end(self) -> bool:
        """The last row is in view."""
        return self.view.top >= self.view.end_top()

    @property
    def cursor_key(self) -> str:
        """The key of the entry under the cursor, or an empty text."""
        at = self.cursor.at
        entry = None if at is None else self.document.get(at.serial)
        return entry.key if isinstance(entry, LogLine) else ""

    def rows_above_cursor(self) -> int:
        """How many rows of the view are above the cursor."""
        if self.cursor.at is None or self.view.empty:
            return 0
        row = self.cursor.row()
        return next((index for index, place in enumerate(self.view.visible()) if place == row), 0)

    def toggle_fold(self, serial: int) -> bool | None:
        """Show or hide the detail of a card; None when it has none."""
        entry = self.document.get(serial)
        if not isinstance(entry, LogLine) or not entry.detail:
            return None
        unfolded = not self.document.is_unfolded(serial)
        self.document.fold(serial, unfolded)
        self.layout.forget(serial)
        if self.cursor.at is not None:
            self.cursor.at = LinePosition(serial, 0)
        self.changed()
        return unfolded
