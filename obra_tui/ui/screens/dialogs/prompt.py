"""The next prompt, before Claude gets it: read it, change it here or in the editor, see what was changed, send it."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from obra_tui.core.commands import SendPrompt
from obra_tui.core.errors import ObraError
from obra_tui.core.ids import TaskId
from obra_tui.ui.actions.suspend import edit_text
from obra_tui.ui.feeds.lines import patch_lines
from obra_tui.ui.plain import plain, plain_text
from obra_tui.ui.services import AppServices, services_of
from widgets.lines import LogLine
from widgets.log_view.view import LogPane

_KEYS = (("ctrl+s", "Send"), ("ctrl+d", "Changes"), ("ctrl+g", "Editor"), ("ctrl+r", "Undo all"), ("esc", "Later"))


class PromptScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "send", "Send", id="prompt.send", priority=True),
        Binding("ctrl+d", "difference", "What I changed", id="prompt.difference", priority=True),
        Binding("ctrl+g", "edit_outside", "Editor", id="prompt.editor", priority=True),
        Binding("ctrl+r", "restore", "As built", id="prompt.restore", priority=True),
        Binding("escape", "leave", "Later", id="prompt.leave", priority=True),
    ]

    def __init__(self, task: TaskId, built: str, kept: str | None = None) -> None:
        """`built` is the prompt that Obra made; `kept` what the person wrote into it before and did not send."""
        super().__init__()
        self._owner = task
        self._built = built
        self._kept = built if kept is None else kept
        self._sending = False
        self._unwatch: Callable[[], None] = lambda: None

    @property
    def services(self) -> AppServices:
        return services_of(self.app)

    @property
    def text(self) -> str:
        return self.query_one("#text", TextArea).text

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-tall -prompt"):
            yield Static(plain_text("Claude waits for this prompt and gets it exactly as it stands here."), id="note")
            yield TextArea(self._kept, id="text", show_line_numbers=False)
            yield LogPane(id="difference", follow=False)
            yield Static(Content(""), id="refusal")
            keys = [part for key, label in _KEYS for part in ((key, "bold $footer-key-foreground"), f" {label}  ")]
            yield Static(Content.assemble(*keys), id="hint")

    def on_mount(self) -> None:
        task = self.services.view.tasks.get(self._owner)
        self.query_one("#dialog").border_title = plain(f"The next prompt of {task.spec.key if task else self._owner}")
        difference = self.query_one("#difference", LogPane)
        difference.border_title = "Your words against the prompt that was built"
        difference.display = False
        self.query_one("#text").focus()
        self._unwatch = self.services.view_store.subscribe(lambda records: self._look())

    def on_unmount(self) -> None:
        self._unwatch()

    def _look(self) -> None:
        """Somebody else sent it, or the run was stopped: there is nothing to send any more."""
        task = self.services.view.tasks.get(self._owner)
        if not self._sending and (task is None or task.held_prompt is None):
            self._sending = True
            self.services.prompt_drafts.pop(self._owner, None)
            self.services.notify("The prompt was sent or withdrawn.")
            self.dismiss(None)

    def action_send(self) -> None:
        if self._sending:
            return
        if not self.text.strip():
            self._refuse("Write what Claude shall do.")
            return
        self._sending = True
        command = SendPrompt(task=self._owner, text=self.text, by=self.services.launch.person)
        self.services.commands.send(command, lambda _: self._sent(), self._refused)

    def _sent(self) -> None:
        self.services.prompt_drafts.pop(self._owner, None)
        self.services.notify("Sent, with your changes." if self.text != self._built else "Sent as it was built.")
        self.dismiss(None)

    def _refused(self, refused: ObraError) -> None:
        self._sending = False
        self._refuse(str(refused))

    def _refuse(self, why: str) -> None:
        self.query_one("#refusal", Static).update(plain_text(why))

    def action_difference(self) -> None:
        """Show what was changed, or the text again."""
        pane, area = self.query_one("#difference", LogPane), self.query_one("#text", TextArea)
        pane.display, area.display = not pane.display, pane.display
        if pane.display:
            pane.clear()
            pane.extend(changed_lines(self._built, self.text))
            pane.focus()
        else:
            area.focus()

    def action_restore(self) -> None:
        self.query_one("#text", TextArea).text = self._built

    def action_edit_outside(self) -> None:
        """Let the person's editor have it."""
        text, problem = edit_text(self.app, self.text, "prompt.md")
        if text is not None:
            self.query_one("#text", TextArea).text = text
        self._refuse(problem)

    def action_leave(self) -> None:
        """Keep what was written for the next look."""
        self.services.prompt_drafts[self._owner] = self.text
        self.dismiss(None)


def changed_lines(built: str, now: str) -> list[LogLine]:
    """Return the difference between two prompts as lines to show."""
    changes = list(difflib.unified_diff(built.splitlines(), now.splitlines(), "built", "yours", lineterm="", n=3))
    return list(patch_lines("\n".join(changes))) or [LogLine("Nothing was changed.", style="dim")]
