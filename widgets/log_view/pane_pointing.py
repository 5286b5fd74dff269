"""The mouse in a pane: the wheel, the scrollbar, clicks on cards and links, and text that is selected and copied."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from widgets.lines import LogLine, lead_width
from widgets.log_view.follow_state import LinePosition
from widgets.log_view.layout import RowPosition
from widgets.log_view.painter import Bar
from widgets.log_view.pane_finding import PaneFinding
from widgets.log_view.selection import Anchor, Range, anchor_of, line_id, text_in
from widgets.segments import index_at

WHEEL_ROWS = 3


class PanePointing(PaneFinding):
    """What a person points at."""

    def link_clicked(self, url: str) -> None:
        """Override: a web link was clicked."""

    def open_at(self, serial: int) -> None:
        """Override: an entry is to be opened."""

    # -- selection -----------------------------------------------------------------------------

    def selection_updated(self, selection: Selection | None) -> None:
        """Textual's selection changed: hold still and highlight it."""
        self._selected = None if selection is None else self._range_of(selection)
        if self._selected is not None and self._view.following:
            self._view.hold()
            self._mark_pause()
        self._changed()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, for copying."""
        return text_in(self._range_of(selection), self._layout), "\n"

    def _range_of(self, selection: Selection) -> Range:
        document = self._document
        first, last = Anchor(document.first, 0, 0), Anchor(document.end, 0, 0)
        start = self._anchor(selection.start) if selection.start else first
        end = self._anchor(selection.end) if selection.end else last
        return Range(min(start, end), max(start, end))

    def _anchor(self, offset: Offset) -> Anchor:
        found = anchor_of(offset)
        if found is not None:
            return found
        if not self._places:
            return Anchor(self._document.first, 0, 0)
        place = self._places[min(max(0, offset.y), len(self._places) - 1)]
        _, row = self._layout.row(*place)
        return Anchor(place.serial, row.line, row.start)

    def render_line(self, y: int) -> Strip:
        """A content row that carries the place of each character, for Textual's mouse selection."""
        if not self._places:
            return Strip.blank(self.content_size.width)
        place = self._places[min(max(0, y), len(self._places) - 1)]
        line, row = self._layout.row(*place)
        at = line_id(place.serial, row.line)
        text = line.text[row.start : row.end]
        lead = lead_width(line, row.start)
        beyond = y >= len(self._places)
        nowhere = _located(" ", row.end if beyond else row.start, at)
        body = [] if beyond else [_located(text, row.start, at)]
        return Strip([*[nowhere] * (self.content_size.width if beyond else lead), *body, _located("", row.end, at)])

    def action_copy(self) -> None:
        """Copy the selection, else the line under the cursor."""
        line = self._cursor.line()
        text = text_in(self._selected, self._layout) if self._selected else (line.text if line else "")
        if text:
            self.app.copy_to_clipboard(text)

    # -- wheel and scrollbar -------------------------------------------------------------------

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down with the wheel."""
        self._wheel(event, WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up with the wheel."""
        self._wheel(event, -WHEEL_ROWS)

    def _wheel(self, event: events.MouseEvent, rows: int) -> None:
        event.stop()
        event.prevent_default()
        self.scroll_rows(rows)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scrollbar."""
        y = event.y - self.gutter.top
        if not self._over_bar(event):
            return
        event.stop()
        self.screen.clear_selection()
        self.capture_mouse()
        bar = self._bar(self.content_size.height)
        self._drag = y - bar.start if bar.covers(y) else bar.size / 2
        self._drag_to(y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the scrollbar, or scroll while a selection is dragged over an edge."""
        y = event.y - self.gutter.top
        if self._drag is not None:
            event.stop()
            self._drag_to(y)
        elif event.button and self._selected is not None:
            self._scroll_at_edge(y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of the scrollbar."""
        if self._drag is not None:
            event.stop()
            self._drag = None
            self.release_mouse()

    def _over_bar(self, event: events.MouseEvent) -> bool:
        x = event.x - self.gutter.left
        y = event.y - self.gutter.top
        return x == self.content_size.width - 1 and 0 <= y < self.content_size.height

    def _drag_to(self, y: float) -> None:
        if self._view.empty or self._drag is None:
            return
        height, total = self.content_size.height, self._layout.height()
        rows = Bar.rows_at(y - self._drag, height, total)
        self._view.show_from(RowPosition(*self._layout.at(rows)), settle=rows >= total - height)
        if self._view.following:
            self._document.release()
        self._mark_pause()
        self._changed()

    def _scroll_at_edge(self, y: int) -> None:
        if y <= 0:
            self.scroll_rows(-1)
        elif y >= self.content_size.height - 1 and not self._at_document_end():
            self.scroll_rows(1)

    # -- clicks --------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a line; a card folds, a link is reported, a second click opens."""
        event.prevent_default()
        if self._over_bar(event) or self.text_selection is not None:
            return
        y = event.y - self.gutter.top
        if not 0 <= y < len(self._places):
            return
        place = self._places[y]
        line, row = self._layout.row(*place)
        url = self._link_at(line, row.start, row.end, event.x - self.gutter.left)
        if url:
            self.link_clicked(url)
        elif self._clickable(place.serial, row.line):
            self._click_card(place.serial, event.chain)
        elif not self.following:
            self._set_cursor(LinePosition(place.serial, row.line))

    def _clickable(self, serial: int, line: int) -> bool:
        entry = self._document[serial]
        return isinstance(entry, LogLine) and line == 0 and bool(entry.key or entry.detail)

    def _click_card(self, serial: int, chain: int) -> None:
        """The first click opens; the second of a double click must not close again."""
        self._set_cursor(LinePosition(serial, 0))
        if chain == 1:
            self.open_at(serial)

    def _link_at(self, line: LogLine, start: int, end: int, x: int) -> str:
        cell = x - lead_width(line, start) + (0 if self.wrap else self._shift)
        at = start + index_at(line.text[start:end], cell)
        return next((span.link for span in line.spans if span.link and span.start <= at < span.end), "")


def _located(text: str, x: int, y: int) -> Segment:
    return Segment(text, Style.from_meta({"offset": (x, y)}))
