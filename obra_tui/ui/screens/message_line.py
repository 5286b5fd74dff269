"""One line to write in at the bottom of a screen: a message to Claude, or what to find. Hidden while not used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from widgets.text import clean_line

if TYPE_CHECKING:
    from textual.widgets import Input

Taker = Callable[[str], None]


class MessageLine(Horizontal):
    """The input itself is imported and mounted when it is first asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back", id="message.leave")]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._take: Taker = lambda text: None
        self._live: Taker | None = None

    def compose(self) -> ComposeResult:
        yield Static(Content(""), id="message-label")
        yield Static(Content(""), id="message-note")

    def on_mount(self) -> None:
        self.display = False

    def ask(self, label: str, take: Taker, *, live: Taker | None = None, text: str = "") -> None:
        """Open the line on `text`; `take` gets the text at Enter, `live` at every change."""
        from textual.widgets import Input

        self._take, self._live = take, live
        self.query_one("#message-label", Static).update(Content(f"{clean_line(label)}: "))
        self.tell("")
        self.display = True
        inputs = self.query(Input)
        if inputs:
            inputs.first().value = text
            inputs.first().cursor_position = len(text)
            self._write_in(inputs.first())
            return
        field = Input(text, id="message-input", compact=True, select_on_focus=False)
        self.mount(field, after="#message-label")
        self._write_in(field)

    def _write_in(self, field: Input) -> None:
        """Not `field.focus()`, which takes effect later: the next key may be here already."""
        self.screen.set_focus(field)

    def tell(self, note: str) -> None:
        self.query_one("#message-note", Static).update(Content(clean_line(note)))

    def close(self) -> None:
        from textual.widgets import Input

        for field in self.query(Input):
            if field.has_focus:
                self.screen.set_focus(None)
        self.display = False

    def action_leave(self) -> None:
        if self._live is not None:
            self._live("")
        self.close()
        self._give_focus_back()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        take = self._take
        self.close()
        self._give_focus_back()
        take(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        if self._live is not None:
            self._live(event.value)

    def _give_focus_back(self) -> None:
        self.screen.focus_next("LogPane")
