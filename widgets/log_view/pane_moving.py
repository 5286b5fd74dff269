"""Where a pane is: it follows the end, holds still, scrolls, and has a cursor on a line."""

from __future__ import annotations

from widgets.lines import LogLine
from widgets.log_view.follow_state import LinePosition
from widgets.log_view.layout import RowPosition
from widgets.log_view.pane_writing import PaneWriting

_SHIFT = 8


class PaneMoving(PaneWriting):
    """By keys and by calls; what has no lines stays where it is."""

    def cursor_moved(self) -> None:
        """Override: the cursor is on another line."""

    # -- what a screen asks --------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        """Entries held now."""
        return len(self._document)

    @property
    def following(self) -> bool:
        """Whether the pane sticks to the end."""
        return self._view.following

    @property
    def wrap(self) -> bool:
        """Whether long lines wrap."""
        return self._layout.wrap

    @property
    def cursor_key(self) -> str:
        """The key of the line under the cursor, or an empty text."""
        at = self._cursor.at
        entry = None if at is None else self._document.get(at.serial)
        return entry.key if isinstance(entry, LogLine) else ""

    @property
    def shown_range(self) -> range:
        """Which of the lines held are on screen, counted from the first."""
        if not self._places:
            return range(0)
        first = self._document.first
        return range(self._places[0].serial - first, self._places[-1].serial - first + 1)

    # -- places --------------------------------------------------------------------------------

    def goto(self, key: str, unfold: bool = False) -> bool:
        """Scroll to the line with that key and put the cursor on it."""
        serial = self._document.serial_of(key)
        if serial is None:
            return False
        if unfold:
            self._document.fold(serial, True)
            self._layout.forget(serial)
        self._set_cursor(LinePosition(serial, 0), context=self._view.height // 3)
        return True

    def show_index(self, index: int, context: int = 3) -> None:
        """Scroll so that the n-th line held stands near the top, with the cursor on it."""
        if not 0 <= index < len(self._document):
            return
        place = RowPosition(self._document.first + index, 0)
        self._cursor.at = LinePosition(place.serial, 0)
        self._view.show_from(self._view.above(place, context), settle=False)
        self._mark_pause()
        self._changed()

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._follow()
        self._changed()

    def scroll_rows(self, rows: int) -> None:
        """Scroll by rows, as the wheel does."""
        if rows > 0 and self._document.held and self._at_document_end():
            self._document.release(self._view.height * 4)
        self._view.scroll(rows)
        self._mark_pause()
        self._changed()

    def _page(self, rows: int) -> None:
        if self._view.empty:
            return
        self.scroll_rows(rows)
        if not self._view.following:
            self._cursor.keep_visible(rows > 0)

    def set_wrap(self, wrap: bool) -> None:
        """Wrap long lines, or cut them; the first visible line stays where it is."""
        self._wrap, self._shift = wrap, 0
        self._lay_out(self._width, wrap)
        self._changed(repaint=True)

    def _set_cursor(self, place: LinePosition, context: int = 0) -> None:
        self._cursor.at = place
        self._view.reveal(self._cursor.row(), context)
        self._mark_pause()
        self._changed()
        self.cursor_moved()

    # -- keys ----------------------------------------------------------------------------------

    def action_line(self, step: int) -> None:
        """Move the line cursor; at the last line of a followed pane, stay."""
        if self._view.empty or (self.following and step > 0):
            return
        if self._cursor.at is None and self.following:
            self._cursor.at = self._cursor.last_visible()
        target = self._cursor.target(step)
        if target is not None:
            self._set_cursor(target)
        else:
            self.scroll_rows(step)

    def action_half(self, direction: int) -> None:
        """Scroll half a page."""
        self._page(direction * max(1, self._view.height // 2))

    def action_page(self, direction: int) -> None:
        """Scroll a page, keeping one row in sight."""
        self._page(direction * max(1, self._view.height - 1))

    def action_start(self) -> None:
        """Go to the first line that is held."""
        if self._view.empty:
            return
        self._view.show_from(RowPosition(self._document.first, 0), settle=False)
        self._cursor.keep_visible(downwards=False)
        self._mark_pause()
        self._changed()

    def action_end(self) -> None:
        """Go to the end and follow it."""
        self.follow()

    def action_toggle_follow(self) -> None:
        """Hold still, or follow again."""
        if self._view.following:
            self._view.hold()
            self._mark_pause()
            self._changed()
        else:
            self.follow()

    def action_sideways(self, direction: int) -> None:
        """Shift long lines when they do not wrap."""
        if not self.wrap:
            self._shift = max(0, self._shift + direction * _SHIFT)
            self._changed(repaint=True)

    def action_toggle_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.set_wrap(not self.wrap)
