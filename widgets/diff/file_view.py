"""One file of a change in the panes of a diff: its rows in one column or two, their colours, and comments between them.

The first screens of a large patch are there at once and the rest follows from a thread, as do the colours that need
whole texts. Knows nothing of the other files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from textual.widget import Widget

from widgets.diff.colours import DiffColours, fits
from widgets.diff.patch import (
    FileDiff,
    PatchLines,
    Side,
    patch_rows,
    patch_styler,
    side_rows,
    side_styler,
    with_comments,
)
from widgets.diff.patch_pane import PatchPane, first_lines
from widgets.log_view.model import Styler

NO_LINES = PatchLines([], [], {}, {})
Comments = Mapping[str, Mapping[int, Sequence[str]]]
"""File, line of the new text, texts."""


class FileView:
    def __init__(self, owner: Widget, on_rows: Callable[[], None], *, split: bool, rich: bool) -> None:
        """`owner` has the two panes; `on_rows` is called when there are more rows of the file than before."""
        self._owner = owner
        self._on_rows = on_rows
        self.is_split, self.is_rich = split, rich
        """What is wanted: two columns, and the colours of the language."""
        self._file: FileDiff | None = None
        self._rows = self._shown = NO_LINES
        """All lines of the patch, and the rows of the pane: the same unless they are in two columns."""
        self._colours: DiffColours | None = None
        self._comments: Comments = {}
        self._wanted_line = 0
        self.is_partial = False
        """The rest of the patch is still to come."""

    @property
    def patch(self) -> PatchPane:
        return self._owner.query_one("#patch", PatchPane)

    @property
    def old_side(self) -> PatchPane:
        return self._owner.query_one("#old-side", PatchPane)

    @property
    def hunks(self) -> Sequence[int]:
        """The rows at which hunks begin."""
        return self._shown.hunks

    # -- showing -------------------------------------------------------------------------------

    def show(self, file: FileDiff | None) -> None:
        """Show a file from its beginning; what takes time follows from a thread."""
        self._file, self._wanted_line = file, 0
        head = first_lines(file.patch) if file else ""
        self._rows = patch_rows(head) if head else NO_LINES
        self.is_partial = file is not None and len(head) < len(file.patch)
        self._colours = DiffColours(file.path, self._rows) if file else None
        self._draw()
        if file is not None and self.is_partial:
            self._owner.run_worker(self._show_rest(file), group="rest", exclusive=True, exit_on_error=False)
        else:
            self._learn_texts()

    def learn(self, file: FileDiff | None) -> None:
        """Take the same file with more known of it: only its colours change."""
        self._file = file
        self._learn_texts()

    def set_comments(self, comments: Comments) -> None:
        before, self._comments = self._comments, comments
        file = self._file
        if file is not None and before.get(file.path) != comments.get(file.path):
            self.draw_again()

    def draw_again(self) -> None:
        """Other rows; the line in front of a person stays."""
        line = self.patch.line_at()
        top = self.patch.shown_range.start
        self._draw()
        if line > 1 and top > 0:
            self.go_to_line(line)
        elif line:
            self.patch.put_cursor(_nearest(self._shown.places, line) or 0)

    def go_to_line(self, line: int) -> None:
        """Show a line of the new text, now or as soon as it is there."""
        self._wanted_line = line
        row = _nearest(self._shown.places, line)
        if row is not None:
            self.patch.show_index(row)

    def _draw(self) -> None:
        """Give the panes their rows: one column, or two of as many rows each."""
        file, was_split = self._file, self._owner.has_class("-split")
        is_split = self.is_split and bool(self._rows.rows) and not self.is_partial
        said = self._comments.get(file.path, {}) if file else {}
        rows = with_comments(self._rows, said) if said else self._rows
        old, new = side_rows(rows) if is_split else (NO_LINES, rows)
        self._shown = new
        self._owner.set_class(is_split, "-split")
        if is_split != was_split:
            self.patch.set_wrap(not is_split)
            self.old_side.set_wrap(not is_split)
        self.old_side.show("", old.rows, self._styler("old"))
        self.patch.show(file.path if file else "", new.rows or _nothing(file), self._styler("new"))

    def style(self) -> None:
        """Paint the same rows with what is known of their colours now."""
        self.old_side.model.use_styler(self._styler("old"))
        self.patch.model.use_styler(self._styler("new"))

    def _styler(self, side: Side) -> Styler:
        plain = partial(side_styler, side) if self._owner.has_class("-split") else patch_styler
        colours = self._colours
        if colours is None or not self.is_rich:
            return plain
        return lambda row: colours.paint(row, plain(row))

    # -- what takes time -----------------------------------------------------------------------

    async def _show_rest(self, file: FileDiff) -> None:
        """Number the lines of a large patch in a thread; its first screens are there already."""
        rows = await asyncio.to_thread(patch_rows, file.patch)
        current = self._file
        if current is None or (current.path, current.patch) != (file.path, file.patch) or not self.is_partial:
            return
        shown = len(self._rows.rows)
        self._rows, self.is_partial = rows, False
        self._colours = DiffColours(file.path, rows)
        if self.is_split or self._comments:
            self._draw()
        else:
            self._shown = rows
            self.style()
            self.patch.extend(rows.rows[shown:])
        self._on_rows()
        if self._wanted_line:
            self.go_to_line(self._wanted_line)
        self._learn_texts()

    def _learn_texts(self) -> None:
        """Colour the whole texts in a thread, when they are known: a long string is then no code."""
        file, colours = self._file, self._colours
        if file is not None and colours is not None and colours.has_language and fits(file):
            self._owner.run_worker(self._colour(file, colours), group="colours", exclusive=True, exit_on_error=False)

    async def _colour(self, file: FileDiff, colours: DiffColours) -> None:
        whole = await asyncio.to_thread(colours.learn, file.before or "", file.after or "")
        colours.use(whole)
        if self._colours is colours and self._owner.is_attached:
            self.style()


def _nothing(file: FileDiff | None) -> list[str]:
    text = "no changes" if file is None else file.note or "no text to show"
    return [" " * 11 + "~ " + text]


def _nearest(places: Mapping[int, int], line: int) -> int | None:
    """The row of a line, or of the nearest line that is shown."""
    if line in places:
        return places[line]
    return places[min(places, key=lambda other: abs(other - line))] if places else None
