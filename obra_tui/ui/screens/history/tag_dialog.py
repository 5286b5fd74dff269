"""The tags of a session in one line, completed from those that are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from obra_tui.ui.plain import plain, plain_text
from obra_tui.ui.screens.key_line import KeyLine

_SHOWN = 12


class TagDialog(ModalScreen[tuple[str, ...] | None]):
    """Dismissed with all tags that the session shall have, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "keep", "Keep", id="tags.keep", show=True, priority=True),
        Binding("tab", "complete", "Complete", id="tags.complete", show=True, priority=True),
        Binding("escape", "leave", "Back", id="tags.leave", show=True, priority=True),
    ]

    def __init__(self, name: str, present: Sequence[str], known: Sequence[str]) -> None:
        super().__init__()
        self._session_name = name
        self._present = tuple(present)
        self._known = tuple(known)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(plain_text("Tags, with commas between them; take one out to remove it."), id="note")
            yield Input(", ".join(self._present), id="tags", select_on_focus=False)
            yield Static(Content(""), id="known")
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = plain(f"Tags of {self._session_name}")
        self.query_one(Input).focus()
        self._show_known()

    def on_input_changed(self) -> None:
        self._show_known()

    def _show_known(self) -> None:
        fitting = fitting_tags(self.query_one(Input).value, self._known)
        text = "  ".join(f"#{name}" for name in fitting[:_SHOWN])
        self.query_one("#known", Static).update(plain(f"known: {text}" if text else "a new tag"))

    def action_complete(self) -> None:
        field = self.query_one(Input)
        field.value = completed_tags(field.value, self._known)
        field.cursor_position = len(field.value)

    def action_keep(self) -> None:
        self.dismiss(tags_in(self.query_one(Input).value))

    def action_leave(self) -> None:
        self.dismiss(None)


def tags_in(line: str) -> tuple[str, ...]:
    """Return the tags that a line names: in lower case, each once."""
    found = (" ".join(part.replace("#", " ").lower().split()) for part in line.split(","))
    return tuple(dict.fromkeys(filter(None, found)))


def fitting_tags(line: str, known: Sequence[str]) -> list[str]:
    """Return the known tags that the last one of the line could become."""
    *before, last = line.split(",")
    typed = last.strip().lstrip("#").lower()
    taken = tags_in(",".join(before))
    return [name for name in known if name.startswith(typed) and name not in taken]


def completed_tags(line: str, known: Sequence[str]) -> str:
    """Return the line with its last tag completed by the first known one that fits."""
    found = fitting_tags(line, known)
    *before, _ = line.split(",")
    return ", ".join([*(part.strip() for part in before), found[0]]) if found else line
