"""The mouse in a pane: wheel, scrollbar, clicks on cards and links, and text that is selected and copied."""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from widgets.lines import LogLine, lead_width
from widgets.log_view.follow_state import LinePosition
from widgets.log_view.layout import RowPosition
from widgets.log_view.painter import Bar
from widgets.log_view.pane_model import PaneModel
from widgets.log_view.rows import PaneRows
from widgets.log_view.scroll import Scroller
from widgets.log_view.selection import Anchor, SelectedRange, anchor_of, line_id, text_in
from widgets.segments import index_at

WHEEL_ROWS = 3


class Pointer:
    """What a person points at in one widget."""

    def __init__(
        self,
        widget: Widget,
        model: PaneModel,
        rows: PaneRows,
        scroller: Scroller,
        *,
        on_opened: Callable[[int], None],
        on_link: Callable[[str], object],
    ) -> None:
        """`on_opened` gets the serial of a card that was clicked, `on_link` an address."""
        self._widget, self._model, self._rows, self._scroller = widget, model, rows, scroller
        self._on_opened, self._on_link = on_opened, on_link
        self._drag: float | None = None

    def on_event(self, event: events.MouseEvent) -> None:
        """Any event of the mouse."""
        match event:
            case events.MouseScrollDown():
                self._wheel(event, WHEEL_ROWS)
            case events.MouseScrollUp():
                self._wheel(event, -WHEEL_ROWS)
            case events.MouseDown():
                self._press(event)
            case events.MouseMove():
                self._move(event)
            case events.MouseUp():
                self._release(event)
            case events.Click():
                self._click(event)

    # -- selection -----------------------------------------------------------------------------

    def select(self, selection: Selection | None) -> None:
        """Textual's selection changed: stay here and highlight it."""
        model = self._model
        model.selected = None if selection is None else self._range_of(selection)
        if model.selected is not None and model.view.following:
            model.view.hold()
            model.note_follow()
        model.changed()

    def selected_text(self, selection: Selection) -> str:
        """The text of a selection."""
        return text_in(self._range_of(selection), self._model.layout)

    def _range_of(self, selection: Selection) -> SelectedRange:
        document = self._model.document
        first, last = Anchor(document.first, 0, 0), Anchor(document.end, 0, 0)
        start = self._anchor(selection.start) if selection.start else first
        end = self._anchor(selection.end) if selection.end else last
        return SelectedRange(min(start, end), max(start, end))

    def _anchor(self, offset: Offset) -> Anchor:
        found = anchor_of(offset)
        if found is not None:
            return found
        places = self._rows.places
        if not places:
            return Anchor(self._model.document.first, 0, 0)
        place = places[min(max(0, offset.y), len(places) - 1)]
        _, row = self._model.layout.row(*place)
        return Anchor(place.serial, row.line, row.start)

    def located_line(self, y: int) -> Strip:
        """A content row that carries the place of each character, for Textual's selection by mouse."""
        places, width = self._rows.places, self._widget.content_size.width
        if not places:
            return Strip.blank(width)
        place = places[min(max(0, y), len(places) - 1)]
        line, row = self._model.layout.row(*place)
        at = line_id(place.serial, row.line)
        beyond = y >= len(places)
        nowhere = _located(" ", row.end if beyond else row.start, at)
        body = [] if beyond else [_located(line.text[row.start : row.end], row.start, at)]
        blanks = width if beyond else lead_width(line, row.start)
        return Strip([*[nowhere] * blanks, *body, _located("", row.end, at)])

    def text_to_copy(self) -> str:
        """The selection, else the line under the cursor."""
        model = self._model
        line = model.cursor.line()
        return text_in(model.selected, model.layout) if model.selected else (line.text if line else "")

    # -- wheel and scrollbar -------------------------------------------------------------------

    def _wheel(self, event: events.MouseEvent, rows: int) -> None:
        event.stop()
        event.prevent_default()
        self._scroller.scroll_rows(rows)

    def _press(self, event: events.MouseEvent) -> None:
        """Take hold of the scrollbar."""
        y = event.y - self._widget.gutter.top
        if not self._over_bar(event):
            return
        event.stop()
        self._widget.screen.clear_selection()
        self._widget.capture_mouse()
        bar = self._rows.bar(self._widget.content_size.height)
        self._drag = y - bar.start if bar.covers(y) else bar.size / 2
        self._drag_to(y)

    def _move(self, event: events.MouseEvent) -> None:
        """Drag the scrollbar, or scroll while a selection is dragged over an edge."""
        y = event.y - self._widget.gutter.top
        if self._drag is not None:
            event.stop()
            self._drag_to(y)
        elif event.button and self._model.selected is not None:
            self._scroll_at_edge(y)

    def _release(self, event: events.MouseEvent) -> None:
        """Let go of the scrollbar."""
        if self._drag is not None:
            event.stop()
            self._drag = None
            self._widget.release_mouse()

    def _over_bar(self, event: events.MouseEvent) -> bool:
        x = event.x - self._widget.gutter.left
        y = event.y - self._widget.gutter.top
        width, height = self._widget.content_size
        return x == width - 1 and 0 <= y < height

    def _drag_to(self, y: float) -> None:
        model = self._model
        if model.view.empty or self._drag is None:
            return
        height, total = self._widget.content_size.height, model.layout.height()
        rows = Bar.rows_at(y - self._drag, height, total)
        model.view.show_from(RowPosition(*model.layout.at(rows)), settle=rows >= total - height)
        if model.view.following:
            model.document.release()
        model.note_follow()
        model.changed()

    def _scroll_at_edge(self, y: int) -> None:
        if y <= 0:
            self._scroller.scroll_rows(-1)
        elif y >= self._widget.content_size.height - 1 and not self._model.at_end:
            self._scroller.scroll_rows(1)

    # -- clicks --------------------------------------------------------------------------------

    def _click(self, event: events.Click) -> None:
        """Put the cursor on a line; a card folds, a link is reported, a second click opens."""
        event.prevent_default()
        if self._over_bar(event) or self._widget.text_selection is not None:
            return
        y = event.y - self._widget.gutter.top
        if not 0 <= y < len(self._rows.places):
            return
        place = self._rows.places[y]
        line, row = self._model.layout.row(*place)
        url = self._link_at(line, row.start, row.end, event.x - self._widget.gutter.left)
        if url:
            self._on_link(url)
        elif self._clickable(place.serial, row.line):
            self._model.set_cursor(LinePosition(place.serial, 0))
            if event.chain == 1:  # the first click opens; the second of a double click must not close again
                self._on_opened(place.serial)
        elif not self._model.view.following:
            self._model.set_cursor(LinePosition(place.serial, row.line))

    def _clickable(self, serial: int, line: int) -> bool:
        entry = self._model.document[serial]
        return isinstance(entry, LogLine) and line == 0 and bool(entry.key or entry.detail)

    def _link_at(self, line: LogLine, start: int, end: int, x: int) -> str:
        cell = x - lead_width(line, start) + (0 if self._model.layout.wrap else self._model.shift)
        at = start + index_at(line.text[start:end], cell)
        return next((span.link for span in line.spans if span.link and span.start <= at < span.end), "")


def _located(text: str, x: int, y: int) -> Segment:
    return Segment(text, Style.from_meta({"offset": (x, y)}))
