"""What changed, file by file: a patch that shows at once whatever its size, with the colours of its language.

In one column or two, it is the same pane with the same keys. Lines are coloured when they come on screen; the whole
texts of small files, once known, are coloured in a thread and put right what a hunk alone cannot tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

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
from widgets.segments import joined, piece

NO_LINES = PatchLines([], [], {}, {})


class DiffPane(Vertical):
    """Files of a change, one at a time."""

    DEFAULT_CSS = """
    DiffPane { width: 1fr; height: 1fr; border: round $foreground 35%; }
    DiffPane:focus-within { border: heavy $border; }
    DiffPane > #diff-title { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    DiffPane #old-side { display: none; margin-right: 1; }
    DiffPane.-split #old-side { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "file(1)", "Next file", id="diff.next_file"),
        Binding("N", "file(-1)", "Previous file", show=False, id="diff.previous_file"),
        Binding("right_square_bracket", "hunk(1)", "Next hunk", show=False, id="diff.next_hunk"),
        Binding("left_square_bracket", "hunk(-1)", "Previous hunk", show=False, id="diff.previous_hunk"),
        Binding("t", "split", "Split", id="diff.split"),
        Binding("v", "rich", "Patch / coloured", show=False, id="diff.rich"),
    ]

    class DiffMessage(Message):
        """Something about one file of a diff."""

        def __init__(self, pane: DiffPane, path: str, index: int) -> None:
            super().__init__()
            self.pane = pane
            self.path = path
            self.index = index

        @property
        def control(self) -> DiffPane:
            """The pane."""
            return self.pane

    class Shown(DiffMessage):
        """Another file is shown."""

    class Seen(DiffMessage):
        """The end of a file was on screen."""

    class Scrolled(DiffMessage):
        """A person went on reading: not the beginning of a file is on screen."""

    def __init__(
        self, *, split: bool = False, rich: bool = True, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._split, self._rich = split, rich
        self._files: tuple[FileDiff, ...] = ()
        self._index = 0
        self._hunk = -1
        self._rows = self._shown = NO_LINES
        """All lines of the patch, and the rows of the pane: the same unless they are in two columns."""
        self._colours: DiffColours | None = None
        self._comments: Mapping[str, Mapping[int, Sequence[str]]] = {}
        self._wanted_line = 0
        self._partial = False
        self._seen: set[str] = set()

    def compose(self) -> ComposeResult:
        """A title, and the patch in one or two columns."""
        yield Static(Content(""), id="diff-title")
        with Horizontal():
            old_side = PatchPane(id="old-side")
            old_side.can_focus = False
            yield old_side
            yield PatchPane(id="patch")

    def on_mount(self) -> None:
        """Show what was given before."""
        self._show_current()

    # -- what a screen calls -------------------------------------------------------------------

    @property
    def current(self) -> FileDiff | None:
        """The file on screen."""
        return self._files[self._index] if self._files else None

    @property
    def files(self) -> tuple[FileDiff, ...]:
        """All files, in their order."""
        return self._files

    @property
    def patch(self) -> PatchPane:
        """The pane of the patch, for searching it."""
        return self.query_one("#patch", PatchPane)

    @property
    def old_side(self) -> PatchPane:
        """The left one of two columns; keys belong to the right one, which takes it along."""
        return self.query_one("#old-side", PatchPane)

    def show(self, files: Sequence[FileDiff], index: int = 0) -> None:
        """Show these files, beginning with one of them."""
        self._files, self._seen = tuple(files), set()
        self._index = min(max(0, index), max(0, len(self._files) - 1))
        self._show_current()

    def learn(self, files: Sequence[FileDiff]) -> None:
        """Take the same files with more known of them; of what is on screen only the colours change."""
        self._files = tuple(files)
        self._learn_texts()

    def place(self) -> tuple[str, int] | None:
        """File and line of the new text where a person is; line 0 when none is near, None without files."""
        file = self.current
        if file is None:
            return None
        return file.path, self.patch.line_at()

    def show_file(self, path: str) -> bool:
        """Show the file with that path; false when there is none."""
        found = next((i for i, file in enumerate(self._files) if file.path == path), None)
        if found is None:
            return False
        self._index = found
        self._show_current()
        return True

    def next_file(self) -> None:
        """Show the next file, around the end."""
        self.action_file(1)

    def previous_file(self) -> None:
        """Show the file before, around the start."""
        self.action_file(-1)

    def next_hunk(self) -> None:
        """Go to the next hunk; after the last one, to the next file."""
        self.action_hunk(1)

    def previous_hunk(self) -> None:
        """Go to the hunk before."""
        self.action_hunk(-1)

    def jump(self, path: str, line: int) -> bool:
        """Show a line of the new text of a file; false when the file is not in the diff."""
        if (self.current is None or self.current.path != path) and not self.show_file(path):
            return False
        self._wanted_line = line
        self._go_to_line(line)
        return True

    def set_comments(self, comments: Mapping[str, Mapping[int, Sequence[str]]]) -> None:
        """Show what people say of lines: file, line of the new text, texts. Nothing moves but what is below them."""
        if comments == self._comments:
            return
        before, self._comments = self._comments, comments
        file = self.current
        if self.is_mounted and file is not None and before.get(file.path) != comments.get(file.path):
            self._draw_again()

    def _draw_again(self) -> None:
        """Other rows; the line in front of a person stays."""
        line = self.patch.line_at()
        top = self.patch.shown_range.start
        self._draw()
        if line > 1 and top > 0:
            self._go_to_line(line)
        elif line:
            self.patch.put_cursor(_nearest(self._shown.places, line) or 0)

    def set_split(self, split: bool) -> None:
        """Old and new side by side, or one below the other; the line in front of a person stays."""
        if split == self._split:
            return
        self._split = split
        if self.is_mounted and self.current is not None:
            self._draw_again()

    def set_rich(self, rich: bool) -> None:
        """With the colours of the language and the words that changed, or with signs alone."""
        self._rich = rich
        if self.is_mounted:
            self._style()

    # -- keys ----------------------------------------------------------------------------------

    def action_file(self, step: int) -> None:
        """The file before or after."""
        if self._files:
            self._index = (self._index + step) % len(self._files)
            self._show_current()

    def action_hunk(self, step: int) -> None:
        """The hunk before or after."""
        hunks = self._shown.hunks
        target = self._hunk + step
        if target >= len(hunks):
            self.action_file(1)
        elif target >= 0:
            self._hunk = target
            self.patch.show_index(hunks[target])
            self._write_title()

    def action_split(self) -> None:
        """Side by side, or not."""
        self.set_split(not self._split)

    def action_rich(self) -> None:
        """Coloured, or the patch as it is."""
        self.set_rich(not self._rich)

    # -- showing -------------------------------------------------------------------------------

    def _show_current(self) -> None:
        """The first screens now; what takes time follows from a thread."""
        file = self.current
        if not self.is_mounted:
            return
        self._hunk, self._wanted_line = -1, 0
        head = first_lines(file.patch) if file else ""
        self._rows = patch_rows(head) if head else NO_LINES
        self._partial = file is not None and len(head) < len(file.patch)
        self._colours = DiffColours(file.path, self._rows) if file else None
        self._draw()
        self._write_title()
        if file is None:
            return
        if self._partial:
            self.run_worker(self._show_rest(file), group="rest", exclusive=True, exit_on_error=False)
        else:
            self._learn_texts()
        self.post_message(self.Shown(self, file.path, self._index))

    def _draw(self) -> None:
        """Give the panes their rows: one column, or two of as many rows each."""
        file, was_split = self.current, self.has_class("-split")
        is_split = self._split and bool(self._rows.rows) and not self._partial
        said = self._comments.get(file.path, {}) if file else {}
        rows = with_comments(self._rows, said) if said else self._rows
        old, new = side_rows(rows) if is_split else (NO_LINES, rows)
        self._shown = new
        self.set_class(is_split, "-split")
        if is_split != was_split:
            self.patch.set_wrap(not is_split)
            self.old_side.set_wrap(not is_split)
        self.old_side.show("", old.rows, self._styler("old"))
        self.patch.show(file.path if file else "", new.rows or _nothing(file), self._styler("new"))

    def _style(self) -> None:
        self.old_side.model.use_styler(self._styler("old"))
        self.patch.model.use_styler(self._styler("new"))

    def _styler(self, side: Side) -> Styler:
        plain = partial(side_styler, side) if self.has_class("-split") else patch_styler
        colours = self._colours
        if colours is None or not self._rich:
            return plain
        return lambda row: colours.paint(row, plain(row))

    async def _show_rest(self, file: FileDiff) -> None:
        """Number the lines of a large patch in a thread; its first screens are there already."""
        rows = await asyncio.to_thread(patch_rows, file.patch)
        if self.current is not file or not self._partial:
            return
        shown = len(self._rows.rows)
        self._rows, self._partial = rows, False
        self._colours = DiffColours(file.path, rows)
        if self._split or self._comments:
            self._draw()
        else:
            self._shown = rows
            self._style()
            self.patch.extend(rows.rows[shown:])
        self._write_title()
        if self._wanted_line:
            self._go_to_line(self._wanted_line)
        self._learn_texts()

    def _learn_texts(self) -> None:
        """Colour the whole texts in a thread, when they are known: a long string is then no code."""
        file, colours = self.current, self._colours
        if file is not None and colours is not None and colours.has_language and fits(file):
            self.run_worker(self._colour(file, colours), group="colours", exclusive=True, exit_on_error=False)

    async def _colour(self, file: FileDiff, colours: DiffColours) -> None:
        whole = await asyncio.to_thread(colours.learn, file.before or "", file.after or "")
        colours.use(whole)
        if self._colours is colours and self.is_attached:
            self._style()

    def _go_to_line(self, line: int) -> None:
        row = _nearest(self._shown.places, line)
        if row is not None:
            self.patch.show_index(row)

    def _write_title(self) -> None:
        self.query_one("#diff-title", Static).update(self._title())

    def _title(self) -> Content:
        file = self.current
        if file is None:
            return piece("no changes", "$foreground 60%")
        hunks = len(self._rows.hunks)
        hunk = (
            f"  hunk {self._hunk + 1}/{hunks}"
            if self._hunk >= 0
            else f"  {hunks} hunk{'s' if hunks > 1 else ''}"
            if hunks
            else ""
        )
        renamed = f" (was {file.old_path})" if file.old_path else ""
        return joined(
            [
                piece(f"{file.status} ", "bold"),
                piece(file.path + renamed, "bold"),
                piece(f" +{file.added}", "$text-success"),
                piece(f" −{file.removed}", "$text-error"),
                piece("  ".join(["", *filter(None, (file.note,))]), "$text-warning"),
                piece(f"  file {self._index + 1}/{len(self._files)}{hunk}", "$foreground 60%"),
            ]
        )

    def on_patch_pane_end_shown(self, event: PatchPane.EndShown) -> None:
        """The end of the patch was on screen."""
        event.stop()
        if not self._partial:
            self._mark_seen(event.path)

    def on_patch_pane_scrolled(self, event: PatchPane.Scrolled) -> None:
        """The patch was read on."""
        self._tell_scrolled(event, event.path)

    @on(PatchPane.Moved)
    @on(PatchPane.Shifted)
    def _move_other_side(self, event: PatchPane.Moved | PatchPane.Shifted) -> None:
        """Two columns show the same lines."""
        event.stop()
        if self.has_class("-split"):
            moved, other = (self.patch, self.old_side) if event.control is self.patch else (self.old_side, self.patch)
            other.stand_like(moved)

    def _tell_scrolled(self, event: Message, path: str) -> None:
        event.stop()
        if self.current is not None and self.current.path == path:
            self.post_message(self.Scrolled(self, path, self._index))

    def _mark_seen(self, path: str) -> None:
        """Note it once; word of a file that is not on screen any more comes too late to count."""
        file = self.current
        if file is not None and file.path == path and path not in self._seen:
            self._seen.add(file.path)
            self.post_message(self.Seen(self, file.path, self._index))


def _nothing(file: FileDiff | None) -> list[str]:
    text = "no changes" if file is None else file.note or "no text to show"
    return [" " * 11 + "~ " + text]


def _nearest(places: dict[int, int], line: int) -> int | None:
    """The row of a line, or of the nearest line that is shown."""
    if line in places:
        return places[line]
    return places[min(places, key=lambda other: abs(other - line))] if places else None
