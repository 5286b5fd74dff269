"""The rows of a pane: what is on screen of a document, painted once and remembered.

It never asks Textual for a layout: it lays out only the rows on screen, keeps one cached strip for each of them, and
repaints only rows that changed. Who writes, moves, searches and points stands above this.
"""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, Self

from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from widgets.fast_compositor import FastScreen
from widgets.lines import LogLine
from widgets.log_view.box_style import box_style_of, palette_of
from widgets.log_view.follow_state import FollowState, LineCursor
from widgets.log_view.layout import Layout, RowPosition, Viewport
from widgets.log_view.markdown import MarkdownStream
from widgets.log_view.model import Document, OpenLine, Styler
from widgets.log_view.painter import Bar, Face, Overlay, RowPainter, StripCache
from widgets.log_view.search import Search
from widgets.log_view.selection import Range
from widgets.text import clean_line

_BLANK = LogLine("")


class PaneRows(Widget):
    """A document, a view of it, and the strips of the rows in view."""

    CURSOR_BY_ENTRY: ClassVar[bool] = False
    """The cursor marks whole entries instead of single lines."""

    def __init__(
        self,
        *,
        cap: int,
        wrap: bool,
        follow: bool,
        hint: str,
        styler: Styler,
        clock: Callable[[], datetime],
        name: str | None,
        id: str | None,
        classes: str | None,
        disabled: bool,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._cap, self._styler = cap, styler
        self._hint = hint
        self._pause = FollowState(clock)
        self._shift = 0
        self._drag: float | None = None
        self._sync_wanted = False
        self._painter: RowPainter | None = None
        self._shown: list[Strip] = []
        self._places: list[RowPosition] = []
        self._strips = StripCache()
        self._borders: dict[int, Strip] = {}
        self._width, self._height, self._wrap, self._can_follow = 80, 24, wrap, follow
        self._start_over()

    def _start_over(self) -> None:
        self._document = Document(self._cap, self._styler)
        self._layout = Layout(self._document, self._width, self._wrap)
        self._view = Viewport(self._layout)
        self._view.can_follow, self._view.height = self._can_follow, self._height
        self._cursor = LineCursor(self._view, self.CURSOR_BY_ENTRY)
        self._open: OpenLine | None = None
        self._streams: dict[str, MarkdownStream] = {}
        self._search: Search | None = None
        self._selected: Range | None = None

    # -- what those above this one have to say ----------------------------------------------------

    def rows_shown(self) -> None:
        """Override: other rows are on screen than before."""

    def follow_changed(self, following: bool) -> None:
        """Override: the pane began to follow the end, or to hold still."""

    # -- changes -------------------------------------------------------------------------------

    def _changed(self, repaint: bool = False) -> None:
        """Something is different: look again once, after the current message."""
        if repaint:
            self._strips.clear()
        if not self._sync_wanted and self.is_running:
            self._sync_wanted = True
            get_running_loop().call_soon(self._look_again)

    def _look_again(self) -> None:
        """Called by the loop, where nobody else would see an error; a message to itself costs as much as a look."""
        with self._context():
            try:
                self._sync()
            except Exception as error:  # noqa: BLE001 - the edge of the loop: the app tells what became of it
                self.app._handle_exception(error)

    def _sync(self) -> None:
        """Bring the screen up to date, repainting only rows that differ."""
        self._sync_wanted = False
        if not self.size or not self.is_attached:
            return
        before = self._shown
        self._compose_rows()
        changed = [y for y, strip in enumerate(self._shown) if y >= len(before) or strip is not before[y]]
        if changed:
            self._paint(*self._regions(changed))
        self._tell()

    def _paint(self, *regions: Region) -> None:
        """Have these regions painted; the rest of a refresh is for widgets that are laid out by what they hold."""
        screen = self.screen
        if isinstance(screen, FastScreen) and self.display:
            self._set_dirty(*regions)
            screen.paint_soon(self)
        else:
            self.refresh(*regions)

    def _regions(self, rows: list[int]) -> list[Region]:
        """One region when the rows are together, else one for each; borders included, so that no strip is cut."""
        left, width = -self.gutter.left, self.outer_size.width
        first, last = rows[0], rows[-1]
        if last - first + 1 == len(rows):
            return [Region(left, first, width, len(rows))]
        return [Region(left, y, width, 1) for y in rows]

    def _compose_rows(self) -> None:
        """The strips of every visible row, top to bottom."""
        painter = self._painter or self._new_painter()
        height = self.content_size.height
        self._view.height = self._height = max(1, height)
        before, self._places = self._places, self._view.visible()
        faces = self._bar(height).faces(max(height, len(self._places)))
        strip = self._strip if self._marked else self._bare_strip
        strips = [strip(painter, place, face) for place, face in zip(self._places, faces, strict=False)]
        strips.extend(self._blank(painter, face) for face in faces[len(strips) : height])
        self._shown = strips
        if before != self._places:
            self.rows_shown()

    def _blank(self, painter: RowPainter, face: Face) -> Strip:
        return self._strips.get((0, -1, face), _BLANK, lambda: painter.blank(face))

    @property
    def _marked(self) -> bool:
        """There may be a cursor, a match or a selection."""
        return self._search is not None or self._selected is not None or not self._view.following

    def _bare_strip(self, painter: RowPainter, place: RowPosition, face: Face) -> Strip:
        """The short way to a row with nothing on it that was painted before: nearly all of them."""
        line, _ = self._layout.row(*place)
        return self._strips.known((*place, face), line) or self._strip(painter, place, face)

    def _strip(self, painter: RowPainter, place: RowPosition, face: Face) -> Strip:
        line, row = self._layout.row(*place)
        overlays = self._overlays(place.serial, row.line, line)
        cursor = self._cursor_look(place.serial, row.line)
        shift = 0 if self._layout.wrap else self._shift
        return self._strips.get(
            (*place, face),
            None if overlays or cursor else line,
            lambda: painter.strip(line, row, face, overlays=overlays, cursor=cursor, shift=shift),
        )

    def _overlays(self, serial: int, index: int, line: LogLine) -> list[Overlay]:
        overlays = self._search.overlays(serial, index, line.text) if self._search else []
        if self._selected:
            span = self._selected.span(serial, index, len(line.text))
            if span:
                overlays.append(Overlay(*span, "selection"))
        return overlays

    def _cursor_look(self, serial: int, line: int) -> str:
        if self._view.following or not self._cursor.covers(serial, line):
            return ""
        return "cursor" if self.has_focus else "cursor-idle"

    def _bar(self, height: int) -> Bar:
        total = self._layout.height()
        if self._view.empty or total <= height:
            return Bar.hidden()
        if self._view.following:
            return Bar.at_end(height, total)
        return Bar.of(height, total, self._layout.rows_before(*self._view.top))

    # -- the end and the beginning -------------------------------------------------------------

    def _follow(self) -> None:
        self._document.release()
        self._view.follow()
        if not self._can_follow and not self._view.empty:
            self._view.show_from(self._view.end_top())
        self._mark_pause()

    def _mark_pause(self) -> None:
        """Note when a person left the end, or came back to it."""
        following = self._view.following
        if self._can_follow and self._pause.mark(following):
            if following:
                self._cursor.at = None
            self.follow_changed(following)

    def _tell(self) -> None:
        """Write the lower border, repainting only that row."""
        text = clean_line(self._pause.text or self._hint)
        if text == (self._border_subtitle.plain if self._border_subtitle is not None else ""):
            return
        # The public property would repaint the whole pane for this one row.
        self._border_subtitle = Content(text) if text else None
        self._borders.clear()
        if self.is_attached and self.size:
            gutter = self.gutter
            self.refresh(Region(-gutter.left, self.content_size.height, self.outer_size.width, gutter.bottom))

    def _at_document_end(self) -> bool:
        return self._view.top >= self._view.end_top()

    def _lay_out(self, width: int, wrap: bool) -> None:
        """New rows, but the same first visible line."""
        held = None if self._view.following or self._view.empty else self._cursor.first_visible()
        self._width = width
        if self._layout.resize(width, wrap) and held is not None:
            self._view.show_from(RowPosition(held.serial, self._layout.row_of_line(*held)), settle=False)

    # -- painting ------------------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """Every row as a cached strip; Textual's own path would style each row again in each frame."""
        if self._painter is None or not self._fits():
            self._painter = None
            self._compose_rows()
        top = self.gutter.top
        bottom = top + self.content_size.height
        strips = [
            self._shown[y - top] if top <= y < bottom else self._border_row(y)
            for y in range(crop.y, crop.y + crop.height)
        ]
        if crop.x == 0 and crop.width >= self.outer_size.width:
            return strips
        return [strip.crop(crop.x, crop.x + crop.width) for strip in strips]

    def _fits(self) -> bool:
        """The remembered rows are as wide and as many as the pane is now."""
        width, height = self.content_size
        return len(self._shown) == height and self._width == max(1, width - 1)

    def _border_row(self, y: int) -> Strip:
        strip = self._borders.get(y)
        if strip is None:
            row = Region(0, y, self.outer_size.width, 1)
            self._styles_cache.set_dirty(row)
            strip = self._borders[y] = self._styles_cache.render_widget(self, row)[0]
        return strip

    def _new_painter(self) -> RowPainter:
        self._lay_out(max(1, self.content_size.width - 1), self._wrap)
        self._strips.clear()
        self._painter = RowPainter(palette_of(self), self._width, box_style_of(self))
        return self._painter

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """A pane takes what it is given."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A pane takes what it is given."""
        return container.height

    def notify_style_update(self) -> None:
        """Colours or borders changed: paint everything anew."""
        super().notify_style_update()
        self._repaint()

    def refresh(self, *regions: Region, **options: Any) -> Self:
        """A refresh without regions comes from outside, so it must not show remembered strips."""
        if not regions and options.get("repaint", True):
            self._borders.clear()
            self._changed()
        super().refresh(*regions, **options)
        return self

    def _repaint(self) -> None:
        self._painter = None
        self._borders.clear()
        self._changed(repaint=True)

    def on_mount(self) -> None:
        """Show what was written before the pane was on screen."""
        self._tell()
        self._changed()

    def on_resize(self) -> None:
        """Lay out the visible rows for the new width."""
        self._repaint()
        self._compose_rows()
        self.rows_shown()
