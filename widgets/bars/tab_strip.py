"""A row of names of which one is in front: panes that take turns where there is room for one only."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from widgets.segments import cut, joined, piece


class TabStrip(Widget):
    """Names of panes; the one in front stands in brackets, so that it is not told by colour alone."""

    DEFAULT_CSS = """
    TabStrip { height: 1; width: 1fr; padding: 0 1; background: $panel; }
    """

    class Pressed(Message):
        """A name was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tabs: tuple[tuple[str, str], ...] = ()
        self._here = ""

    def show(self, tabs: Sequence[tuple[str, str]], here: str) -> None:
        """Show names with their labels; `here` is the name of the one in front."""
        if (tuple(tabs), here) != (self._tabs, self._here):
            self._tabs, self._here = tuple(tabs), here
            self.refresh()

    def render(self) -> Content:
        """As many as fit."""
        return cut(joined([self._tab(name, label) for name, label in self._tabs]), self.content_size.width)

    def _tab(self, name: str, label: str) -> Content:
        here = name == self._here
        return piece(f"[{label}] " if here else f" {label}  ", "bold $text-primary" if here else "$foreground 60%")

    def on_click(self, event: events.Click) -> None:
        """A click brings a pane to the front."""
        x = event.x - self.gutter.left
        for name, label in self._tabs:
            width = self._tab(name, label).cell_length
            if 0 <= x < width:
                event.stop()
                self.post_message(self.Pressed(name))
                return
            x -= width
