"""Panes that say which of their lines is on top, so that another one can stand at the same line."""

from __future__ import annotations

from typing import Any

from widgets.log_view.view import LogPane


class AlignedPane(LogPane):
    """One of two panes that scroll together: as many lines each, and the n-th belongs to the n-th."""

    class Moved(LogPane.PaneMessage):
        """Another line is on top, because somebody scrolled here."""

        def __init__(self, pane: AlignedPane, index: int) -> None:
            super().__init__(pane)
            self.index = index

    def __init__(self, **options: Any) -> None:
        """The options of a LogPane."""
        super().__init__(**{"follow": False, **options})
        self._led = 0
        """Where the other one led to: no news for it."""

    def stand_at(self, index: int) -> None:
        """Show the n-th line on top, as the other pane does."""
        if index == self.shown_range.start or not 0 <= index < self.line_count:
            return
        self._led = index
        self.scroller.stand_at(index)

    def on_rows_shown(self) -> None:
        """Other rows are on screen."""
        top = self.shown_range.start
        if top != self._led:
            self._led = top
            self.post_message(self.Moved(self, top))


class TwinPane(AlignedPane):
    """One of two transcripts."""

    def __init__(self, **options: Any) -> None:
        """The options of a LogPane; lines do not wrap, so that each is one row."""
        super().__init__(**{"wrap": False, **options})
