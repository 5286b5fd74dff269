"""What changed, file by file: as a patch that shows at once whatever its size, or as a coloured diff.

Small files whose texts are known get the coloured view, prepared off the event loop; the patch is on screen
until it is ready, and stays for everything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from widgets.diff.patch import FileDiff, PatchLines, patch_rows
from widgets.diff.patch_pane import PatchPane, first_lines
from widgets.diff.rich_diff import BoundedDiffView, RichScroll, fits
from widgets.segments import joined, piece

_CONTEXT = 2
"""Rows above a line that was jumped to."""


class DiffPane(Vertical):
    """Files of a change, one at a time."""

    DEFAULT_CSS = """
    DiffPane { width: 1fr; height: 1fr; border: round $foreground 35%; }
    DiffPane:focus-within { border: heavy $border; }
    DiffPane > #diff-title { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    DiffPane > RichScroll { display: none; height: 1fr; }
    DiffPane.-rich > RichScroll { display: block; }
    DiffPane.-rich > PatchPane { display: none; }
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
        self._rows = PatchLines([], [], {})
        self._rich_view: BoundedDiffView | None = None
        self._wanted_line = 0
        self._failure = ""
        self._partial = False
        self._seen: set[str] = set()

    def compose(self) -> ComposeResult:
        """A title, the patch, and room for the coloured view."""
        yield Static(Content(""), id="diff-title")
        yield PatchPane()
        yield RichScroll()

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
        return self.query_one(PatchPane)

    def show(self, files: Sequence[FileDiff], index: int = 0) -> None:
        """Show these files, beginning with one of them."""
        self._files, self._seen = tuple(files), set()
        self._index = min(max(0, index), max(0, len(self._files) - 1))
        self._show_current()

    def learn(self, files: Sequence[FileDiff]) -> None:
        """Take the same files with more known of them; what is on screen stays until it is shown anew."""
        self._files = tuple(files)

    def place(self) -> tuple[str, int] | None:
        """File and line of the new text where a person is; line 0 when none is near, None without files."""
        file = self.current
        if file is None:
            return None
        if self._rich_view is None:
            return file.path, self.patch.line_at()
        top = round(self.query_one(RichScroll).scroll_y)
        return file.path, self._rich_view.line_of(top + _CONTEXT)

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

    def set_split(self, split: bool) -> None:
        """Old and new side by side, or one below the other."""
        self._split = split
        if self._rich_view is not None:
            self._rich_view.split = split

    def set_rich(self, rich: bool) -> None:
        """The coloured view where possible, or always the patch."""
        self._rich = rich
        self._show_current()

    # -- keys ----------------------------------------------------------------------------------

    def action_file(self, step: int) -> None:
        """The file before or after."""
        if self._files:
            self._index = (self._index + step) % len(self._files)
            self._show_current()

    def action_hunk(self, step: int) -> None:
        """The hunk before or after."""
        hunks = self._rich_view.hunk_rows() if self._rich_view is not None else self._rows.hunks
        target = self._hunk + step
        if target >= len(hunks):
            self.action_file(1)
        elif target >= 0:
            self._hunk = target
            self._go_to_row(hunks[target])
            self._write_title()

    def action_split(self) -> None:
        """Side by side, or not."""
        self.set_split(not self._split)

    def action_rich(self) -> None:
        """Coloured, or the patch."""
        self.set_rich(not self._rich)

    # -- showing -------------------------------------------------------------------------------

    def _show_current(self) -> None:
        """The patch now; the coloured view when it is ready."""
        file = self.current
        if not self.is_mounted:
            return
        self._hunk, self._wanted_line, self._rich_view, self._failure = -1, 0, None, ""
        head = first_lines(file.patch) if file else ""
        self._rows = patch_rows(head) if head else PatchLines([], [], {})
        self._partial = file is not None and len(head) < len(file.patch)
        self.remove_class("-rich")
        self.patch.show(file.path if file else "", self._rows.rows or _nothing(file))
        self._write_title()
        if file is None:
            return
        if self._partial:
            self.run_worker(self._show_rest(file), group="rest", exclusive=True, exit_on_error=False)
        self.post_message(self.Shown(self, file.path, self._index))
        if self._rich and fits(file):
            self.run_worker(self._show_rich(file), group="diff", exclusive=True, exit_on_error=False)

    async def _show_rest(self, file: FileDiff) -> None:
        """Number the lines of a large patch in a thread; its first screens are there already."""
        rows = await asyncio.to_thread(patch_rows, file.patch)
        if self.current is not file or not self._partial:
            return
        shown = len(self._rows.rows)
        self._rows, self._partial = rows, False
        self.patch.extend(rows.rows[shown:])
        self._write_title()
        if self._wanted_line:
            self._go_to_line(self._wanted_line)

    async def _show_rich(self, file: FileDiff) -> None:
        """Build the coloured view beside the patch, then swap them."""
        view = BoundedDiffView(file, self._split)
        await view.prepare()
        if self.current is not file or not self._rich:
            return
        scroll = self.query_one(RichScroll)
        had_focus = self.patch.has_focus
        await scroll.remove_children()
        scroll.path = file.path
        await scroll.mount(view)
        self._rich_view = view
        self.add_class("-rich")
        scroll.scroll_home(animate=False)
        if had_focus:
            scroll.focus(scroll_visible=False)
        if self._wanted_line:
            self._go_to_line(self._wanted_line)
        self.call_after_refresh(scroll.tell_when_at_end)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A coloured view that cannot be made must not be silent: the patch stays, and says so."""
        if event.state == WorkerState.ERROR:
            event.stop()
            self._failure = f"no coloured view: {event.worker.error}"
            self._write_title()

    def _go_to_line(self, line: int) -> None:
        if self._rich_view is not None:
            row = self._rich_view.row_of(line)
        else:
            row = _nearest(self._rows.places, line)
        if row is not None:
            self._go_to_row(row)

    def _go_to_row(self, row: int) -> None:
        if self._rich_view is not None:
            self.query_one(RichScroll).scroll_to(y=max(0, row - _CONTEXT), animate=False)
        else:
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
                piece("  ".join(["", *filter(None, (file.note, self._failure))]), "$text-warning"),
                piece(f"  file {self._index + 1}/{len(self._files)}{hunk}", "$foreground 60%"),
            ]
        )

    def on_patch_pane_end_shown(self, event: PatchPane.EndShown) -> None:
        """The end of the patch was on screen."""
        event.stop()
        if not self.has_class("-rich") and not self._partial:
            self._mark_seen(event.path)

    def on_rich_scroll_end_shown(self, event: RichScroll.EndShown) -> None:
        """The end of the coloured view was on screen."""
        event.stop()
        self._mark_seen(event.path)

    def on_patch_pane_scrolled(self, event: PatchPane.Scrolled) -> None:
        """The patch was read on."""
        self._tell_scrolled(event, event.path)

    def on_rich_scroll_scrolled(self, event: RichScroll.Scrolled) -> None:
        """The coloured view was read on."""
        self._tell_scrolled(event, event.path)

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
