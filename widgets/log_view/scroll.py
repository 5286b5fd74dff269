"""Moves the view of a pane and its line cursor: by rows, half pages, pages, to an end, sideways, to a line."""

from __future__ import annotations

from widgets.log_view.follow_state import LinePosition
from widgets.log_view.layout import RowPosition
from widgets.log_view.pane_model import PaneModel

_SHIFT = 8


class Scroller:
    """By keys and by calls; in an empty pane nothing happens."""

    def __init__(self, model: PaneModel) -> None:
        self._model = model

    # -- calls ---------------------------------------------------------------------------------

    def goto(self, key: str, unfold: bool = False) -> bool:
        """Scroll to the line with that key and put the cursor on it; false when there is none."""
        model = self._model
        serial = model.document.serial_of(key)
        if serial is None:
            return False
        if unfold:
            model.document.fold(serial, True)
            model.layout.forget(serial)
        model.set_cursor(LinePosition(serial, 0), context=model.view.height // 3)
        return True

    def show_index(self, index: int, context: int = 3) -> None:
        """Scroll so that the n-th line held stands near the top, with the cursor on it."""
        model = self._model
        if not 0 <= index < len(model.document):
            return
        position = RowPosition(model.document.first + index, 0)
        model.cursor.at = LinePosition(position.serial, 0)
        self._show_from(model.view.above(position, context))

    def stand_at(self, index: int) -> None:
        """Show the n-th line held on top; the cursor stays where it is."""
        self._show_from(RowPosition(self._model.document.first + index, 0))

    def _show_from(self, position: RowPosition) -> None:
        self._model.view.show_from(position, settle=False)
        self._model.note_follow()
        self._model.changed()

    def follow(self) -> None:
        """Go to the end and stay there."""
        model = self._model
        model.document.release()
        model.view.follow()
        if not model.can_follow and not model.view.empty:
            model.view.show_from(model.view.end_top())
        model.note_follow()
        model.changed()

    def scroll_rows(self, rows: int) -> None:
        """Scroll by rows, as the wheel does."""
        model = self._model
        if rows > 0 and model.document.held and model.at_end:
            model.document.release(model.view.height * 4)
        model.view.scroll(rows)
        model.note_follow()
        model.changed()

    def set_wrap(self, wrap: bool) -> None:
        """Wrap long lines, or cut them; the first visible line stays where it is."""
        model = self._model
        model.shift = 0
        model.lay_out(model.content_width, wrap)
        model.changed(repaint=True)

    # -- keys ----------------------------------------------------------------------------------

    def line(self, step: int) -> None:
        """Move the line cursor; at the last line of a followed pane, stay."""
        model = self._model
        if model.view.empty or (model.view.following and step > 0):
            return
        if model.cursor.at is None and model.view.following:
            model.cursor.at = model.cursor.last_visible()
        target = model.cursor.target(step)
        if target is not None:
            model.set_cursor(target)
        else:
            self.scroll_rows(step)

    def half(self, direction: int) -> None:
        """Scroll half a page."""
        self._page(direction * max(1, self._model.view.height // 2))

    def page(self, direction: int) -> None:
        """Scroll a page, keeping one row in sight."""
        self._page(direction * max(1, self._model.view.height - 1))

    def start(self) -> None:
        """Go to the first line that is held."""
        model = self._model
        if model.view.empty:
            return
        model.view.show_from(RowPosition(model.document.first, 0), settle=False)
        model.cursor.keep_visible(downwards=False)
        model.note_follow()
        model.changed()

    def end(self) -> None:
        """Go to the end and follow it."""
        self.follow()

    def toggle_follow(self) -> None:
        """Stay here, or follow the end again."""
        if self._model.view.following:
            self._model.view.hold()
            self._model.note_follow()
            self._model.changed()
        else:
            self.follow()

    def sideways(self, direction: int) -> None:
        """Shift long lines when they do not wrap."""
        model = self._model
        if not model.layout.wrap:
            model.shift = max(0, model.shift + direction * _SHIFT)
            model.changed(repaint=True)

    def toggle_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.set_wrap(not self._model.layout.wrap)

    def _page(self, rows: int) -> None:
        if self._model.view.empty:
            return
        self.scroll_rows(rows)
        if not self._model.view.following:
            self._model.cursor.keep_visible(rows > 0)


class EntryScroller(Scroller):
    """For lists: every key moves the cursor from entry to entry, and the view goes along."""

    def start(self) -> None:
        """Go to the first entry."""
        self._to(self._model.document.first)

    def end(self) -> None:
        """Go to the last entry."""
        self._to(self._model.document.end - 1)

    def _page(self, rows: int) -> None:
        model = self._model
        if model.view.empty or model.cursor.at is None:
            return
        row = model.cursor.row()
        target = model.view.above(row, -rows) if rows < 0 else model.view.below(row, rows)
        self._to(target.serial)

    def _to(self, serial: int) -> None:
        if not self._model.view.empty:
            self._model.set_cursor(LinePosition(serial, 0))
