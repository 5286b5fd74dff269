"""A pane of lines that may arrive faster than anybody can read.

It never asks Textual for a layout: it holds a capped document, lays out only the rows on screen, keeps one
cached strip for each of them, and repaints only rows that changed. Lines, cards that unfold, plain text in
pieces and streamed Markdown live in one scrolling view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual._border import get_box
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style as TextualStyle
from textual.timer import Timer
from textual.widget import Widget

from .chunk import OpenLine
from .document import Document, Entry, Styler
from .finding import Search
from .layout import Layout
from .lines import LogLine
from .markdown import MarkdownStream
from .painting import Chrome, Overlay, RowPainter
from .palette import Palette
from .scrollbar import Bar
from .selecting import Anchor, Range, anchor_of, line_id
from .text import clean_line
from .viewport import Place, Viewport
from .wrapping import index_at

WHEEL_ROWS = 3
_STRIPS_KEPT = 400
_HUNG_STEP = 8


class LogPane(Widget, can_focus=True):
    """A scrolling, searchable, selectable pane of lines, cards and streams."""

    DEFAULT_CSS = """
    LogPane {
        width: 1fr;
        height: 1fr;
        overflow: hidden hidden;
        background: $surface;
        color: $foreground;
        border: round $border-blurred;
        border-title-align: left;
        border-subtitle-align: right;
    }
    LogPane:focus { border: heavy $border; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "line(1)", "Down", show=False, id="log.down"),
        Binding("k,up", "line(-1)", "Up", show=False, id="log.up"),
        Binding("ctrl+d", "half(1)", "Half page down", show=False, id="log.half_down"),
        Binding("ctrl+u", "half(-1)", "Half page up", show=False, id="log.half_up"),
        Binding("pagedown,space", "page(1)", "Page down", show=False, id="log.page_down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="log.page_up"),
        Binding("g,home", "start", "First line", show=False, id="log.start"),
        Binding("G,end", "end", "Follow the end", show=False, id="log.end"),
        Binding("f", "toggle_follow", "Follow", show=False, id="log.follow"),
        Binding("left", "sideways(-1)", "Left", show=False, id="log.left"),
        Binding("right", "sideways(1)", "Right", show=False, id="log.right"),
        Binding("enter", "open", "Open", show=False, id="log.open"),
        Binding("w", "toggle_wrap", "Wrap", show=False, id="log.wrap"),
        Binding("n", "find_next", "Next match", show=False, id="log.find_next"),
        Binding("N", "find_previous", "Previous match", show=False, id="log.find_previous"),
        Binding("escape", "end_find", "End search", show=False, id="log.end_find"),
        Binding("y", "copy", "Copy", show=False, id="log.copy"),
    ]

    class PaneMessage(Message):
        """Something a person did in a pane."""

        def __init__(self, pane: LogPane) -> None:
            super().__init__()
            self.pane = pane

        @property
        def control(self) -> LogPane:
            """The pane, so that `@on(..., "#id")` works."""
            return self.pane

    class Opened(PaneMessage):
        """A line with a key was opened. `unfolded` is None when it has no detail to fold here."""

        def __init__(self, pane: LogPane, key: str, unfolded: bool | None) -> None:
            super().__init__(pane)
            self.key = key
            self.unfolded = unfolded

    class OlderWanted(PaneMessage):
        """A person scrolled to the first line that is held, and there are older ones."""

    class FollowChanged(PaneMessage):
        """The pane began to follow the end, or to hold still."""

        def __init__(self, pane: LogPane, following: bool) -> None:
            super().__init__(pane)
            self.following = following

    class LinkClicked(PaneMessage):
        """A web link was clicked."""

        def __init__(self, pane: LogPane, url: str) -> None:
            super().__init__(pane)
            self.url = url

    class CursorMoved(PaneMessage):
        """The line cursor is on another line; `key` is empty for a line without one."""

        def __init__(self, pane: LogPane, key: str) -> None:
            super().__init__(pane)
            self.key = key

    def __init__(
        self,
        *,
        cap: int = 10_000,
        wrap: bool = True,
        hint: str = "",
        older: bool = False,
        styler: Styler = LogLine,
        clock: Callable[[], datetime] = datetime.now,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """`styler` turns plain entries into lines when they are drawn; `older` says that there is more to read back."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._document = Document(cap, styler)
        self._layout = Layout(self._document)
        self._view = Viewport(self._layout)
        self._layout.wrap = wrap
        self._clock = clock
        self._hint = hint
        self._older = older
        self._older_asked = False
        self._open: OpenLine | None = None
        self._streams: dict[str, MarkdownStream] = {}
        self._search: Search | None = None
        self._selected: Range | None = None
        self._cursor: tuple[int, int] | None = None
        self._paused_at: datetime | None = None
        self._new = 0
        self._shift = 0
        self._drag: float | None = None
        self._edge_timer: Timer | None = None
        self._sync_wanted = False
        self._painter: RowPainter | None = None
        self._shown: list[Strip] = []
        self._places: list[Place] = []
        self._kept: dict[tuple[int, int, bool], tuple[LogLine, Strip]] = {}
        self._borders: dict[int, Strip] = {}

    # -- what a screen writes ------------------------------------------------------------------

    def append(self, line: str | LogLine) -> None:
        """Add one line at the end."""
        self.extend((line,))

    def extend(self, lines: Sequence[str | LogLine]) -> None:
        """Add many lines at the end; call it from the UI thread, in batches."""
        if not lines:
            return
        self._close_open_line()
        self._extend(lines)

    def append_chunk(self, text: str, style: str = "") -> None:
        """Add streamed plain text; a newline in it ends the line."""
        first, *rest = text.replace("\r\n", "\n").split("\n")
        self._grow_open_line(first, style)
        if rest:
            self._close_open_line()
            self._extend([LogLine(line, style=style) if style else line for line in rest[:-1]])
            if rest[-1]:
                self._grow_open_line(rest[-1], style)

    def replace(self, key: str, line: LogLine) -> bool:
        """Put another line in place of the one with that key; false when it is no longer held."""
        serial = self._document.serial_of(key)
        if serial is None:
            return False
        self._document.put(serial, line)
        self._layout.forget(serial)
        self._changed()
        return True

    def extend_detail(self, key: str, lines: Iterable[LogLine], cap: int = 1_000) -> bool:
        """Add lines below a card, keeping the newest `cap`; false when the card is no longer held."""
        from dataclasses import replace

        serial = self._document.serial_of(key)
        card = None if serial is None else self._document[serial]
        if not isinstance(card, LogLine):
            return False
        return self.replace(key, replace(card, detail=(*card.detail, *lines)[-cap:]))

    def begin_stream(self, key: str, *, time: str = "", glyph: str = "", style: str = "") -> None:
        """Start a block of streamed Markdown at the end; what is added later stands below it."""
        self._close_open_line()
        stream = MarkdownStream(time=time, glyph=glyph, style=style)
        self._streams[key] = stream
        self._extend((stream,))

    def append_stream(self, key: str, text: str) -> None:
        """Add a piece of Markdown to a block; begins the block when nobody did."""
        if key not in self._streams:
            self.begin_stream(key)
        self._streams[key].add(text)
        self._changed()

    def end_stream(self, key: str) -> None:
        """The block is complete."""
        stream = self._streams.pop(key, None)
        if stream is not None:
            stream.finish()
            self._changed()

    def drop_stream(self, key: str) -> None:
        """Take an unfinished block away, as when the message it belonged to died."""
        stream = self._streams.pop(key, None)
        if stream is None:
            return
        for serial in range(self._document.first, self._document.end):
            if self._document[serial] is stream:
                self._document.remove(serial)
                self._layout.forget()
                break
        self._kept.clear()
        self._changed()

    def write_markdown(self, text: str, *, time: str = "", glyph: str = "", style: str = "") -> None:
        """Add a complete Markdown text."""
        stream = MarkdownStream(time=time, glyph=glyph, style=style)
        stream.add(text)
        stream.finish()
        self._close_open_line()
        self._extend((stream,))

    def prepend(self, lines: Sequence[str | LogLine], older: bool = False) -> None:
        """Put older lines above the first one; `older` says whether there are still more."""
        if lines:
            self._document.prepend(lines)
        self._older, self._older_asked = older, False
        self._changed()

    def clear(self) -> None:
        """Forget every line and follow again."""
        cap, styler = self._document.cap, self._document.styler
        self._document.__init__(cap, styler)  # type: ignore[misc]
        self._layout.forget()
        self._open, self._cursor, self._selected = None, None, None
        self._streams.clear()
        self._kept.clear()
        self._follow()
        self._changed()

    def set_hint(self, text: str) -> None:
        """What the lower border says while the pane follows."""
        self._hint = text
        self._tell()

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
    def older(self) -> bool:
        """Whether there are older lines to read back."""
        return self._older

    @property
    def cursor_key(self) -> str:
        """The key of the line under the cursor, or an empty text."""
        line = self._line_at(self._cursor) if self._cursor else None
        return line.key if line else ""

    def goto(self, key: str, unfold: bool = False) -> bool:
        """Scroll to the line with that key and put the cursor on it."""
        serial = self._document.serial_of(key)
        if serial is None:
            return False
        if unfold:
            self._document.fold(serial, True)
            self._layout.forget(serial)
        self._set_cursor(serial, 0, context=self._view.height // 3)
        return True

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._follow()
        self._changed()

    # -- search --------------------------------------------------------------------------------

    def find(self, text: str) -> int:
        """Highlight a text and go to its last match at or above the view; returns how many there are."""
        self._search = Search(self._layout, text) if text else None
        if self._search is None:
            self._changed(repaint=True)
            return 0
        total = self._search.count()
        if total:
            self._go_to_match(forward=True, origin=self._search_origin())
        self._changed(repaint=True)
        return total

    def find_next(self) -> bool:
        """Go to the next match; false when there is none."""
        return self._search is not None and self._go_to_match(forward=True)

    def find_previous(self) -> bool:
        """Go to the match before; false when there is none."""
        return self._search is not None and self._go_to_match(forward=False)

    def _search_origin(self) -> tuple[int, int, int]:
        """Just before the first visible line."""
        if self._view.empty:
            return (0, 0, -1)
        top = self._view.top
        return (top.serial, self._layout.rows(top.serial)[top.row].line, -1)

    def _go_to_match(self, *, forward: bool, origin: tuple[int, int, int] | None = None) -> bool:
        assert self._search is not None
        current = self._search.current
        match = self._search.step(origin or current or self._search_origin(), forward)
        if match is None:
            return False
        if match.line >= len(self._layout.lines(match.serial)):
            return False
        row = self._row_holding(match.serial, match.line, match.at)
        self._view.reveal(Place(match.serial, row), context=self._view.height // 4)
        self._mark_pause()
        self._changed(repaint=True)
        return True

    def _row_holding(self, serial: int, line: int, at: int) -> int:
        rows = self._layout.rows(serial)
        index = self._layout.row_of_line(serial, line)
        while index + 1 < len(rows) and rows[index + 1].line == line and rows[index + 1].start <= at:
            index += 1
        return index

    # -- changes -------------------------------------------------------------------------------

    def _extend(self, entries: Sequence[Entry]) -> None:
        keep_from = None if self._view.following else self._view.top.serial
        self._document.extend(entries, keep_from)
        if not self._view.following:
            self._new += len(entries)
        self._changed()

    def _grow_open_line(self, piece: str, style: str) -> None:
        if self._open is None or self._open.full or self._open.style != style:
            self._close_open_line()
            self._open = OpenLine(style)
            self._open.add(piece)
            self._extend((self._open,))
            return
        if piece:
            self._open.add(piece)
            self._changed()

    def _close_open_line(self) -> None:
        """Turn the open line into an ordinary one, where it stands."""
        line, self._open = self._open, None
        if line is None or not self._document.entries:
            return
        last = self._document.end - 1
        if self._document[last] is line:
            self._document.put(last, line.closed())
            self._layout.forget(last)

    def _changed(self, repaint: bool = False) -> None:
        """Something is different: look again once, after the current message."""
        if repaint:
            self._kept.clear()
        if not self._sync_wanted and self.is_running:
            self._sync_wanted = True
            self.call_next(self._sync)

    def _sync(self) -> None:
        """Bring the screen up to date, repainting only rows that differ."""
        self._sync_wanted = False
        if not self.size or not self.is_attached:
            return
        before = self._shown
        self._compose_rows()
        changed = [y for y, strip in enumerate(self._shown) if y >= len(before) or strip is not before[y]]
        if changed:
            self.refresh(*_regions(changed, self.content_size.width))
        self._tell()
        self._ask_older()

    def _compose_rows(self) -> None:
        """The strips of every visible row, top to bottom."""
        painter = self._painter or self._new_painter()
        self._view.height = max(1, self.content_size.height)
        self._places = self._view.visible()
        bar = self._bar()
        strips = [self._strip(painter, place, bar.covers(y)) for y, place in enumerate(self._places)]
        strips.extend(self._blank(painter, bar.covers(y)) for y in range(len(strips), self.content_size.height))
        self._shown = strips

    def _blank(self, painter: RowPainter, thumb: bool) -> Strip:
        kept = self._kept.get((0, -1, thumb))
        if kept is None:
            kept = self._kept[(0, -1, thumb)] = (LogLine(""), painter.blank(thumb=thumb))
        return kept[1]

    def _strip(self, painter: RowPainter, place: Place, thumb: bool) -> Strip:
        line, row = self._layout.row(*place)
        overlays = self._overlays(place.serial, row.line, line)
        cursor = self._cursor_look(place.serial, row.line)
        key = (place.serial, place.row, thumb)
        plain = not overlays and not cursor
        kept = self._kept.get(key)
        if plain and kept is not None and kept[0] is line:
            return kept[1]
        strip = painter.strip(
            line, row, thumb=thumb, overlays=overlays, cursor=cursor, shift=0 if self.wrap else self._shift
        )
        if kept is not None and kept[1] == strip:
            strip = kept[1]
        self._keep(key, line if plain else _NO_LINE, strip)
        return strip

    def _keep(self, key: tuple[int, int, bool], line: LogLine, strip: Strip) -> None:
        if len(self._kept) >= _STRIPS_KEPT:
            for old in list(self._kept)[: _STRIPS_KEPT // 2]:
                del self._kept[old]
        self._kept[key] = (line, strip)

    def _overlays(self, serial: int, index: int, line: LogLine) -> list[Overlay]:
        overlays = self._search.overlays(serial, index, line.text) if self._search else []
        if self._selected:
            span = self._selected.span(serial, index, len(line.text))
            if span:
                overlays.append(Overlay(*span, "selection"))
        return overlays

    def _cursor_look(self, serial: int, line: int) -> str:
        if self._cursor != (serial, line) or self._view.following:
            return ""
        return "cursor" if self.has_focus else "cursor-idle"

    def _bar(self) -> Bar:
        height = self.content_size.height
        total = self._layout.height()
        if self._view.empty or total <= height:
            return Bar.hidden()
        if self._view.following:
            return Bar.at_end(height, total)
        return Bar.of(height, total, self._layout.rows_before(*self._view.top))

    # -- follow --------------------------------------------------------------------------------

    def _follow(self) -> None:
        self._document.release()
        self._view.follow()
        self._mark_pause()

    def _mark_pause(self) -> None:
        """Note when a person left the end, or came back to it."""
        if self._view.following:
            if self._paused_at is not None:
                self._paused_at, self._new, self._cursor = None, 0, None
                self.post_message(self.FollowChanged(self, True))
        elif self._paused_at is None:
            self._paused_at, self._new = self._clock(), 0
            self.post_message(self.FollowChanged(self, False))

    def _tell(self) -> None:
        """Write the lower border, repainting only that row."""
        text = clean_line(self._status())
        if self._border_subtitle is not None and self._border_subtitle.plain == text:
            return
        # The public property would repaint the whole pane for this one row.
        self._border_subtitle = Content(text) if text else None
        self._borders.clear()
        if self.is_attached and self.size:
            gutter = self.gutter
            self.refresh(Region(-gutter.left, self.content_size.height, self.outer_size.width, gutter.bottom))

    def _status(self) -> str:
        if self._paused_at is None:
            return self._hint
        new = self._new + 0
        return f"paused at {self._paused_at:%H:%M:%S} · {new:,} new · end follows"

    def _ask_older(self) -> None:
        if self._older and not self._older_asked and not self._view.following and self._near_start():
            self._older_asked = True
            self.post_message(self.OlderWanted(self))

    def _near_start(self) -> bool:
        return self._view.top.serial - self._document.first <= self._view.height

    # -- movement ------------------------------------------------------------------------------

    def scroll_rows(self, rows: int) -> None:
        """Scroll by rows, as the wheel does."""
        if rows > 0 and self._document.held and self._at_document_end():
            self._document.release(self._view.height * 4)
        self._view.scroll(rows)
        self._mark_pause()
        self._changed()

    def _at_document_end(self) -> bool:
        return self._view.top >= self._view.end_top()

    def action_line(self, step: int) -> None:
        """Move the line cursor; at the last line of a followed pane, stay."""
        if self._view.empty:
            return
        if self._cursor is None:
            self._cursor = self._last_visible_line() if step < 0 or self.following else self._first_visible_line()
            if self.following and step > 0:
                self._cursor = None
                return
        target = self._line_beside(self._cursor, step)
        if target is None:
            if step > 0:
                self.scroll_rows(1)
            return
        self._set_cursor(*target)

    def _set_cursor(self, serial: int, line: int, context: int = 0) -> None:
        self._cursor = (serial, line)
        first = self._layout.row_of_line(serial, line)
        self._view.reveal(Place(serial, first), context)
        self._mark_pause()
        self._changed()
        self.post_message(self.CursorMoved(self, self.cursor_key))

    def _last_visible_line(self) -> tuple[int, int]:
        place = (self._places or self._view.visible())[-1]
        return place.serial, self._layout.rows(place.serial)[place.row].line

    def _first_visible_line(self) -> tuple[int, int]:
        place = self._view.top
        return place.serial, self._layout.rows(place.serial)[place.row].line

    def _line_beside(self, origin: tuple[int, int], step: int) -> tuple[int, int] | None:
        """The line before or after one, across entries."""
        serial, line = origin
        if serial not in self._document:
            return self._first_visible_line()
        line += step
        if 0 <= line < len(self._layout.lines(serial)):
            return serial, line
        serial += step
        if serial not in self._document:
            return None
        return serial, 0 if step > 0 else len(self._layout.lines(serial)) - 1

    def _line_at(self, origin: tuple[int, int]) -> LogLine | None:
        serial, line = origin
        if serial not in self._document:
            return None
        lines = self._layout.lines(serial)
        return lines[min(line, len(lines) - 1)] if lines else None

    def action_half(self, direction: int) -> None:
        """Scroll half a page."""
        self._page(direction * max(1, self._view.height // 2))

    def action_page(self, direction: int) -> None:
        """Scroll a page, keeping one row in sight."""
        self._page(direction * max(1, self._view.height - 1))

    def _page(self, rows: int) -> None:
        self.scroll_rows(rows)
        if self._cursor is not None and not self._view.following:
            self._cursor = self._first_visible_line() if rows < 0 else self._last_row_line()

    def _last_row_line(self) -> tuple[int, int]:
        place = self._view.visible()[-1]
        return place.serial, self._layout.rows(place.serial)[place.row].line

    def action_start(self) -> None:
        """Go to the first line that is held."""
        if self._view.empty:
            return
        self._view.show_from(Place(self._document.first, 0), settle=False)
        if self._cursor is not None:
            self._cursor = self._first_visible_line()
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
            self._shift = max(0, self._shift + direction * _HUNG_STEP)
            self._changed(repaint=True)

    def action_toggle_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.set_wrap(not self.wrap)

    def set_wrap(self, wrap: bool) -> None:
        """Wrap long lines, or cut them; the first visible line stays where it is."""
        place = self._view.top if not self._view.empty else None
        line = self._layout.rows(place.serial)[place.row].line if place else 0
        if not self._layout.resize(self._layout.width, wrap):
            return
        self._shift = 0
        if place and not self._view.following:
            self._view.show_from(Place(place.serial, self._layout.row_of_line(place.serial, line)), settle=False)
        self._changed(repaint=True)

    # -- opening and copying -------------------------------------------------------------------

    def action_open(self) -> None:
        """Fold or unfold the card under the cursor and say that it was opened."""
        if self._cursor is not None and not self._view.following:
            self.open_at(self._cursor[0])

    def open_at(self, serial: int) -> None:
        """Fold or unfold one entry; post `Opened` when it has a key."""
        entry = self._document.get(serial)
        if not isinstance(entry, LogLine):
            return
        unfolded: bool | None = None
        if entry.detail:
            unfolded = not self._document.is_unfolded(serial)
            self._document.fold(serial, unfolded)
            self._layout.forget(serial)
            if self._cursor is not None:
                self._cursor = (serial, 0)
            self._changed()
        if entry.key:
            self.post_message(self.Opened(self, entry.key, unfolded))

    def action_copy(self) -> None:
        """Copy the selection, else the line under the cursor."""
        text = self._selected_text()
        if not text and self._cursor:
            line = self._line_at(self._cursor)
            text = line.text if line else ""
        if text:
            self.app.copy_to_clipboard(text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of a search are free for the screen while nothing is searched."""
        if action in ("find_next", "find_previous", "end_find"):
            return self._search is not None
        return True

    def action_find_next(self) -> None:
        """Go to the next match."""
        self.find_next()

    def action_find_previous(self) -> None:
        """Go to the match before."""
        self.find_previous()

    def action_end_find(self) -> None:
        """Stop highlighting."""
        self.find("")

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
        self._selected = self._range_of(selection)
        return self._selected_text(), "\n"

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

    def _selected_text(self) -> str:
        if self._selected is None:
            return ""
        parts: list[str] = []
        start, end = self._selected
        for serial in range(max(start.serial, self._document.first), min(end.serial + 1, self._document.end)):
            for index, line in enumerate(self._layout.lines(serial)):
                span = self._selected.span(serial, index, len(line.text))
                if span is not None:
                    parts.append(line.text[span[0] : span[1]])
        return "\n".join(parts)

    # -- painting ------------------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """Every row as a cached strip; Textual's own path would style each row again in each frame."""
        if self._painter is None or len(self._shown) != self.content_size.height:
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

    def render_line(self, y: int) -> Strip:
        """A content row that carries the place of each character, for Textual's mouse selection."""
        if not self._places:
            return Strip.blank(self.content_size.width)
        place = self._places[min(max(0, y), len(self._places) - 1)]
        line, row = self._layout.row(*place)
        at = line_id(place.serial, row.line)
        text = line.text[row.start : row.end]
        lead = self._lead_cells(line, row.start)
        beyond = y >= len(self._places)
        nowhere = _located(" ", row.end if beyond else row.start, at)
        body = [] if beyond else [_located(text, row.start, at)]
        return Strip([*[nowhere] * (self.content_size.width if beyond else lead), *body, _located("", row.end, at)])

    def _lead_cells(self, line: LogLine, start: int) -> int:
        from rich.cells import cell_len

        from .lines import gutter_width

        lead = line.lead if not start or line.hang is None else line.hang
        return gutter_width(line) + cell_len(lead)

    def _border_row(self, y: int) -> Strip:
        strip = self._borders.get(y)
        if strip is None:
            row = Region(0, y, self.outer_size.width, 1)
            self._styles_cache.set_dirty(row)
            strip = self._borders[y] = self._styles_cache.render_widget(self, row)[0]
        return strip

    def _new_painter(self) -> RowPainter:
        width = max(1, self.content_size.width - 1)
        self._layout.resize(width, self._layout.wrap)
        self._kept.clear()
        self._painter = RowPainter(palette_of(self), width, self._chrome())
        return self._painter

    def _chrome(self) -> Chrome:
        """The cells left and right of the text, as Textual would draw them from the stylesheet."""
        base = self.visual_style.rich_style
        styles = self.styles
        under, ground = self.background_colors
        inner, outer = TextualStyle(background=under + ground), TextualStyle(background=under)
        left: list[Segment] = []
        right: list[Segment] = []
        for side, cells, index in ((styles.border_left, left, 0), (styles.border_right, right, 2)):
            kind, colour = side
            if kind:
                edge = TextualStyle(foreground=under + colour)
                cells.append(get_box(kind, inner, outer, edge)[1][index])
        blank = Segment(" ", base)
        left.extend([blank] * styles.padding.left)
        right[:0] = [blank] * styles.padding.right
        bar, track = styles.scrollbar_color.rich_color, styles.scrollbar_background.rich_color
        return Chrome(
            left=tuple(left),
            right=tuple(right),
            track=Segment(" ", Style(color=bar, bgcolor=track)),
            thumb=Segment("█", Style(color=bar, bgcolor=track)),
            filters=tuple(self.get_line_filters()),
            background=ground,
        )

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

    def refresh(self, *regions: Region, **options: Any) -> LogPane:
        """A refresh without regions comes from outside, so it must not show remembered strips."""
        if not regions and options.get("repaint", True):
            self._borders.clear()
            self._changed()
        super().refresh(*regions, **options)
        return self

    def _repaint(self) -> None:
        self._painter = None
        self._borders.clear()
        self._kept.clear()
        self._changed()

    def on_mount(self) -> None:
        """Show what was written before the pane was on screen."""
        self._tell()
        self._changed()

    def on_resize(self) -> None:
        """Lay out the visible rows for the new width, keeping the first visible line."""
        place = None if self._view.following or self._view.empty else self._view.top
        line = self._layout.rows(place.serial)[place.row].line if place else 0
        self._repaint()
        self._new_painter()
        self._view.height = max(1, self.content_size.height)
        if place:
            self._view.show_from(Place(place.serial, self._layout.row_of_line(place.serial, line)), settle=False)
        self._compose_rows()

    # -- mouse ---------------------------------------------------------------------------------

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
        bar = self._bar()
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
        self._view.show_from(Place(*self._layout.at(rows)), settle=rows >= total - height)
        if self._view.following:
            self._document.release()
        self._mark_pause()
        self._changed()

    def _scroll_at_edge(self, y: int) -> None:
        if y <= 0:
            self.scroll_rows(-1)
        elif y >= self.content_size.height - 1 and not self._at_document_end():
            self.scroll_rows(1)

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
            self.post_message(self.LinkClicked(self, url))
        elif self._clickable(place.serial, row.line):
            self._click_card(place.serial, event.chain)
        elif not self.following:
            self._set_cursor(place.serial, row.line)

    def _clickable(self, serial: int, line: int) -> bool:
        entry = self._document[serial]
        return isinstance(entry, LogLine) and line == 0 and bool(entry.key or entry.detail)

    def _click_card(self, serial: int, chain: int) -> None:
        """The first click opens; the second of a double click must not close again."""
        self._set_cursor(serial, 0)
        if chain == 1:
            self.open_at(serial)

    def _link_at(self, line: LogLine, start: int, end: int, x: int) -> str:
        cell = x - self._lead_cells(line, start) + (0 if self.wrap else self._shift)
        at = start + index_at(line.text[start:end], cell)
        return next((span.link for span in line.spans if span.link and span.start <= at < span.end), "")


_NO_LINE = LogLine("")


def _located(text: str, x: int, y: int) -> Segment:
    return Segment(text, Style.from_meta({"offset": (x, y)}))


def _regions(rows: list[int], width: int) -> list[Region]:
    """One region when most rows changed, else one for each run of rows."""
    first, last = rows[0], rows[-1]
    if last - first + 1 == len(rows):
        return [Region(0, first, width, len(rows))]
    return [Region(0, y, width, 1) for y in rows]


_PALETTES: dict[tuple[str, Color, Color], Palette] = {}


def palette_of(widget: Widget) -> Palette:
    """The palette for a widget's theme and ground; shared, because theme variables are slow to make."""
    base = widget.visual_style
    key = (widget.app.theme, base.foreground or Color(0, 0, 0), base.background or Color(0, 0, 0))
    palette = _PALETTES.get(key)
    if palette is None:
        if len(_PALETTES) > 32:
            _PALETTES.clear()
        palette = _PALETTES[key] = Palette(widget.app.theme_variables, base.rich_style)
    return palette
