"""A pane of lines that may arrive faster than anybody can read.

It holds a capped document of lines, cards that unfold, streamed plain text and streamed Markdown. Its parts share one
model: an appender writes into it, a scroller moves it, a finder searches it, a pointer is its mouse, and its rows
are what is painted. This class joins them, gives them keys, and posts messages about what a person did.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, Self

from textual import events, on
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from widgets.lines import LogLine
from widgets.log_view.append import Appender
from widgets.log_view.finder import Finder
from widgets.log_view.model import Styler
from widgets.log_view.mouse import Pointer
from widgets.log_view.pane_model import PaneModel
from widgets.log_view.rows import PaneRows
from widgets.log_view.scroll import Scroller

_OF_SEARCH = ("find_next", "find_previous", "end_find")


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
        Binding("j,down", "pane('line', 1)", "Down", show=False, id="log.down"),
        Binding("k,up", "pane('line', -1)", "Up", show=False, id="log.up"),
        Binding("ctrl+d", "pane('half', 1)", "Half page down", show=False, id="log.half_down"),
        Binding("ctrl+u", "pane('half', -1)", "Half page up", show=False, id="log.half_up"),
        Binding("pagedown,space", "pane('page', 1)", "Page down", show=False, id="log.page_down"),
        Binding("pageup", "pane('page', -1)", "Page up", show=False, id="log.page_up"),
        Binding("g,home", "pane('start')", "First line", show=False, id="log.start"),
        Binding("G,end", "pane('end')", "Follow the end", show=False, id="log.end"),
        Binding("f", "pane('toggle_follow')", "Follow", show=False, id="log.follow"),
        Binding("left", "pane('sideways', -1)", "Left", show=False, id="log.left"),
        Binding("right", "pane('sideways', 1)", "Right", show=False, id="log.right"),
        Binding("enter", "pane('open')", "Open", show=False, id="log.open"),
        Binding("w", "pane('toggle_wrap')", "Wrap", show=False, id="log.wrap"),
        Binding("n", "pane('find_next')", "Next match", show=False, id="log.find_next"),
        Binding("N", "pane('find_previous')", "Previous match", show=False, id="log.find_previous"),
        Binding("escape", "pane('end_find')", "End search", show=False, id="log.end_find"),
        Binding("y", "pane('copy')", "Copy", show=False, id="log.copy"),
    ]

    CURSOR_BY_ENTRY: ClassVar[bool] = False
    """The cursor marks whole entries instead of single lines."""
    SCROLLER: ClassVar[type[Scroller]] = Scroller
    UNUSED: ClassVar[frozenset[str]] = frozenset()
    """Commands that this kind of pane has no use for; their keys are free for the screen."""

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

    class FollowChanged(PaneMessage):
        """The pane began to follow the end, or to stay where it is."""

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
        styler: Styler = LogLine,
        clock: Callable[[], datetime] = datetime.now,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """`styler` draws plain entries; without `follow` the pane stays at the top."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.model = model = PaneModel(
            cap=cap, wrap=wrap, follow=follow, styler=styler, clock=clock, cursor_by_entry=self.CURSOR_BY_ENTRY
        )
        self.rows = rows = PaneRows(self, model, hint, lambda: self.on_rows_shown())
        self.scroller = scroller = self.SCROLLER(model)
        self.writer = writer = Appender(model)
        self.finder = finder = Finder(model)
        self.pointer = Pointer(
            self,
            model,
            rows,
            scroller,
            on_opened=self.open_at,
            on_link=lambda url: self.post_message(self.LinkClicked(self, url)),
        )
        model.on_changed, model.on_cursor_moved = rows.changed, lambda: self.on_cursor_moved()
        model.on_follow_changed = lambda following: self.post_message(self.FollowChanged(self, following))
        # What its parts do for others is offered by the pane itself.
        self.append, self.extend, self.replace = writer.append, writer.extend, writer.replace
        self.append_chunk, self.extend_detail = writer.append_chunk, writer.extend_detail
        self.begin_stream, self.append_stream = writer.begin_stream, writer.append_stream
        self.end_stream, self.drop_stream = writer.end_stream, writer.drop_stream
        self.write_markdown = writer.write_markdown
        self.goto, self.show_index, self.follow = scroller.goto, scroller.show_index, scroller.follow
        self.scroll_rows, self.set_wrap = scroller.scroll_rows, scroller.set_wrap
        self.find, self.find_next, self.find_previous = finder.find, finder.find_next, finder.find_previous
        self.set_hint = rows.set_hint

    # -- what a screen asks and says ---------------------------------------------------------------

    @property
    def line_count(self) -> int:
        """Entries held now."""
        return len(self.model.document)

    @property
    def following(self) -> bool:
        """Whether the pane sticks to the end."""
        return self.model.view.following

    @property
    def wrap(self) -> bool:
        """Whether long lines wrap."""
        return self.model.layout.wrap

    @property
    def cursor_key(self) -> str:
        """The key of the line under the cursor, or an empty text."""
        return self.model.cursor_key

    @property
    def shown_range(self) -> range:
        """Which of the lines held are on screen, counted from the first."""
        places, first = self.rows.places, self.model.document.first
        return range(places[0].serial - first, places[-1].serial - first + 1) if places else range(0)

    def clear(self) -> None:
        """Forget every line and follow again."""
        self.writer.forget()
        self.model.reset()
        self.model.note_follow()
        self.model.changed(repaint=True)

    # -- keys ------------------------------------------------------------------------------------

    def action_pane(self, command: str, *steps: int) -> None:
        """One of the commands of its parts."""
        for part in (self, self.scroller, self.finder):
            found = getattr(part, command, None)
            if found is not None:
                found(*steps)
                return

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of a search are free for the screen while nothing is searched, unused ones always."""
        if action != "pane":
            return True
        return parameters[0] not in self.UNUSED and (parameters[0] not in _OF_SEARCH or self.model.search is not None)

    def copy(self) -> None:
        """Copy the selection, else the line under the cursor."""
        text = self.pointer.text_to_copy()
        if text:
            self.app.copy_to_clipboard(text)

    def open(self) -> None:
        """Fold or unfold the card under the cursor and report that it was opened."""
        if self.model.cursor.at is not None and not self.following:
            self.open_at(self.model.cursor.at.serial)

    def open_at(self, serial: int) -> None:
        """Fold or unfold one entry; post `Opened` when it has a key."""
        unfolded = self.model.toggle_fold(serial)
        entry = self.model.document.get(serial)
        if isinstance(entry, LogLine) and entry.key:
            self.post_message(self.Opened(self, entry.key, unfolded))

    # -- what it reports -------------------------------------------------------------------------

    def on_rows_shown(self) -> None:
        """Override: other rows are on screen than before."""

    def on_cursor_moved(self) -> None:
        """Report where the cursor is now."""
        self.post_message(self.CursorMoved(self, self.cursor_key))

    # -- what Textual asks and says --------------------------------------------------------------

    @on(events.MouseScrollDown)
    @on(events.MouseScrollUp)
    @on(events.MouseDown)
    @on(events.MouseMove)
    @on(events.MouseUp)
    @on(events.Click)
    def _point(self, event: events.MouseEvent) -> None:
        self.pointer.on_event(event)

    def selection_updated(self, selection: Selection | None) -> None:
        """Textual's selection changed."""
        self.pointer.select(selection)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, for copying."""
        return self.pointer.selected_text(selection), "\n"

    def render_line(self, y: int) -> Strip:
        """A content row, for Textual's selection by mouse."""
        return self.pointer.located_line(y)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows to paint."""
        return self.rows.lines(crop)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """A pane takes what it is given."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A pane takes what it is given."""
        return container.height

    def notify_style_update(self) -> None:
        """Colours or borders changed: paint everything anew."""
        super().notify_style_update()
        self.rows.repaint()

    def refresh(self, *regions: Region, **options: Any) -> Self:
        """A refresh without regions comes from outside, so it must not show remembered strips."""
        if not regions and options.get("repaint", True):
            if self.rows.writes_border:
                return self
            self.rows.refreshed()
        super().refresh(*regions, **options)
        return self

    def on_mount(self) -> None:
        """Show what was written before the pane was on screen."""
        self.rows.start()

    def on_resize(self) -> None:
        """Lay out the visible rows for the new width."""
        self.rows.repaint()
        self.rows.compose()
        self.on_rows_shown()
