"""The one-line bars: facts by priority, the steps of an attempt, and a banner that asks for attention.

A narrow terminal loses the least important facts first; a banner is hidden while it has nothing to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from widgets.bars.status import mark, status
from widgets.segments import cut, joined, piece
from widgets.text import clean_line


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


_BETWEEN = " │ "


@dataclass(frozen=True, slots=True)
class StatusItem:
    """One fact. Parts with a higher `priority` number go first when there is no room."""

    text: str
    _: KW_ONLY
    priority: int = 0
    style: str = ""
    least: int = 0
    """Cells to which it may be cut before a part of its priority goes; 0 for never."""


class StatusLine(Widget):
    """Facts separated by bars."""

    DEFAULT_CSS = """
    StatusLine { height: 1; width: 1fr; padding: 0 1; background: $panel; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._parts: tuple[StatusItem, ...] = ()

    def show(self, parts: Sequence[StatusItem]) -> None:
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


def fitting_parts(parts: Sequence[StatusItem], width: int) -> list[StatusItem]:
    """Drop the least important part, the last of equals, until the rest fits; one part always stays.

    Before parts of the first importance go, those of them that may be cut are.
    """
    shown = [part for part in parts if part.text]
    while len(shown) > 1 and (excess := _needed(shown) - width) > 0:
        least = max(range(len(shown)), key=lambda index: (shown[index].priority, index))
        long = next((n for n, part in enumerate(shown) if part.least and cell_len(part.text) > part.least), None)
        if shown[least].priority or long is None:
            del shown[least]
        else:
            room = max(shown[long].least, cell_len(shown[long].text) - excess)
            shown[long] = replace(shown[long], text=f"{set_cell_size(shown[long].text, room - 1).rstrip()}…", least=0)
    return shown


def _needed(parts: Sequence[StatusItem]) -> int:
    return sum(cell_len(clean_line(part.text)) for part in parts) + len(_BETWEEN) * (len(parts) - 1)


_STEP_BETWEEN = " ─ "


@dataclass(frozen=True, slots=True)
class StripStep:
    """One step; `state` is a name of `widgets.bars.status`, `note` a duration or a count."""

    name: str
    state: str = "waiting"
    note: str = ""
    _: KW_ONLY


class StepStrip(Widget):
    """A row of steps; notes of finished steps go first when it is narrow."""

    DEFAULT_CSS = """
    StepStrip { height: 1; width: 1fr; }
    """

    def __init__(self, *, ascii: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._ascii = ascii
        self._steps: tuple[StripStep, ...] = ()

    def show(self, steps: Sequence[StripStep]) -> None:
        """Show these steps."""
        if tuple(steps) != self._steps:
            self._steps = tuple(steps)
            self.refresh()

    def render(self) -> Content:
        """As much as fits."""
        width = self.content_size.width
        whole = self._line(self._steps, notes=True)
        if whole.cell_length <= width:
            return whole
        bare = self._line(self._steps, notes=False)
        return bare if bare.cell_length <= width else self._around_current(width)

    def _line(self, steps: Sequence[StripStep], notes: bool) -> Content:
        between = piece(_STEP_BETWEEN, "$foreground 40%")
        return between.join([self._step(step, notes) for step in steps])

    def _step(self, step: StripStep, notes: bool) -> Content:
        look = status(step.state)
        emphasis = " bold" if step.state in ("running", "gate", "fail") else ""
        parts = [piece(mark(step.state, self._ascii), look.style), piece(f" {step.name}", look.style + emphasis)]
        if step.note and (notes or step.state == "running"):
            parts.append(piece(f" {step.note}", "$foreground 70%"))
        return joined(parts)

    def _around_current(self, width: int) -> Content:
        """The step that is not finished yet, and what follows it."""
        current = next((i for i, step in enumerate(self._steps) if step.state not in ("pass", "skipped")), 0)
        return cut(joined([piece("… "), self._line(self._steps[current:], notes=False)]), width)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All there is."""
        return container.width
