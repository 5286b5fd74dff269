"""The search line of the history: what is typed is searched at once, Tab completes it. Mixed into its screen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from textual.widgets import Input

from obra_tui.core.errors import ObraError
from obra_tui.core.records.search import completed
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.message_line import MessageLine

if TYPE_CHECKING:
    from obra_tui.core.records.history import History

_SHOWN = 8
"""Ways to go on that are named at once."""


class SearchLine(ObraScreen):
    """A screen with a `MessageLine` in which a search is written."""

    _line = ""
    _names: Mapping[str, tuple[str, ...]] = {}

    def search(self, line: str) -> None:
        """Override: show what the line finds."""

    @property
    def writing(self) -> bool:
        """Keys are text now."""
        return isinstance(self.focused, Input)

    def action_find(self) -> None:
        self.open_line(self._line)

    def open_line(self, text: str) -> None:
        """Let the person write, going on from `text`."""
        backend = self.services.backend
        if backend is not None and not self._names:
            self.run_worker(partial(self._read_names, backend.history), thread=True, exit_on_error=False)
        self.query_one(MessageLine).ask("Search", self.search, live=self._search_live, text=text)

    def _read_names(self, history: History) -> None:
        """In a worker thread: names to complete with; without them only the fields are completed."""
        try:
            names = history.known_names()
        except ObraError:
            return
        self.services.call_soon(partial(self._take_names, names))

    def _take_names(self, names: Mapping[str, tuple[str, ...]]) -> None:
        self._names = names

    def _search_live(self, text: str) -> None:
        if text != self._line:
            self.search(text)

    def action_complete(self) -> None:
        """Complete the word at the cursor, or say how it could go on."""
        field = self.query_one("#message-input", Input)
        line, cursor, choices = completed(field.value, field.cursor_position, self._names)
        field.value, field.cursor_position = line, cursor
        self.query_one(MessageLine).tell("  ".join(choices[:_SHOWN]))
