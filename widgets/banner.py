"""One line that asks for attention and names the key that answers; not there when nothing asks."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from .pieces import cut, joined, piece
from .status import mark, status


class Banner(Widget):
    """An attention line, hidden while empty."""

    DEFAULT_CSS = """
    Banner { height: 1; width: 1fr; padding: 0 1; display: none; background: $accent-muted; color: $foreground; }
    Banner.-asking { display: block; }
    """

    class Pressed(Message):
        """The banner was clicked."""

        def __init__(self, banner: Banner) -> None:
            super().__init__()
            self.banner = banner

        @property
        def control(self) -> Banner:
            """The banner."""
            return self.banner

    def __init__(self, *, ascii: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._ascii = ascii
        self._text, self._state, self._key = "", "gate", ""
        self._short, self._more = "", ""

    @property
    def text(self) -> str:
        """What it says now."""
        return self._text

    def show(self, text: str, *, state: str = "gate", key: str = "", short: str = "", more: str = "") -> None:
        """Ask for attention; `key` is the one that answers.

        `short` says the same where there is no room for `text`; `more` stands behind either and is not cut.
        """
        if (text, state, key, short, more) == (self._text, self._state, self._key, self._short, self._more):
            return
        self._text, self._state, self._key = text, state, key
        self._short, self._more = short, more
        self.set_class(bool(text), "-asking")
        self.refresh()

    def clear(self) -> None:
        """Nothing to say."""
        self.show("")

    def render(self) -> Content:
        """Mark, text, key; the text is cut before the key is."""
        look = status(self._state)
        head = piece(mark(self._state, self._ascii) + " ", f"bold {look.style}")
        more = piece(f" {self._more}" if self._more else "")
        key = joined([piece("  Press "), piece(self._key, f"bold {look.style}")]) if self._key else Content("")
        room = self.content_size.width - sum(part.cell_length for part in (head, more, key))
        text = piece(self._text)
        if self._short and text.cell_length > room:
            text = piece(self._short)
        return joined([head, cut(text, room), more, key])

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All there is."""
        return container.width

    def on_click(self, event: events.Click) -> None:
        """A click is as good as the key."""
        event.stop()
        self.post_message(self.Pressed(self))
