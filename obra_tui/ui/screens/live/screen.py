"""Live: what Claude does, what is found out about its work, and how it scores, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize

from obra_tui.core.events import Record
from obra_tui.core.ids import TaskId
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.live.focus import TaskFocus
from obra_tui.ui.screens.live.panes import LivePaneKeys, LivePanes
from obra_tui.ui.screens.live.run_keys import RunKeys
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.view.attention import Attention, AttentionKind, attentions
from obra_tui.ui.view.status_words import Tone
from widgets.bars.status_line import Banner, StepStrip

IN_MAXIMIZED_VIEW = "StatusLine, StepStrip, Banner, MessageLine, NoticeLine, KeyLine"
_BANNER_STATES = {
    AttentionKind.UNDO: "held",
    AttentionKind.QUESTION: "gate",
    AttentionKind.GATE: "gate",
    AttentionKind.PROMPT: "gate",
    AttentionKind.TAKEN: "held",
    AttentionKind.PROBLEM: "fail",
    AttentionKind.STALL: "warn",
    AttentionKind.INTERRUPTED: "stopped",
}


class LiveScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("live")
    ALLOW_IN_MAXIMIZED_VIEW = IN_MAXIMIZED_VIEW

    def __init__(self) -> None:
        super().__init__()
        self.focus_on = TaskFocus()
        self._panes = LivePanes(self, self.focus_on)
        self.add_part(LivePaneKeys(self, self._panes, self.focus_on))
        self.add_part(RunKeys(self, self.focus_on))
        self._attentions: tuple[Attention, ...] = ()

    def compose_body(self) -> ComposeResult:
        ascii_only = self.services.launch.ascii_glyphs
        yield StepStrip(ascii=ascii_only, id="steps")
        yield Banner(ascii=ascii_only, id="banner")
        yield self._panes
        yield MessageLine(id="message")

    def draw(self, records: Sequence[Record]) -> None:
        self._panes.keep_back()
        self.focus_on.update(self.services)
        self._panes.draw(records)
        self.tick()

    def on_screen_resume(self) -> None:
        """Called before that of the base class."""
        if self.has_missed:
            self._panes.forget_drawn()

    def tick(self) -> None:
        """Everything that a clock changes."""
        now, focus = self.services.clock.now(), self.focus_on
        self.show_status(*focus.status_parts(self.services, now))
        self.query_one("#steps", StepStrip).show(focus.steps(now))
        self._attentions = attentions(focus.view, now, self.services.launch.stall_seconds)
        self._draw_banner()
        self._panes.tick(now)

    def _draw_banner(self) -> None:
        banner = self.query_one("#banner", Banner)
        if not self._attentions:
            banner.clear()
            return
        first, more = self._attentions[0], len(self._attentions) - 1
        key = self.services.key_label(first.key_id) if first.key_id else ""
        waits = first.kind is AttentionKind.PROBLEM and first.tone is Tone.WARN
        state = "warn" if waits else _BANNER_STATES[first.kind]
        answer = f"{key} to {first.key_label}" if key else ""
        banner.show(first.text, state=state, key=answer, short=first.short, more=f"(+{more} more)" if more else "")

    def on_resize(self, event: Resize) -> None:
        """The third column comes and goes with the width."""
        if self.ready:
            self.call_after_refresh(self.tick)

    def pin(self, task: TaskId | None) -> None:
        """Show this task whatever else is at work; None follows the work again."""
        self._panes.pin(task)

    def on_banner_pressed(self) -> None:
        if self._attentions and self._attentions[0].key_id:
            self.services.press(self._attentions[0].key_id)
