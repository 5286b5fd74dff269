"""The first paint: the frame of the Live screen, before anything is known. Imports nothing of its own.

One widget that draws all of it: with one for each pane there would be a second layout, and a third of the time more.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

NARROW = 100
_STATUS_ROWS, _QUALITY_ROWS = 2, 7
_LINE, _NAME, _STATUS = "$foreground 30%", "$foreground 80%", "$foreground on $panel"


class FirstScreen(Screen[None]):
    def compose(self) -> ComposeResult:
        rehearsal = getattr(getattr(self.app, "launch", None), "rehearsal", "")
        yield Frame(f"REHEARSAL {rehearsal} │ starting…" if rehearsal else "starting…")


class Frame(Widget):
    """A line that says what happens, and the three empty panes."""

    def __init__(self, status: str) -> None:
        super().__init__(id="first")
        self._status = status

    def render(self) -> Content:
        width, height = self.size
        status = Content.styled(f" {self._status}"[:width].ljust(width), _STATUS)
        rest = Content.styled(" " * width, _STATUS)
        rows = [status, *[rest] * (_STATUS_ROWS - 1), *_panes(width, height - _STATUS_ROWS)]
        return Content("\n").join(rows[:height])


def _panes(width: int, height: int) -> list[Content]:
    claude, validation, quality = "Claude Code · implementer", "Qwen · validator", "Quality"
    if width < NARROW:
        upper = height * 3 // 5
        lower = height - upper - _QUALITY_ROWS
        return [*_pane(claude, width, upper), *_pane(validation, width, lower), *_pane(quality, width, _QUALITY_ROWS)]
    left = width * 3 // 5
    right = [
        *_pane(validation, width - left, height - _QUALITY_ROWS),
        *_pane(quality, width - left, _QUALITY_ROWS),
    ]
    return [one.append(other) for one, other in zip(_pane(claude, left, height), right, strict=False)]


def _pane(name: str, width: int, height: int) -> list[Content]:
    if width < 6 or height < 2:
        return []
    shown = name[: width - 6]
    top = Content.assemble(("╭─ ", _LINE), (shown, _NAME), (f" {'─' * (width - len(shown) - 5)}╮", _LINE))
    side = Content.styled(f"│{' ' * (width - 2)}│", _LINE)
    return [top, *[side] * (height - 2), Content.styled(f"╰{'─' * (width - 2)}╯", _LINE)]
