"""Small questions on top of a screen: pick one of a few, or write a text. Escape never says yes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from obra_tui.ui.actions.suspend import edit_text
from obra_tui.ui.plain import plain, plain_text
from obra_tui.ui.screens.key_line import KeyLine
from obra_tui.ui.view.menus import Choice, Writing, lettered
from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList

_BESIDE = 8
"""Columns of a dialog that its lines have not, a little more than there are: words do not break."""


class ChoiceDialog(ModalScreen[str]):
    """Pick one; dismissed with its id, or with an empty text for none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="dialog.leave"),
        Binding("enter", "pick", "Choose", id="dialog.pick", show=True),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], *, first: str, note: str = "") -> None:
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._first = first
        self._note = note
        self._letters = lettered(self._choices)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            if self._note:
                yield Static(plain_text(self._note), id="note")
            yield ChoiceList(id="choices")
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = plain(self._title)
        choices = self.query_one(ChoiceList)
        choices.set_rows([choice_row(choice, self._letters.get(choice.id, "")) for choice in self._choices])
        room = self.app.size.width - _BESIDE
        choices.styles.height = sum(_height(choice, room) for choice in self._choices)
        choices.highlight(self._first)
        choices.focus()

    def action_leave(self) -> None:
        self.dismiss("")

    def action_pick(self) -> None:
        self.dismiss(self.query_one(ChoiceList).highlighted)

    def on_key(self, event: Key) -> None:
        """The letter of a choice picks it."""
        picked = next((name for name, letter in self._letters.items() if letter == event.character), None)
        if picked is not None:
            event.stop()
            self.dismiss(picked)

    def on_log_pane_pane_message(self) -> None:
        """Moves of the cursor need no answer."""

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self.dismiss(message.key)


def _height(choice: Choice, room: int) -> int:
    """Return how many lines a choice takes where a line has so much room."""
    return sum(max(1, math.ceil(len(text) / max(1, room))) for text in (choice.label, choice.effect))


def choice_row(choice: Choice, letter: str = "") -> LogLine:
    lead = f"{letter:<2}" if letter else ""
    return LogLine(
        f"{choice.label}\n{choice.effect}",
        key=choice.id,
        spans=(Span(0, len(choice.label), "strong"), Span(len(choice.label) + 1, 10_000, "dim")),
        lead=lead,
        lead_style="code",
        hang=" " * len(lead),
    )


def ask_text(
    app: App[Any], writing: Writing, then: Callable[[str], None], check: Callable[[str], str] = lambda text: ""
) -> None:
    """Let the person write, and go on with the text unless they leave; `check` says why a text is not enough."""

    def written(text: str | None) -> None:
        if text is not None:
            then(text)

    app.push_screen(WriteDialog(writing, check), written)


class WriteDialog(ModalScreen[str | None]):
    """Write a text; dismissed with it, or with None. Enter makes a new line: only ctrl+s sends."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "send", "Send", id="write.send", priority=True),
        Binding("ctrl+g", "edit_outside", "Editor", id="write.editor", priority=True),
        Binding("escape", "leave", "Back", id="write.leave", priority=True),
    ]

    def __init__(self, writing: Writing, check: Callable[[str], str] = lambda text: "") -> None:
        """`check` returns why the text is not enough, or an empty text."""
        super().__init__()
        self._writing = writing
        self._check = check

    def compose(self) -> ComposeResult:
        from textual.widgets import TextArea

        with Vertical(id="dialog", classes="-tall" if self._writing.tall else ""):
            with VerticalScroll(id="explanation"):
                yield Static(plain_text(self._writing.explanation), id="note")
            yield TextArea(
                self._writing.text, id="text", show_line_numbers=False, placeholder=self._writing.placeholder
            )
            yield Static(Content(""), id="refusal")
            keys = (("ctrl+s", self._writing.send_label), ("ctrl+g", "Editor"), ("esc", "Back"))
            shown = [part for key, label in keys for part in ((key, "bold $footer-key-foreground"), f" {label}  ")]
            yield Static(Content.assemble(*shown), id="hint")

    def on_mount(self) -> None:
        from textual.widgets import TextArea

        self.query_one("#dialog").border_title = plain_text(self._writing.title)
        area = self.query_one("#text", TextArea)
        if self._writing.at_end:
            area.move_cursor(area.document.end)
        area.focus()

    def action_send(self) -> None:
        from textual.widgets import TextArea

        text = self.query_one("#text", TextArea).text.strip()
        refusal = "" if text or self._writing.may_be_empty else "Write a sentence first."
        refusal = refusal or self._check(text)
        if refusal:
            self._refuse(refusal)
            return
        self.dismiss(text)

    def _refuse(self, why: str) -> None:
        self.query_one("#refusal", Static).update(plain_text(why))

    def action_edit_outside(self) -> None:
        """Let the person's editor have the text."""
        from textual.widgets import TextArea

        area = self.query_one("#text", TextArea)
        text, problem = edit_text(self.app, area.text, "text.md")
        if text is not None:
            area.text = text
            area.move_cursor(area.document.end)
        self._refuse(problem)

    def action_leave(self) -> None:
        self.dismiss(None)
