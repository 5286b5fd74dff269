"""A guide, read without leaving the app."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from obra_tui.ui.plain import plain
from widgets.log_view.markdown import MarkdownStream
from widgets.log_view.view import LogPane


class GuideScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", id="guide.leave"),
        Binding("q", "leave", "Close", id="guide.close", show=False),
    ]

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self._guide = name
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-guide"):
            yield LogPane(id="guide", follow=False)
            yield Static(Content(f"esc closes · outside the app: obra guide {self._guide}"), id="hint")

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = plain(self._guide)
        stream = MarkdownStream()
        stream.add(self._text)
        stream.finish()
        pane = self.query_one(LogPane)
        pane.extend(stream.lines)
        pane.focus()

    def action_leave(self) -> None:
        self.dismiss(None)
