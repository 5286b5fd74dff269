"""A pane that always has a cursor: rows to choose from, thousands of them if need be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from widgets.lines import LogLine
from widgets.log_view.follow_state import LinePosition
from widgets.log_view.view import LogPane


class ChoiceList(LogPane):
    """Rows with keys; the cursor stays on its key when the rows are set again."""

    CURSOR_BY_ENTRY: ClassVar[bool] = True

    class Highlighted(LogPane.PaneMessage):
        """The cursor is on another row."""

        def __init__(self, pane: ChoiceList, key: str) -> None:
            super().__init__(pane)
            self.key = key

    class Picked(LogPane.PaneMessage):
        """A row was opened by Enter or by a click."""

        def __init__(self, pane: ChoiceList, key: str) -> None:
            super().__init__(pane)
            self.key = key

    def __init__(self, **options: Any) -> None:
        """The options of a LogPane."""
        super().__init__(**{"follow": False, "cap": 200_000, **options})

    @property
    def highlighted(self) -> str:
        """The key of the row under the cursor."""
        return self.cursor_key

    def set_rows(self, rows: Sequence[LogLine], keep: bool = True) -> None:
        """Show these rows; with `keep`, the cursor and the view stay where they were."""
        key = self.highlighted if keep else ""
        above = self._rows_above_cursor() if key else 0
        self._start_over()
        self._document.extend(rows)
        self._layout.forget()
        serial = self._document.serial_of(key) if key else None
        if rows:
            self._cursor.at = LinePosition(serial or 0, 0)
            self._view.show_from(self._view.above(self._cursor.row(), above), settle=False)
        self._changed(repaint=True)
        if self.highlighted != key:
            self.cursor_moved()

    def _rows_above_cursor(self) -> int:
        """How many rows of the view are above the cursor."""
        at = self._cursor.at
        if at is None or self._view.empty:
            return 0
        row = self._cursor.row()
        return next((index for index, place in enumerate(self._view.visible()) if place == row), 0)

    def highlight(self, key: str) -> bool:
        """Put the cursor on a row; false when there is no such row."""
        serial = self._document.serial_of(key)
        if serial is None:
            return False
        self._set_cursor(LinePosition(serial, 0))
        return True

    def cursor_moved(self) -> None:
        """Say which row is highlighted."""
        self.post_message(self.Highlighted(self, self.highlighted))

    def action_end(self) -> None:
        """Go to the last row."""
        if not self._view.empty:
            self._set_cursor(LinePosition(self._document.end - 1, 0))

    def action_start(self) -> None:
        """Go to the first row."""
        if not self._view.empty:
            self._set_cursor(LinePosition(self._document.first, 0))

    def action_page(self, direction: int) -> None:
        """A page of rows."""
        self._jump_rows(direction * max(1, self._view.height - 1))

    def action_half(self, direction: int) -> None:
        """Half a page of rows."""
        self._jump_rows(direction * max(1, self._view.height // 2))

    def _jump_rows(self, rows: int) -> None:
        if self._view.empty or self._cursor.at is None:
            return
        row = self._cursor.row()
        place = self._view.above(row, -rows) if rows < 0 else self._view.below(row, rows)
        self._set_cursor(LinePosition(place.serial, 0))

    def action_open(self) -> None:
        """Enter picks the row."""
        if self.highlighted:
            self.post_message(self.Picked(self, self.highlighted))

    def open_at(self, serial: int) -> None:
        """A click picks the row."""
        self.action_open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is no end to follow in a list."""
        return False if action == "toggle_follow" else super().check_action(action, parameters)
