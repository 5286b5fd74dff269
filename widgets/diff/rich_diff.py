"""Two texts as a coloured diff, by textual-diff-view, with its costly and unsafe corners taken off."""

from __future__ import annotations

from textual import containers
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual_diff_view import DiffView

from widgets.diff.patch import FileDiff
from widgets.segments import joined, piece
from widgets.text import clean

MOST_LINES = 3_000
_MOST_CHARACTERS_COMPARED = 4_000
_TITLE_ROWS = 2


def fits(file: FileDiff) -> bool:
    """Whether both texts are there and small enough."""
    if file.before is None or file.after is None:
        return False
    return max(file.before.count("\n"), file.after.count("\n")) <= MOST_LINES


class BoundedDiffView(DiffView):
    """The view of one file: plain title, and no character comparison of whole pages."""

    def __init__(self, file: FileDiff, split: bool) -> None:
        before, after = clean(file.before or ""), clean(file.after or "")
        path = clean(file.path)
        super().__init__(path, path, before, after, split=split, annotations=True)
        self._file = file

    @classmethod
    def _highlight_diff_lines(
        cls, lines_a: list[Content], lines_b: list[Content], added_style: Style, removed_style: Style
    ) -> tuple[list[Content], list[Content]]:
        size = sum(len(line) for line in lines_a) + sum(len(line) for line in lines_b)
        if size > _MOST_CHARACTERS_COMPARED:
            return lines_a, lines_b
        made: tuple[list[Content], list[Content]] = super()._highlight_diff_lines(
            lines_a, lines_b, added_style, removed_style
        )
        return made

    def get_title(self) -> Content:
        """Path and counts, without an emoji of unsure width."""
        added, removed = self.counts
        counts = [piece(f" +{added}", "$text-success"), piece(f" −{removed}", "$text-error")]
        return joined([piece(self._file.path, "bold"), *counts])

    def hunk_rows(self) -> list[int]:
        """The row on which each hunk begins."""
        rows: list[int] = []
        row = _TITLE_ROWS
        for group in self.grouped_opcodes:
            rows.append(row)
            row += 1 + sum(self._height(*code) for code in group)
        return rows

    def row_of(self, line: int) -> int | None:
        """The row that shows a line of the new text; None when it is in no hunk."""
        row = _TITLE_ROWS
        for group in self.grouped_opcodes:
            for tag, i1, i2, j1, j2 in group:
                if j1 < line <= j2:
                    gone = 0 if self.split or tag == "equal" else i2 - i1
                    return row + gone + line - j1 - 1
                row += self._height(tag, i1, i2, j1, j2)
            row += 1
        return None

    def line_of(self, row: int) -> int:
        """The line of the new text on a row, or the next one below it; 0 when there is none."""
        at = _TITLE_ROWS
        for group in self.grouped_opcodes:
            for tag, i1, i2, j1, j2 in group:
                gone = 0 if self.split or tag == "equal" else i2 - i1
                if j2 > j1 and row < at + gone + j2 - j1:
                    return j1 + 1 + max(0, row - at - gone)
                at += self._height(tag, i1, i2, j1, j2)
            at += 1
        return 0

    def _height(self, tag: str, i1: int, i2: int, j1: int, j2: int) -> int:
        if tag == "equal" or self.split:
            return max(i2 - i1, j2 - j1)
        return i2 - i1 + j2 - j1


class RichScroll(containers.VerticalScroll):
    """Scrolls a rich view and says when its end was on screen."""

    path = ""
    """The file that is shown."""

    class OfFile(Message):
        """Something about the file that is shown."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    class EndShown(OfFile):
        """The last row of a file was on screen."""

    class Scrolled(OfFile):
        """Not the beginning of the file is on screen."""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolled."""
        super().watch_scroll_y(old_value, new_value)
        if new_value > 0:
            self.post_message(self.Scrolled(self.path))
        self.tell_when_at_end()

    def tell_when_at_end(self) -> None:
        """Post `EndShown` when there is nothing further down; what is not laid out yet was not on screen."""
        if not self.children or not self.size.height:
            return
        view = self.children[-1]
        if view.size.height and self.scroll_y + self.size.height >= view.virtual_region.bottom:
            self.post_message(self.EndShown(self.path))
