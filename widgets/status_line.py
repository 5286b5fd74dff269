"""One line of facts, the most important first; a narrow terminal loses the least important ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from .pieces import cut, piece
from .text import clean_line

_BETWEEN = " │ "


@dataclass(frozen=True, slots=True)
class Part:
    """One fact. Parts with a higher `priority` number go first when there is no room."""

    text: str
    _: KW_ONLY
    priority: int = 0
    style: str = ""


class StatusLine(Widget):
    """Facts separated by bars."""

    DEFAULT_CSS = """
    StatusLine { height: 1; width: 1fr; padding: 0 1; background: $panel; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._parts: tuple[Part, ...] = ()

    def show(self, parts: Sequence[Part]) -> None:
        """Show these facts."""
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self.refresh()

    def render(self) -> Content:
        """The parts that fit."""
        width = self.content_size.width
        shown = fitting_parts(self._parts, width)
        line = piece(_BETWEEN, "$foreground 40%").join([piece(part.text, part.style) for part in shown])
        return cut(line, width)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All there is."""
        return container.width


def fitting_parts(parts: Sequence[Part], width: int) -> list[Part]:
    """Drop the least important part, the last of equals, until the rest fits; one part always stays."""
    shown = [part for part in parts if part.text]
    while len(shown) > 1 and _needed(shown) > width:
        least = max(range(len(shown)), key=lambda index: (shown[index].priority, index))
        del shown[least]
    return shown


def _needed(parts: Sequence[Part]) -> int:
    return sum(cell_len(clean_line(part.text)) for part in parts) + len(_BETWEEN) * (len(parts) - 1)
