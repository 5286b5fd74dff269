"""Goes from match to match in a pane."""

from __future__ import annotations

from widgets.log_view.layout import RowPosition
from widgets.log_view.pane_model import PaneModel
from widgets.log_view.search import Match, Search


class Finder:
    """The search of a pane: matches are highlighted, and the view goes from one to the next."""

    def __init__(self, model: PaneModel) -> None:
        self._model = model

    def find(self, text: str) -> int:
        """Highlight a text and go to its first match from the top of the view on; returns how many there are."""
        model = self._model
        model.search = Search(model.layout, text) if text else None
        if model.search is None:
            model.changed(repaint=True)
            return 0
        total = model.search.count()
        if total:
            self._go_to_match(forward=True, origin=self._origin())
        model.changed(repaint=True)
        return total

    def find_next(self) -> bool:
        """Go to the next match; false when there is none."""
        return self._model.search is not None and self._go_to_match(forward=True)

    def find_previous(self) -> bool:
        """Go to the match before; false when there is none."""
        return self._model.search is not None and self._go_to_match(forward=False)

    def end_find(self) -> None:
        """Stop highlighting."""
        self.find("")

    def _origin(self) -> tuple[int, int, int]:
        """Just before the first visible line."""
        model = self._model
        if model.view.empty:
            return (0, 0, -1)
        top = model.view.top
        return (top.serial, model.layout.rows(top.serial)[top.row].line, -1)

    def _go_to_match(self, *, forward: bool, origin: tuple[int, int, int] | None = None) -> bool:
        model, search = self._model, self._model.search
        assert search is not None
        match = search.step(origin or search.current or self._origin(), forward)
        if match is None or match.line >= len(model.layout.lines(match.serial)):
            return False
        row = self._row_holding(match)
        model.view.reveal(RowPosition(match.serial, row), context=model.view.height // 4)
        model.note_follow()
        model.changed(repaint=True)
        return True

    def _row_holding(self, match: Match) -> int:
        rows = self._model.layout.rows(match.serial)
        index = self._model.layout.row_of_line(match.serial, match.line)
        while index + 1 < len(rows) and rows[index + 1].line == match.line and rows[index + 1].start <= match.at:
            index += 1
        return index
