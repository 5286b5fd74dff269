"""The line above the keys: what was told last, and the places that one can go to, at the right.

It is always there, so that what is told covers nothing. A long sentence takes more rows rather than lose its end, and
pushes what is above it aside meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from widgets.segments import cut, joined, piece

MOST_ROWS = 3
_GAP = 2


@dataclass(frozen=True, slots=True)
class ScreenTab:
    """One of the places that a line names, with the key that leads there."""

    key: str
    label: str
    name: str
    """Says which one was pressed."""
    _: KW_ONLY
    here: bool = False

    @property
    def width(self) -> int:
        return len(self.key) + 1 + len(self.label)


class NoticeLine(Widget):
    """Shows the newest notice; where that leaves room, the places."""

    DEFAULT_CSS = f"""
    NoticeLine {{ height: auto; min-height: 1; max-height: {MOST_ROWS}; width: 1fr; padding: 0 1; background: $panel; }}
    """
    ALLOW_SELECT = True

    class Pressed(Message):
        """A place was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._text, self._is_problem = "", False
        self._places: tuple[ScreenTab, ...] = ()

    @property
    def text(self) -> str:
        """What is told now."""
        return self._text

    def tell(self, text: str, *, is_problem: bool = False) -> None:
        """Show this in place of what was told before; an empty text takes it away."""
        if (text, is_problem) != (self._text, self._is_problem):
            self._text, self._is_problem = text, is_problem
            self.refresh(layout=True)

    def show_places(self, places: Sequence[ScreenTab]) -> None:
        """Name these places."""
        if tuple(places) != self._places:
            self._places = tuple(places)
            self.refresh()

    # -- drawing -------------------------------------------------------------------------------

    def render(self) -> Content:
        """What is told, and the places where there is room for both."""
        width = self.content_size.width
        told = self._told()
        begin, between = self._places_at(width, told.cell_length)
        if begin is None:
            return Content("\n").join(_rows(told, width)) if told.cell_length else Content("")
        places = piece(" " * between).join([_shown(place) for place in self._places])
        return joined([told, piece(" " * (begin - told.cell_length)), places])

    def _told(self) -> Content:
        style = "bold $text-warning" if self._is_problem else ""
        return piece(f"! {self._text}" if self._is_problem and self._text else self._text, style)

    def _places_at(self, width: int, told: int) -> tuple[int | None, int]:
        """The column where the places begin, None where they have no room, and the gap between two of them."""
        for between in (_GAP, 1):
            needed = sum(place.width for place in self._places) + between * (len(self._places) - 1)
            if self._places and needed + (told + _GAP if told else 0) <= width:
                return width - needed, between
        return None, 0

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All there is."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One row; more for a sentence that is longer."""
        return max(1, len(_rows(self._told(), width)))

    def on_click(self, event: events.Click) -> None:
        """A click on a place leads there."""
        width = self.content_size.width
        begin, between = self._places_at(width, self._told().cell_length)
        x = event.x - self.gutter.left
        if begin is None:
            return
        for place in self._places:
            if begin <= x < begin + place.width:
                event.stop()
                self.post_message(self.Pressed(place.name))
                return
            begin += place.width + between


def _rows(told: Content, width: int) -> list[Content]:
    """The text in as many rows as it needs, the last of those that there may be cut."""
    if told.cell_length <= width:
        return [told]
    rows = told.wrap(max(1, width))
    return rows if len(rows) <= MOST_ROWS else [*rows[: MOST_ROWS - 1], cut(rows[MOST_ROWS - 1] + " …", width)]


def _shown(place: ScreenTab) -> Content:
    if place.here:
        return piece(f"{place.key} {place.label}", "bold reverse")
    return joined([piece(place.key, "bold $footer-key-foreground"), piece(" "), piece(place.label, "$foreground 70%")])
