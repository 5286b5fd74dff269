"""A pane of lines that may arrive faster than anybody can read.

It holds a capped document of lines, cards that unfold, plain text in pieces and streamed Markdown. Each of its ideas
is a class that stands on the one before: rows, writing, moving, finding, pointing. This one gives them keys and
looks, and tells the screen what a person did.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from widgets.lines import LogLine
from widgets.log_view.follow_state import LinePosition
from widgets.log_view.model import Styler
from widgets.log_view.pane_pointing import PanePointing


class LogPane(PanePointing, can_focus=True):
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
        styler: Styler = LogLine,
        clock: Callable[[], datetime] = datetime.now,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """`styler` draws plain entries; without `follow` it stays at the top."""
        super().__init__(
            cap=cap,
            wrap=wrap,
            follow=follow,
            hint=hint,
            styler=styler,
            clock=clock,
            name=name,
            id=id,
            classes=classes,
            disabled=disabled,
        )

    # -- opening -----------------------------------------------------------------------------------

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
                self._cursor.at = LinePosition(serial, 0)
            self._changed()
        if entry.key:
            self.post_message(self.Opened(self, entry.key, unfolded))

    # -- what it tells ---------------------------------------------------------------------------

    def follow_changed(self, following: bool) -> None:
        """Tell the screen."""
        self.post_message(self.FollowChanged(self, following))

    def link_clicked(self, url: str) -> None:
        """Tell the screen."""
        self.post_message(self.LinkClicked(self, url))

    def cursor_moved(self) -> None:
        """Say where the cursor is now."""
        self.post_message(self.CursorMoved(self, self.cursor_key))
