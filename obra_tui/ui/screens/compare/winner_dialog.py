"""Which of the two is better, and why: kept as a preference."""

from __future__ import annotations

from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from obra_tui.ui.plain import plain_text
from obra_tui.ui.ports import Winner
from obra_tui.ui.screens.dialogs.questions import choice_row
from obra_tui.ui.screens.key_line import KeyLine
from obra_tui.ui.view.menus import Choice
from widgets.lists.choice_list import ChoiceList

NOTE = "It is kept with what both changed, for obra export decisions."


class WinnerDialog(ModalScreen[tuple[Winner, str] | None]):
    """Dismissed with the winner and a note, or with None. The focus is on neither side."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "keep", "Keep", id="winner.keep", show=True, priority=True),
        Binding("tab", "other_field", "Note", id="winner.field", show=True, priority=True),
        Binding("escape", "leave", "Back", id="winner.leave", show=True, priority=True),
    ]

    def __init__(self, a: str, b: str) -> None:
        super().__init__()
        self._choices = (
            Choice(id="neither", label="Neither", effect="None of the two would be taken."),
            Choice(id="a", label="A is better", effect=a),
            Choice(id="b", label="B is better", effect=b),
            Choice(id="equal", label="Equal", effect="One is as good as the other."),
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(plain_text(NOTE), id="note")
            yield ChoiceList(id="choices")
            yield Input(id="why", placeholder="why (may be empty)")
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = "Pick the winner"
        choices = self.query_one(ChoiceList)
        choices.set_rows([choice_row(choice) for choice in self._choices])
        choices.styles.height = len(self._choices) * 2
        choices.focus()

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        """Enter on a row goes on to the note."""
        self.query_one(Input).focus()

    def on_input_submitted(self) -> None:
        self.action_keep()

    def action_other_field(self) -> None:
        field = self.query_one(Input)
        (self.query_one(ChoiceList) if field.has_focus else field).focus()

    def action_keep(self) -> None:
        winner = cast(Winner, self.query_one(ChoiceList).highlighted or "neither")
        self.dismiss((winner, self.query_one(Input).value.strip()))

    def action_leave(self) -> None:
        self.dismiss(None)
