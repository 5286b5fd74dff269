"""One patch in a pane, whatever its size: says when its end was on screen, and at which line a person is.

Two of them side by side are the split view: as many rows each, moved together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from widgets.diff.patch import new_line_of, patch_styler
from widgets.log_view.follow_state import LinePosition
from widgets.log_view.model import Styler
from widgets.log_view.twin_pane import AlignedPane
from widgets.log_view.view import LogPane

_CAP = 500_000
_AT_ONCE = 50_000
"""Characters of a patch whose lines are numbered before it is shown; the rest follows from a thread."""
_LOOK_AHEAD = 500
"""Rows below the cursor that are asked for a line of the new text: a removed block has none of its own."""


def first_lines(patch: str) -> str:
    """The beginning of a large patch, in whole lines; a small one as it is."""
    if len(patch) <= 2 * _AT_ONCE:
        return patch
    end = patch.find("\n", _AT_ONCE)
    return patch if end < 0 else patch[: end + 1]


class PatchPane(AlignedPane):
    """A patch in a pane that says when its last line was on screen."""

    DEFAULT_CSS = """
    PatchPane, PatchPane:focus { border: none; }
    """

    UNUSED: ClassVar[frozenset[str]] = frozenset({"open"})

    class OfFile(LogPane.PaneMessage):
        """Something about the file that is shown."""

        def __init__(self, pane: PatchPane, path: str) -> None:
            super().__init__(pane)
            self.path = path

    class EndShown(OfFile):
        """The last line of a file was on screen."""

    class Scrolled(OfFile):
        """Not the beginning of the file is on screen."""

    class Shifted(LogPane.PaneMessage):
        """Long lines were moved sideways, or wrap now."""

    def __init__(self, **options: Any) -> None:
        """The options of a LogPane."""
        super().__init__(**{"cap": _CAP, "styler": patch_styler, **options})
        self._path = ""

    def show(self, path: str, rows: Sequence[str], styler: Styler) -> None:
        """Show the patch of one file; without a path nothing is reported of it."""
        self._path = path
        self.clear()
        self.model.use_styler(styler)
        self.extend(rows)

    def on_rows_shown(self) -> None:
        """Other rows are on screen."""
        super().on_rows_shown()
        if not self._path:
            return
        shown = self.shown_range
        if shown.start > 0:
            self.post_message(self.Scrolled(self, self._path))
        if shown.stop >= self.line_count > 0:
            self.post_message(self.EndShown(self, self._path))

    def action_pane(self, command: str, *steps: int) -> None:
        """One of the commands of its parts; what moves lines sideways is reported."""
        super().action_pane(command, *steps)
        if command in ("sideways", "toggle_wrap"):
            self.post_message(self.Shifted(self))

    def stand_like(self, other: PatchPane) -> None:
        """Show the same lines and the same columns as the other one of two."""
        if self.wrap != other.wrap:
            self.set_wrap(other.wrap)
        if self.model.shift != other.model.shift:
            self.model.shift = other.model.shift
            self.model.changed(repaint=True)
        self.stand_at(other.shown_range.start)

    def put_cursor(self, index: int) -> None:
        """Put the cursor on the n-th row, which is in view."""
        self.model.set_cursor(LinePosition(self.model.document.first + index, 0))

    def line_at(self) -> int:
        """The line of the new text at the cursor, or at the top of the screen; 0 when there is none below it."""
        at = self.model.cursor.at
        first = self.model.document.first + self.shown_range.start if at is None else at.serial
        for serial in range(first, min(first + _LOOK_AHEAD, self.model.document.end)):
            entry = self.model.document.get(serial)
            if isinstance(entry, str) and (line := new_line_of(entry)):
                return line
        return 0
