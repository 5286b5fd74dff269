"""Small questions on top of a screen: pick one of a few, or write a text. Escape never says yes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from obra_tui.ui.plain import plain, plain_text
from obra_tui.ui.screens.key_line import KeyLine
from obra_tui.ui.view.menus import Choice, Writing
from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList

_WIDTH = 62
"""Columns of a line in the dialog, a little less than there are: words do not break."""


class ChoiceDialog(ModalScreen[str]):
    """Pick one; dismissed with its id, or with an empty text for none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="dialog.leave"),
        Binding("enter", "pick", "Choose", id="dialog.pick", show=True),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], *, first: str, note: str = "") -> None:
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._first = first
        self._note = note

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            if self._note:
                yield Static(plain_text(self._note), id="note")
            yield ChoiceList(id="choices")
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = plain(self._title)
        choices = self.query_one(ChoiceList)
        choices.set_rows([choice_row(choice) for choice in self._choices])
        choices.styles.height = sum(_height(choice) for choice in self._choices)
        choices.highlight(self._first)
        choices.focus()

    def action_leave(self) -> None:
        self.dismiss("")

    def action_pick(self) -> None:
        self.dismiss(self.query_one(ChoiceList).highlighted)

    def on_log_pane_pane_message(self) -> None:
        """Moves of the cursor need no answer."""

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self.dismiss(message.key)


def _height(choice: Choice) -> int:
    """Return how many lines a choice takes at the width of the dialog."""
    return sum(max(1, math.ceil(len(text) / _WIDTH)) for text in (choice.label, choice.effect))


def choice_row(choice: Choice) -> LogLine:
    return LogLine(
        f"{choice.label}\n{choice.effect}",
        key=choice.id,
        spans=(Span(0, len(choice.label), "strong"), Span(len(choice.label) + 1, 10_000, "dim")),
        hang="",
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
        Binding("escape", "leave", "Cancel", id="write.leave", priority=True),
    ]

    def __init__(self, writing: Writing, check: Callable[[str], str] = lambda text: "") -> None:
        """`check` returns why the text is not enough, or an empty text."""
        super().__init__()
        self._writing = writing
        self._check = check

    def compose(self) -> ComposeResult:
        from textual.widgets import TextArea

        with Vertical(id="dialog", classes="-tall" if self._writing.tall else ""):
            yield Static(plain_text(self._writing.explanation), id="note")
            yield TextArea(
                self._writing.text, id="text", show_line_numbers=False, placeholder=self._writing.placeholder
            )
            yield Static(Content(""), id="refusal")
            yield Static(
                Content.assemble(
                    ("ctrl+s", "bold $footer-key-foreground"),
                    f" {self._writing.send_label}   ",
                    ("esc", "bold $footer-key-foreground"),
                    " Cancel",
                ),
                id="hint",
            )

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
            self.query_one("#refusal", Static).update(plain_text(refusal))
            return
        self.dismiss(text)

    def action_leave(self) -> None:
        self.dismiss(None)
