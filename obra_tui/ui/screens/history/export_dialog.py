"""Write a session or an attempt to a new file: which form, and where. Never over a file that exists."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from obra_tui.core.errors import ObraError
from obra_tui.ui.plain import plain, plain_text
from obra_tui.ui.ports import Archive, ExportForm
from obra_tui.ui.screens.dialogs.questions import choice_row
from obra_tui.ui.screens.history.listing import Selection
from obra_tui.ui.screens.key_line import KeyLine
from obra_tui.ui.services import services_of
from obra_tui.ui.view.menus import Choice
from widgets.lists.choice_list import ChoiceList

FORMS: tuple[Choice, ...] = (
    Choice(id="md", label="Markdown", effect="The story, to read and to paste into an issue."),
    Choice(id="jsonl", label="JSON Lines", effect="Every record as it was stored, for programs."),
    Choice(id="html", label="HTML", effect="The story as one page that needs nothing else."),
    Choice(id="patch", label="Patch", effect="The work alone, as git apply takes it."),
)
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


class ExportDialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "write", "Write", id="export.write", show=True, priority=True),
        Binding("tab", "other_field", "Form or file", id="export.field", show=True, priority=True),
        Binding("escape", "leave", "Back", id="export.leave", show=True, priority=True),
    ]

    def __init__(self, subject: Selection) -> None:
        super().__init__()
        self._subject = subject
        self._writing = False

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(plain_text("Secrets are taken out once more."), id="note")
            yield ChoiceList(id="choices")
            yield Input(id="path", select_on_focus=False)
            yield Static(Content(""), id="refusal")
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = plain(f"Export {self._subject.name}")
        choices = self.query_one(ChoiceList)
        choices.set_rows([choice_row(choice) for choice in FORMS])
        choices.styles.height = len(FORMS) * 2
        folder = Path(services_of(self.app).launch.data_dir) / "exports"
        self.query_one(Input).value = str(folder / f"{file_stem(self._subject)}.md")
        choices.focus()

    @property
    def _form(self) -> ExportForm:
        return cast(ExportForm, self.query_one(ChoiceList).highlighted or "md")

    def on_choice_list_highlighted(self, message: ChoiceList.Highlighted) -> None:
        """The ending of the file follows the form."""
        field = self.query_one(Input)
        if field.value:
            field.value = str(Path(field.value).with_suffix(f".{message.key}"))

    def action_other_field(self) -> None:
        field = self.query_one(Input)
        (self.query_one(ChoiceList) if field.has_focus else field).focus()

    def action_leave(self) -> None:
        self.dismiss(None)

    # -- writing -------------------------------------------------------------------------------

    def action_write(self) -> None:
        backend = services_of(self.app).backend
        path = self.query_one(Input).value.strip()
        if not path:
            self._refuse("Name a file.")
        elif backend is not None and backend.archive is not None and not self._writing:
            self._writing = True
            work = partial(self._write, backend.archive, self._form, path)
            self.run_worker(work, thread=True, exit_on_error=False)

    def _write(self, archive: Archive, form: ExportForm, path: str) -> None:
        """In a worker thread."""
        soon = services_of(self.app).call_soon
        try:
            archive.export(self._subject.id, form, path)
        except ObraError as refused:
            soon(partial(self._refuse, str(refused)))
        else:
            soon(partial(self._wrote, path))

    def _refuse(self, why: str) -> None:
        self._writing = False
        if self.is_attached:
            self.query_one("#refusal", Static).update(plain_text(why))

    def _wrote(self, path: str) -> None:
        services_of(self.app).notify(f"Wrote {path}")
        if self.is_attached:
            self.dismiss(None)


def file_stem(subject: Selection) -> str:
    """`calculator-t001-attempt-2-a1m8x`: what it is, and the end of its id, so that no two are alike."""
    words = _ODD.sub("-", subject.name.lower()).strip("-.")[:40].rstrip("-")
    return "-".join(part for part in (words, str(subject.id)[-6:]) if part)
