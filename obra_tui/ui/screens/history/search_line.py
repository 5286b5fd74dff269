"""The search line of the history: what is typed is searched at once, Tab completes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from textual.widgets import Input

from obra_tui.core.errors import ObraError
from obra_tui.core.records.search import completed
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.parts import ScreenPart

if TYPE_CHECKING:
    from obra_tui.core.records.history import History

_SHOWN = 8
"""Ways to go on that are named at once."""


class SearchKeys(ScreenPart):
    """Lets the person write a search in the `MessageLine` of the screen."""

    def __init__(self, screen: ObraScreen, search: Callable[[str], None], searched: Callable[[], str]) -> None:
        """`search` shows what a line finds; `searched` returns the line that is searched for now."""
        self._screen = screen
        self._search = search
        self._searched = searched
        self._names: Mapping[str, tuple[str, ...]] = {}

    @property
    def is_writing(self) -> bool:
        """Keys are text now."""
        return isinstance(self._screen.focused, Input)

    def check_action(self, action: str) -> bool | None:
        """Tab completes only while somebody writes."""
        return self.is_writing == (action == "complete")

    def action_find(self) -> None:
        self.open(self._searched())

    def open(self, text: str) -> None:
        """Let the person write, going on from `text`."""
        backend = self._screen.services.backend
        if backend is not None and not self._names:
            work = partial(self._read_names, backend.history)
            self._screen.run_worker(work, thread=True, exit_on_error=False)
        self._screen.query_one(MessageLine).ask("Search", self._search, live=self._search_live, text=text)

    def _read_names(self, history: History) -> None:
        """In a worker thread: names to complete with; without them only the fields are completed."""
        try:
            names = history.known_names()
        except ObraError:
            return
        self._screen.services.call_soon(partial(self._take_names, names))

    def _take_names(self, names: Mapping[str, tuple[str, ...]]) -> None:
        self._names = names

    def _search_live(self, text: str) -> None:
        if text != self._searched():
            self._search(text)

    def action_complete(self) -> None:
        """Complete the word at the cursor, or say how it could go on."""
        field = self._screen.query_one("#message-input", Input)
        line, cursor, choices = completed(field.value, field.cursor_position, self._names)
        field.value, field.cursor_position = line, cursor
        self._screen.query_one(MessageLine).tell("  ".join(choices[:_SHOWN]))
