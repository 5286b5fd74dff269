"""What changed, file by file: a patch that shows at once whatever its size, with the colours of its language.

In one column or two, it is the same pane with the same keys. Lines are coloured when they come on screen; the whole
texts of small files, once known, are coloured in a thread and put right what a hunk alone cannot tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from widgets.diff.file_view import Comments, FileView
from widgets.diff.patch import FileDiff
from widgets.diff.patch_pane import PatchPane
from widgets.segments import joined, piece


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
        self._files: tuple[FileDiff, ...] = ()
        self._index = 0
        self._hunk = -1
        self._seen: set[str] = set()
        self.view = FileView(self, self._write_title, split=split, rich=rich)

    def compose(self) -> ComposeResult:
        """A title, and the patch in one or two columns."""
        yield Static(Content(""), id="diff-title")
        with Horizontal():
            old_side = PatchPane(id="old-side")
            old_side.can_focus = False  # keys belong to the right one of two columns, which takes it along
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
        return self.view.patch

    def show(self, files: Sequence[FileDiff], index: int = 0) -> None:
        """Show these files, beginning with one of them."""
        self._files, self._seen = tuple(files), set()
        self._index = min(max(0, index), max(0, len(self._files) - 1))
        self._show_current()

    def learn(self, files: Sequence[FileDiff]) -> None:
        """Take the same files with more known of them; of what is on screen only the colours change."""
        self._files = tuple(files)
        self.view.learn(self.current)

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

    def jump(self, path: str, line: int) -> bool:
        """Show a line of the new text of a file; false when the file is not in the diff."""
        if (self.current is None or self.current.path != path) and not self.show_file(path):
            return False
        self.view.go_to_line(line)
        return True

    def set_comments(self, comments: Comments) -> None:
        """Show what people say of lines. Nothing moves but what is below them."""
        if self.is_mounted:
            self.view.set_comments(comments)

    def set_split(self, split: bool) -> None:
        """Old and new side by side, or one below the other; the line in front of a person stays."""
        if split != self.view.is_split:
            self.view.is_split = split
            if self.is_mounted and self.current is not None:
                self.view.draw_again()

    # -- keys ----------------------------------------------------------------------------------

    def action_file(self, step: int) -> None:
        """The file before or after, around the end."""
        if self._files:
            self._index = (self._index + step) % len(self._files)
            self._show_current()

    def action_hunk(self, step: int) -> None:
        """The hunk before or after; after the last one, the next file."""
        hunks = self.view.hunks
        target = self._hunk + step
        if target >= len(hunks):
            self.action_file(1)
        elif target >= 0:
            self._hunk = target
            self.patch.show_index(hunks[target])
            self._write_title()

    def action_split(self) -> None:
        """Side by side, or not."""
        self.set_split(not self.view.is_split)

    def action_rich(self) -> None:
        """With the colours of the language and the words that changed, or with signs alone."""
        self.view.is_rich = not self.view.is_rich
        if self.is_mounted:
            self.view.style()

    # -- showing -------------------------------------------------------------------------------

    def _show_current(self) -> None:
        """The first screens now; what takes time follows from a thread."""
        file = self.current
        if not self.is_mounted:
            return
        self._hunk = -1
        self.view.show(file)
        self._write_title()
        if file is not None:
            self.post_message(self.Shown(self, file.path, self._index))

    def _write_title(self) -> None:
        title = _title(self.current, self._index, len(self._files), self._hunk, len(self.view.hunks))
        self.query_one("#diff-title", Static).update(title)

    # -- what the panes tell -------------------------------------------------------------------

    def on_patch_pane_end_shown(self, event: PatchPane.EndShown) -> None:
        """The end of the patch was on screen; word of a file that is not there any more comes too late to count."""
        event.stop()
        file = self.current
        if not self.view.is_partial and file is not None and file.path == event.path and event.path not in self._seen:
            self._seen.add(file.path)
            self.post_message(self.Seen(self, file.path, self._index))

    def on_patch_pane_scrolled(self, event: PatchPane.Scrolled) -> None:
        """The patch was read on."""
        event.stop()
        if self.current is not None and self.current.path == event.path:
            self.post_message(self.Scrolled(self, event.path, self._index))

    @on(PatchPane.Moved)
    @on(PatchPane.Shifted)
    def _move_other_side(self, event: PatchPane.Moved | PatchPane.Shifted) -> None:
        """Two columns show the same lines."""
        event.stop()
        if self.has_class("-split"):
            patch, old_side = self.view.patch, self.view.old_side
            moved, other = (patch, old_side) if event.control is patch else (old_side, patch)
            other.stand_like(moved)


def _title(file: FileDiff | None, index: int, files: int, hunk: int, hunks: int) -> Content:
    if file is None:
        return piece("no changes", "$foreground 60%")
    where = ""
    if hunk >= 0:
        where = f"  hunk {hunk + 1}/{hunks}"
    elif hunks:
        where = f"  {hunks} hunk{'s' if hunks > 1 else ''}"
    renamed = f" (was {file.old_path})" if file.old_path else ""
    return joined(
        [
            piece(f"{file.status} ", "bold"),
            piece(file.path + renamed, "bold"),
            piece(f" +{file.added}", "$text-success"),
            piece(f" −{file.removed}", "$text-error"),
            piece("  ".join(["", *filter(None, (file.note,))]), "$text-warning"),
            piece(f"  file {index + 1}/{files}{where}", "$foreground 60%"),
        ]
    )
