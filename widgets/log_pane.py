"""A pane of lines that may arrive faster than anybody can read.

It never asks Textual for a layout: it holds a capped document, lays out only the rows on screen, keeps one
cached strip for each of them, and repaints only rows that changed. Lines, cards that unfold, plain text in
pieces and streamed Markdown live in one scrolling view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from .chrome import chrome_of, palette_of
from .chunk import OpenLine
from .cursor import LineCursor, LinePlace
from .document import Document, Entry, Styler
from .finding import Search
from .layout import Layout
from .lines import LogLine, lead_width
from .markdown import MarkdownStream
from .painting import Overlay, RowPainter
from .pausing import Pause
from .quick import Quick
from .scrollbar import Bar, Face
from .selecting import Anchor, Range, anchor_of, line_id, text_in
from .strips import StripCache
from .text import clean_line
from .viewport import Place, Viewport
from .wrapping import index_at

WHEEL_ROWS = 3
_SHIFT = 8


class LogPane(Widget, can_focus=True):
    """A scrolling, searchable, selectable pane of lines, cards and streams."""

    DEFAULT_CSS = """
    LogPane {
        width: 1fr;
        height: 1fr;
        overflow: hidden hidden;
        background: $surface;
        color: $foreground;
        border: round $foreground 35%;
        border-title-color: $foreground;
        border-subtitle-color: $foreground 80%;
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

    CURSOR_BY_ENTRY: ClassVar[bool] = False
    """The cursor marks whole entries instead of single lines."""

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
        follow: bool = True,
        hint: str = "",
        older: bool = False,
        styler: Styler = LogLine,
        clock: Callable[[], datetime] = datetime.now,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """`styler` draws plain entries; `older`: there is more to read back; without `follow` it stays at the top."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._cap, self._styler = cap, styler
        self._hint = hint
        self._older, self._older_asked = older, False
        self._pause = Pause(clock)
        self._shift = 0
        self._drag: float | None = None
        self._sync_wanted = False
        self._syncing = Quick(self._sync)
        self._painter: RowPainter | None = None
        self._shown: list[Strip] = []
        self._places: list[Place] = []
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
        if stream is not None and self._document.discard(stream):
            self._layout.forget()
            self._changed(repaint=True)

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
        self._start_over()
        self._mark_pause()
        self._changed(repaint=True)

    def set_older(self, older: bool) -> None:
        """Whether there are older lines to read back."""
        self._older, self._older_asked = older, False
        self._ask_older()

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
        at = self._cursor.at
        entry = None if at is None else self._document.get(at.serial)
        return entry.key if isinstance(entry, LogLine) else ""

    def goto(self, key: str, unfold: bool = False) -> bool:
        """Scroll to the line with that key and put the cursor on it."""
        serial = self._document.serial_of(key)
        if serial is None:
            return False
        if unfold:
            self._document.fold(serial, True)
            self._layout.forget(serial)
        self._set_cursor(LinePlace(serial, 0), context=self._view.height // 3)
        return True

    def show_index(self, index: int, context: int = 3) -> None:
        """Scroll so that the n-th line held stands near the top, with the cursor on it."""
        if not 0 <= index < len(self._document):
            return
        place = Place(self._document.first + index, 0)
        self._cursor.at = LinePlace(place.serial, 0)
        self._view.show_from(self._view.above(place, context), settle=False)
        self._mark_pause()
        self._changed()

    @property
    def shown_range(self) -> range:
        """Which of the lines held are on screen, counted from the first."""
        if not self._places:
            return range(0)
        first = self._document.first
        return range(self._places[0].serial - first, self._places[-1].serial - first + 1)

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._follow()
        self._changed()

    # -- search --------------------------------------------------------------------------------

    def find(self, text: str) -> int:
        """Highlight a text and go to its first match from the top of the view on; returns how many there are."""
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
        self._pause.count(len(entries))
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
            self._strips.clear()
        if not self._sync_wanted and self.is_running:
            self._sync_wanted = True
            self.call_next(self._syncing)

    def _sync(self) -> None:
        """Bring the screen up to date, repainting only rows that differ."""
        self._sync_wanted = False
        if not self.size or not self.is_attached:
            return
        before = self._shown
        self._compose_rows()
        changed = [y for y, strip in enumerate(self._shown) if y >= len(before) or strip is not before[y]]
        if changed:
            self.refresh(*self._regions(changed))
        self._tell()
        self._ask_older()

    def _regions(self, rows: list[int]) -> list[Region]:
        """One region when the rows are together, else one for each; borders included, so that no strip is cut."""
        left, width = -self.gutter.left, self.outer_size.width
        first, last = rows[0], rows[-1]
        if last - first + 1 == len(rows):
            return [Region(left, first, width, len(rows))]
        return [Region(left, y, width, 1) for y in rows]

    def rows_shown(self) -> None:
        """Override: other rows are on screen than before."""

    def _compose_rows(self) -> None:
        """The strips of every visible row, top to bottom."""
        painter = self._painter or self._new_painter()
        self._view.height = self._height = max(1, self.content_size.height)
        before, self._places = self._places, self._view.visible()
        bar = self._bar()
        strips = [self._strip(painter, place, bar.face(y)) for y, place in enumerate(self._places)]
        strips.extend(self._blank(painter, bar.face(y)) for y in range(len(strips), self.content_size.height))
        self._shown = strips
        if before != self._places:
            self.rows_shown()

    def _blank(self, painter: RowPainter, face: Face) -> Strip:
        return self._strips.get((0, -1, face), _BLANK, lambda: painter.blank(face))

    def _strip(self, painter: RowPainter, place: Place, face: Face) -> Strip:
        line, row = self._layout.row(*place)
        overlays = self._overlays(place.serial, row.line, line)
        cursor = self._cursor_look(place.serial, row.line)
        shift = 0 if self.wrap else self._shift
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
        if not self._can_follow and not self._view.empty:
            self._view.show_from(self._view.end_top())
        self._mark_pause()

    def _mark_pause(self) -> None:
        """Note when a person left the end, or came back to it."""
        following = self._view.following
        if self._can_follow and self._pause.mark(following):
            if following:
                self._cursor.at = None
            self.post_message(self.FollowChanged(self, following))

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

    def _ask_older(self, upwards: bool = False) -> None:
        """Once, when a person is near the first line or tries to go above it."""
        if not self._older or self._older_asked or self._view.empty:
            return
        if (upwards and self._view.at_start) or (not self._view.following and self._near_start()):
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
        self._ask_older(upwards=rows < 0)
        self._mark_pause()
        self._changed()

    def _at_document_end(self) -> bool:
        return self._view.top >= self._view.end_top()

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

    def _set_cursor(self, place: LinePlace, context: int = 0) -> None:
        self._cursor.at = place
        self._view.reveal(self._cursor.row(), context)
        self._mark_pause()
        self._changed()
        self.cursor_moved()

    def cursor_moved(self) -> None:
        """Say where the cursor is now."""
        self.post_message(self.CursorMoved(self, self.cursor_key))

    def action_half(self, direction: int) -> None:
        """Scroll half a page."""
        self._page(direction * max(1, self._view.height // 2))

    def action_page(self, direction: int) -> None:
        """Scroll a page, keeping one row in sight."""
        self._page(direction * max(1, self._view.height - 1))

    def _page(self, rows: int) -> None:
        if self._view.empty:
            return
        self.scroll_rows(rows)
        if not self._view.following:
            self._cursor.keep_visible(rows > 0)

    def action_start(self) -> None:
        """Go to the first line that is held."""
        if self._view.empty:
            return
        self._view.show_from(Place(self._document.first, 0), settle=False)
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

    def set_wrap(self, wrap: bool) -> None:
        """Wrap long lines, or cut them; the first visible line stays where it is."""
        self._wrap, self._shift = wrap, 0
        self._lay_out(self._width, wrap)
        self._changed(repaint=True)

    def _lay_out(self, width: int, wrap: bool) -> None:
        """New rows, but the same first visible line."""
        held = None if self._view.following or self._view.empty else self._cursor.first_visible()
        self._width = width
        if self._layout.resize(width, wrap) and held is not None:
            self._view.show_from(Place(held.serial, self._layout.row_of_line(*held)), settle=False)

    # -- opening and copying -------------------------------------------------------------------

    def action_open(self) -> None:
        """Fold or unfold the card under the cursor and say that it was opened."""
        if self._cursor.at is not None and not self._view.following:
            self.open_at(self._cursor.at.serial)

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
            if self._cursor.at is not None:
                self._cursor.at = LinePlace(serial, 0)
            self._changed()
        if entry.key:
            self.post_message(self.Opened(self, entry.key, unfolded))

    def action_copy(self) -> None:
        """Copy the selection, else the line under the cursor."""
        line = self._cursor.line()
        text = text_in(self._selected, self._layout) if self._selected else (line.text if line else "")
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
        self._painter = RowPainter(palette_of(self), self._width, chrome_of(self))
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
            self._set_cursor(LinePlace(place.serial, row.line))

    def _clickable(self, serial: int, line: int) -> bool:
        entry = self._document[serial]
        return isinstance(entry, LogLine) and line == 0 and bool(entry.key or entry.detail)

    def _click_card(self, serial: int, chain: int) -> None:
        """The first click opens; the second of a double click must not close again."""
        self._set_cursor(LinePlace(serial, 0))
        if chain == 1:
            self.open_at(serial)

    def _link_at(self, line: LogLine, start: int, end: int, x: int) -> str:
        cell = x - lead_width(line, start) + (0 if self.wrap else self._shift)
        at = start + index_at(line.text[start:end], cell)
        return next((span.link for span in line.spans if span.link and span.start <= at < span.end), "")


_BLANK = LogLine("")


def _located(text: str, x: int, y: int) -> Segment:
    return Segment(text, Style.from_meta({"offset": (x, y)}))
