"""Compare two sessions: their tasks in pairs on the left, the numbers on the right; a pair opens its attempts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from obra_tui.core.ids import SessionId
from obra_tui.core.records.compare import Comparison, blinded, compare_sessions
from obra_tui.core.records.history import History, SessionDetail
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.compare.base import ComparingScreen, by_chance
from obra_tui.ui.screens.compare.lines import pair_row
from widgets.lines import LogLine
from widgets.lists.choice_list import ChoiceList


class CompareSessionsScreen(ComparingScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("compare_sessions")

    def __init__(self, a: SessionId, b: SessionId, shuffle: Callable[[], bool] = by_chance) -> None:
        super().__init__(a, b, shuffle)
        self._details: dict[str, SessionDetail] = {}

    def compose_difference(self) -> ComposeResult:
        yield ChoiceList(id="pairs", wrap=False)

    def load(self) -> None:
        pairs = self.query_one("#pairs")
        pairs.border_title = "Tasks, A → B"
        pairs.focus()
        self.reading.ask("reading…", partial(_read, self.ids), self._take)

    def _take(self, details: dict[str, SessionDetail]) -> None:
        self._details = details
        self.show()

    def comparison(self) -> Comparison | None:
        if not self._details:
            return None
        made = compare_sessions(*(self._details[which] for which in self.ids))
        return blinded(made) if self.is_blind else made

    def show(self) -> None:
        super().show()
        made = self.comparison()
        if made is not None:
            rows = [pair_row(pair) for pair in made.pairs]
            self.query_one(ChoiceList).set_rows(rows or [LogLine("Neither has a task.", style="dim")])

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self.action_open_pair()

    def action_open_pair(self) -> None:
        """Compare the last attempts of both sides at the task."""
        made, key = self.comparison(), self.query_one(ChoiceList).highlighted
        pair = next((pair for pair in made.pairs if pair.key == key), None) if made else None
        if pair is None:
            return
        a, b = pair.last
        if a is None or b is None:
            self.services.notify(f"{pair.key} was tried on one side only.", problem=True)
        else:
            self.services.navigator.compare_attempts(a, b)


def _read(ids: tuple[str, str], history: History) -> dict[str, SessionDetail]:
    """In a worker thread."""
    return {which: history.session(SessionId(which)) for which in ids}
