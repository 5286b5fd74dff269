"""The whole output of one check on top of the screen; escape goes back to where one was."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from obra_tui.core.gate import describe_check
from obra_tui.core.model import CheckResult, SandboxLevel
from obra_tui.ui.feeds.lines import joined, text_lines
from obra_tui.ui.plain import plain
from obra_tui.ui.screens.key_line import KeyLine
from obra_tui.ui.view.format import brief
from obra_tui.ui.view.status_words import CHECK
from widgets.lines import LogLine
from widgets.log_view.view import LogPane

MOST_LINES = 50_000


class OutputDialog(ModalScreen[None]):
    """Shows what a command printed, from its first line on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", id="output.leave", show=True),
    ]

    def __init__(self, result: CheckResult) -> None:
        super().__init__()
        self._result = result

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-output"):
            yield LogPane(id="output", follow=False)
            yield KeyLine()

    def on_mount(self) -> None:
        result = self._result
        self.query_one("#dialog").border_title = plain(f"Output of {result.spec.name}")
        pane = self.query_one(LogPane)
        pane.extend(output_lines(result))
        pane.focus()

    def action_leave(self) -> None:
        self.dismiss(None)

    def on_log_pane_pane_message(self) -> None:
        """Nothing in it leads elsewhere."""


def output_lines(result: CheckResult) -> list[LogLine]:
    """Return what was run and how it ended, then every line that it printed."""
    status = CHECK[result.status]
    how = "no sandbox" if result.sandbox is SandboxLevel.NONE else f"sandbox {result.sandbox.value}"
    lines = [
        LogLine(f"$ {result.spec.run}", style="dim"),
        LogLine(
            joined((describe_check(result), brief(result.duration_s), how)),
            glyph=status.glyph,
            style=status.tone.value,
        ),
        LogLine(""),
    ]
    printed = text_lines(result.output, cap=MOST_LINES)
    return [*lines, *(printed or (LogLine("It printed nothing.", style="dim"),))]
