"""A pane that always has a cursor: rows to choose from, thousands of them if need be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from widgets.lines import LogLine
from widgets.log_view.follow_state import LinePosition
from widgets.log_view.scroll import EntryScroller, Scroller
from widgets.log_view.view import LogPane


class ChoiceList(LogPane):
    """Rows with keys; the cursor stays on its key when the rows are set again."""

    CURSOR_BY_ENTRY: ClassVar[bool] = True
    SCROLLER: ClassVar[type[Scroller]] = EntryScroller
    UNUSED: ClassVar[frozenset[str]] = frozenset({"toggle_follow"})

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
        model = self.model
        key = self.highlighted if keep else ""
        above = model.rows_above_cursor() if key else 0
        self.writer.forget()
        model.reset()
        model.document.extend(rows)
        if rows:
            serial = model.document.serial_of(key) if key else None
            model.cursor.at = LinePosition(serial or 0, 0)
            model.view.show_from(model.view.above(model.cursor.row(), above), settle=False)
        model.changed(repaint=True)
        if self.highlighted != key:
            self.on_cursor_moved()

    def highlight(self, key: str) -> bool:
        """Put the cursor on a row; false when there is no such row."""
        serial = self.model.document.serial_of(key)
        if serial is None:
            return False
        self.model.set_cursor(LinePosition(serial, 0))
        return True

    def on_cursor_moved(self) -> None:
        """Say which row is highlighted."""
        self.post_message(self.Highlighted(self, self.highlighted))

    def open(self) -> None:
        """Enter picks the row."""
        if self.highlighted:
            self.post_message(self.Picked(self, self.highlighted))

    def open_at(self, serial: int) -> None:
        """A click picks the row."""
        self.open()
