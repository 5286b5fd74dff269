"""The search in a pane: matches are highlighted, and the view goes from one to the next."""

from __future__ import annotations

from widgets.log_view.layout import RowPosition
from widgets.log_view.pane_moving import PaneMoving
from widgets.log_view.search import Search


class PaneFinding(PaneMoving):
    """One search at a time, over all lines that are held."""

    def find(self, text: str) -> int:
        """Highlight a text and go to its first match from the top of the view on; returns how many there are."""
        self._search = Search(self._layout, text) if text else None
        if self._search is None:
            self._changed(repaint=True)
            return 0
        total = self._search.count()
        if total:
            self._go_to_match(forward=True, origin=self._search_origin())
        self._changed(repaint=True)
        return total

    def find_next(self) -> bool:
        """Go to the next match; false when there is none."""
        return self._search is not None and self._go_to_match(forward=True)

    def find_previous(self) -> bool:
        """Go to the match before; false when there is none."""
        return self._search is not None and self._go_to_match(forward=False)

    def _search_origin(self) -> tuple[int, int, int]:
        """Just before the first visible line."""
        if self._view.empty:
            return (0, 0, -1)
        top = self._view.top
        return (top.serial, self._layout.rows(top.serial)[top.row].line, -1)

    def _go_to_match(self, *, forward: bool, origin: tuple[int, int, int] | None = None) -> bool:
        assert self._search is not None
        current = self._search.current
        match = self._search.step(origin or current or self._search_origin(), forward)
        if match is None:
            return False
        if match.line >= len(self._layout.lines(match.serial)):
            return False
        row = self._row_holding(match.serial, match.line, match.at)
        self._view.reveal(RowPosition(match.serial, row), context=self._view.height // 4)
        self._mark_pause()
        self._changed(repaint=True)
        return True

    def _row_holding(self, serial: int, line: int, at: int) -> int:
        rows = self._layout.rows(serial)
        index = self._layout.row_of_line(serial, line)
        while index + 1 < len(rows) and rows[index + 1].line == line and rows[index + 1].start <= at:
            index += 1
        return index

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of a search are free for the screen while nothing is searched."""
        if action in ("find_next", "find_previous", "end_find"):
            return self._search is not None
        return True

    def action_find_next(self) -> None:
        """Go to the next match."""
        self.find_next()

    def action_find_previous(self) -> None:
        """Go to the match before."""
        self.find_previous()

    def action_end_find(self) -> None:
        """Stop highlighting."""
        self.find("")
