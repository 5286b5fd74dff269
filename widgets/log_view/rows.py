"""The rows of a pane on screen: composed from the model, painted once, remembered, and repainted where they differ.

It never asks Textual for a layout: only rows in view are laid out, one strip is cached for each, and only rows that
changed are painted again. The lower border is written here too.
"""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Callable
from contextvars import Context, copy_context

from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from widgets.fast_compositor import FastScreen, raise_error
from widgets.lines import LogLine
from widgets.log_view.box_style import box_style_of, palette_of
from widgets.log_view.layout import RowPosition
from widgets.log_view.painter import Bar, Face, Overlay, RowPainter, StripCache
from widgets.log_view.pane_model import PaneModel
from widgets.text import clean_line
from widgets.textual_private import mark_dirty, render_border_row

_BLANK = LogLine("")


class PaneRows:
    """The strips of the rows in view of one widget."""

    def __init__(self, widget: Widget, model: PaneModel, hint: str, on_rows_shown: Callable[[], None]) -> None:
        """`on_rows_shown` is called when other rows are on screen than before."""
        self._widget, self._model, self._hint = widget, model, hint
        self._on_rows_shown = on_rows_shown
        self._context: Context | None = None
        self._sync_wanted = False
        self._painter: RowPainter | None = None
        self._strips = StripCache()
        self._borders: dict[int, Strip] = {}
        self._subtitle = ""
        self.writes_border = False
        """The lower border is being written: a refresh that comes of it concerns that row alone."""
        self.shown: list[Strip] = []
        self.places: list[RowPosition] = []
        """The row of the document on each row of the screen."""

    # -- changes -------------------------------------------------------------------------------

    def start(self) -> None:
        """The widget is mounted: show what was written before. Its context is that of its messages."""
        self._context = copy_context()
        self.write_border()
        self.changed()

    def changed(self, repaint: bool = False) -> None:
        """Something is different: look again once, after the current message."""
        if repaint:
            self._strips.clear()
        if not self._sync_wanted and self._widget.is_running:
            self._sync_wanted = True
            get_running_loop().call_soon(self._sync_safely, context=self._context)

    def _sync_safely(self) -> None:
        """Called by the loop, where nobody else would see an error; a message to itself costs as much as a sync."""
        try:
            self.sync()
        except Exception as error:  # noqa: BLE001 - the edge of the loop: the app decides what to do
            self._widget.call_next(raise_error, error)

    def sync(self) -> None:
        """Bring the screen up to date, repainting only rows that differ."""
        self._sync_wanted = False
        if not self._widget.size or not self._widget.is_attached:
            return
        before = self.shown
        self.compose()
        changed = [y for y, strip in enumerate(self.shown) if y >= len(before) or strip is not before[y]]
        if changed:
            self._paint(self._regions(changed))
        self.write_border()

    def repaint(self) -> None:
        """Colours, borders or the size changed: nothing that was painted is valid."""
        self._painter = None
        self._borders.clear()
        self.changed(repaint=True)

    def refreshed(self) -> None:
        """A refresh of the whole widget came from outside: do not show remembered borders."""
        self._borders.clear()
        self.changed()

    def _paint(self, regions: list[Region]) -> None:
        """Have these regions painted; the rest of a refresh is for widgets that are laid out by their content."""
        screen = self._widget.screen
        if isinstance(screen, FastScreen) and self._widget.display:
            mark_dirty(self._widget, regions)
            screen.paint_soon(self._widget)
        else:
            self._widget.refresh(*regions)

    def _regions(self, rows: list[int]) -> list[Region]:
        """One region when the rows are together, else one for each; borders included, so that no strip is cut."""
        left, width = -self._widget.gutter.left, self._widget.outer_size.width
        first, last = rows[0], rows[-1]
        if last - first + 1 == len(rows):
            return [Region(left, first, width, len(rows))]
        return [Region(left, y, width, 1) for y in rows]

    # -- composing -----------------------------------------------------------------------------

    def compose(self) -> None:
        """Make the strips of every visible row, top to bottom."""
        painter = self._painter or self._new_painter()
        height = self._widget.content_size.height
        self._model.set_height(height)
        before, self.places = self.places, self._model.view.visible()
        faces = self.bar(height).faces(max(height, len(self.places)))
        strip = self._strip if self._model.has_marks else self._bare_strip
        strips = [strip(painter, place, face) for place, face in zip(self.places, faces, strict=False)]
        strips.extend(self._blank(painter, face) for face in faces[len(strips) : height])
        self.shown = strips
        if before != self.places:
            self._on_rows_shown()

    def _new_painter(self) -> RowPainter:
        model = self._model
        model.lay_out(max(1, self._widget.content_size.width - 1), model.wrap)
        self._strips.clear()
        self._painter = RowPainter(palette_of(self._widget), model.content_width, box_style_of(self._widget))
        return self._painter

    def _blank(self, painter: RowPainter, face: Face) -> Strip:
        return self._strips.get((0, -1, face), _BLANK, lambda: painter.blank(face))

    def _bare_strip(self, painter: RowPainter, place: RowPosition, face: Face) -> Strip:
        """The short way to a row with nothing on it that was painted before: nearly all of them."""
        line, _ = self._model.layout.row(*place)
        return self._strips.known((*place, face), line) or self._strip(painter, place, face)

    def _strip(self, painter: RowPainter, place: RowPosition, face: Face) -> Strip:
        line, row = self._model.layout.row(*place)
        overlays = self._overlays(place.serial, row.line, line)
        cursor = self._cursor_look(place.serial, row.line)
        shift = 0 if self._model.layout.wrap else self._model.shift
        return self._strips.get(
            (*place, face),
            None if overlays or cursor else line,
            lambda: painter.strip(line, row, face, overlays=overlays, cursor=cursor, shift=shift),
        )

    def _overlays(self, serial: int, index: int, line: LogLine) -> list[Overlay]:
        search, selected = self._model.search, self._model.selected
        overlays = search.overlays(serial, index, line.text) if search else []
        if selected:
            span = selected.span(serial, index, len(line.text))
            if span:
                overlays.append(Overlay(*span, "selection"))
        return overlays

    def _cursor_look(self, serial: int, line: int) -> str:
        if self._model.view.following or not self._model.cursor.covers(serial, line):
            return ""
        return "cursor" if self._widget.has_focus else "cursor-idle"

    def bar(self, height: int) -> Bar:
        """The thumb of the scrollbar."""
        model = self._model
        total = model.layout.height()
        if model.view.empty or total <= height:
            return Bar.hidden()
        if model.view.following:
            return Bar.at_end(height, total)
        return Bar.of(height, total, model.layout.rows_before(*model.view.top))

    # -- what Textual asks for -----------------------------------------------------------------

    def lines(self, crop: Region) -> list[Strip]:
        """Every row as a cached strip; Textual's own path would style each row again in each frame."""
        if self._painter is None or not self._fits():
            self._painter = None
            self.compose()
        top = self._widget.gutter.top
        bottom = top + self._widget.content_size.height
        strips = [
            self.shown[y - top] if top <= y < bottom else self._border_row(y)
            for y in range(crop.y, crop.y + crop.height)
        ]
        if crop.x == 0 and crop.width >= self._widget.outer_size.width:
            return strips
        return [strip.crop(crop.x, crop.x + crop.width) for strip in strips]

    def _fits(self) -> bool:
        """The remembered rows are as wide and as many as the pane is now."""
        width, height = self._widget.content_size
        return len(self.shown) == height and self._model.content_width == max(1, width - 1)

    def _border_row(self, y: int) -> Strip:
        strip = self._borders.get(y)
        if strip is None:
            strip = self._borders[y] = render_border_row(self._widget, y)
        return strip

    # -- the lower border ----------------------------------------------------------------------

    def set_hint(self, text: str) -> None:
        """What the lower border says while the pane follows."""
        self._hint = text
        self.write_border()

    def write_border(self) -> None:
        """Write the lower border, repainting only that row."""
        text = clean_line(self._model.follow_state.text or self._hint)
        if text == self._subtitle:
            return
        self._subtitle, self.writes_border = text, True
        self._widget.border_subtitle = Content(text) if text else None
        self.writes_border = False
        self._borders.clear()
        if self._widget.is_attached and self._widget.size:
            gutter, outer = self._widget.gutter, self._widget.outer_size
            self._widget.refresh(Region(-gutter.left, self._widget.content_size.height, outer.width, gutter.bottom))
