"""The first paint: the frame of the Live screen, before anything is known. Imports nothing of its own."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static


class FirstScreen(Screen[None]):
    def compose(self) -> ComposeResult:
        yield Static("starting…", id="first-status", markup=False)
        with Horizontal(id="body"):
            yield Static("", id="first-claude", classes="first-pane")
            with Vertical(id="right"):
                yield Static("", id="first-validation", classes="first-pane")
                yield Static("", id="first-quality", classes="first-pane")

    def on_mount(self) -> None:
        rehearsal = getattr(getattr(self.app, "launch", None), "rehearsal", "")
        if rehearsal:
            self.query_one("#first-status", Static).update(f"REHEARSAL {rehearsal} │ starting…")
        self.query_one("#first-claude").border_title = "Claude Code · implementer"
        self.query_one("#first-validation").border_title = "Qwen · validator"
        self.query_one("#first-quality").border_title = "Quality"
