"""What was told to the person last, for as long as it is of use; every screen has a line for it.

A dialog that has no such line gets one at the top while something is told: it covers neither keys nor a form.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from textual.app import App
from textual.screen import Screen
from textual.timer import Timer

from widgets.bars.notice_line import NoticeLine

KEPT = 50
SHOWN_S, PROBLEM_S = 6.0, 15.0
"""A problem says what to do: that takes longer to read."""


class ToldNotice(Struct, frozen=True):
    at: str
    """The time of day."""
    text: str


class NoticeBoard:
    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self.told: deque[ToldNotice] = deque(maxlen=KEPT)
        """What was told lately, newest first."""
        self._text, self._is_problem = "", False
        self._timer: Timer | None = None

    def tell(self, text: str, *, is_problem: bool = False, for_s: float | None = None) -> None:
        """Show `text` in place of what was told before; an empty one takes that away."""
        self._text, self._is_problem = text, is_problem
        if text:
            self.told.appendleft(ToldNotice(f"{datetime.now():%H:%M:%S}", text))
        if self._timer is not None:
            self._timer.stop()
        shown_s = for_s if for_s is not None else PROBLEM_S if is_problem else SHOWN_S
        self._timer = self._app.set_timer(shown_s, self._take_away) if text else None
        for screen in _on_top(self._app.screen_stack):
            self.show_on(screen)

    def show_on(self, screen: Screen[Any]) -> None:
        """Show on a screen what is told now."""
        lines = screen.query(NoticeLine)
        if not lines and self._text and screen.is_modal:
            line = NoticeLine(id="notice-on-top")
            line.tell(self._text, is_problem=self._is_problem)
            screen.mount(line)
        for line in lines:
            line.display = bool(self._text) or line.id != "notice-on-top"
            line.tell(self._text, is_problem=self._is_problem)

    def _take_away(self) -> None:
        self.tell("")


def _on_top(stack: Sequence[Screen[Any]]) -> list[Screen[Any]]:
    """The screen in front, and those that can be seen below it."""
    seen: list[Screen[Any]] = []
    for screen in reversed(stack):
        seen.append(screen)
        if not screen.is_modal:
            break
    return [screen for screen in seen if screen.is_attached]
