"""The diff of a gate: against the base of the task, the attempt before or the checkout; and what of it was looked at.

Texts are read in worker threads. Only what was read against the base of the task counts as seen: that is what an
answer is bound to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.message import Message

from obra_tui.core.errors import ObraError
from obra_tui.core.model import Diff, FileChange
from obra_tui.ui.screens.review.diff_base import DiffBase
from obra_tui.ui.services import services_of
from obra_tui.ui.view.diff_view import Texts, file_diffs, with_texts
from obra_tui.ui.view.file_marks import FileMarks
from obra_tui.ui.view.review import GateReview
from obra_tui.ui.view.review_draft import FileMark
from widgets.diff.diff_pane import DiffPane
from widgets.diff.patch import FileDiff

RICH_FILES = 40
"""Whole texts of so many files are read for their colours; the others are coloured hunk by hunk."""
WIDE = 160
"""From so many columns on there is room for two sides."""


class ReviewDiff(DiffPane):
    """Shows the comparison, and notes what a person looks at."""

    class Looked(Message):
        """More was looked at than before."""

    class BaseChanged(Message):
        """Other files are on screen: those of another comparison."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.comparison = DiffBase(partial(_in_thread, self, "compare"), self._show_base, self._write_base)
        self.looked_at = FileMarks()
        self._seen_since: set[str] = set()
        """Read to their end in the comparison with another base."""
        self._split_chosen: bool | None = None
        self.has_read_on = False
        """The person went on from what was on screen first."""

    # -- what the screen calls -----------------------------------------------------------------

    def show_review(self, review: GateReview, marks: frozenset[FileMark]) -> None:
        """Show the work of this review from the base of the task on."""
        self.comparison.start(review)
        diff = review.attempt.diff
        self.looked_at.start(file_diffs(diff.patch, diff.files) if diff else [], marks)
        self._show_files()

    @property
    def changes(self) -> tuple[FileChange, ...]:
        """The files of the comparison that is on screen."""
        diff = self.comparison.diff
        return diff.files if diff else ()

    @property
    def seen(self) -> frozenset[str]:
        """Files that were read to their end in the comparison that is on screen."""
        return frozenset(self._seen_since) if self.comparison.has_other_base else self.looked_at.read

    def read_on(self) -> None:
        """The person leafs through the files."""
        if not self.has_read_on:
            self.has_read_on = True
            self.post_message(self.Looked())

    def action_file(self, step: int) -> None:
        self.read_on()
        super().action_file(step)

    def action_hunk(self, step: int) -> None:
        self.read_on()
        super().action_hunk(step)

    def action_split(self) -> None:
        """Side by side or not, from now on for every file."""
        self._split_chosen = not self._splits(self.current)
        self.set_split(self._split_chosen)

    # -- showing -------------------------------------------------------------------------------

    def _show_base(self) -> None:
        """Another comparison is there; its panes are taken away before itself, and a thread may come between."""
        if self.is_attached and self.children:
            self._seen_since.clear()
            self._show_files()
            self.post_message(self.BaseChanged())

    def _show_files(self) -> None:
        shown = self.comparison.diff
        files = file_diffs(shown.patch, shown.files) if shown else []
        current = self.current.path if self.current else ""
        index = next((i for i, item in enumerate(files) if item.path == current), 0)
        self.show(files, index=index)
        self.set_split(self._splits(files[index] if files else None))
        self._write_base()
        self._read_texts()

    def _write_base(self) -> None:
        if self.is_attached:
            self.border_title = self.comparison.title
            key = services_of(self.app).key_label("review.base")
            self.border_subtitle = f"{key} {self.comparison.next_title}"

    def _splits(self, file: FileDiff | None) -> bool:
        """Two columns where there is room, but not for a file that has only one side."""
        if self._split_chosen is not None:
            return self._split_chosen
        return self.screen.size.width >= WIDE and (file is None or file.status not in "AD")

    def _read_texts(self) -> None:
        """Read what the colours of whole files need; the patch is on screen already."""
        services, review, diff = services_of(self.app), self.comparison.review, self.comparison.diff
        backend, since = services.backend, self.comparison.since
        if backend is None or review is None or diff is None or not diff.files:
            return
        paths = [change.path for change in diff.files if not change.binary][:RICH_FILES]

        def read() -> None:
            texts = {}
            for path in paths:
                try:
                    texts[path] = backend.reader.files_of(review.attempt.id, path, since)
                except ObraError:
                    continue  # the patch is on screen already, coloured hunk by hunk
            services.call_soon(partial(self._take_texts, diff, texts))

        _in_thread(self, "texts", read)

    def _take_texts(self, diff: Diff, texts: Texts) -> None:
        """Give the diff the colours that need whole texts; what is on screen stays where it is."""
        if self.is_attached and self.children and texts and self.comparison.diff is diff:
            self.learn(with_texts(self.files, texts))

    # -- what was looked at --------------------------------------------------------------------

    def on_diff_pane_shown(self, message: DiffPane.Shown) -> None:
        self.set_split(self._splits(self.current))
        self._mark(message.path, to_end=False)

    def on_diff_pane_seen(self, message: DiffPane.Seen) -> None:
        if self.comparison.has_other_base:
            self._seen_since.add(message.path)
        self._mark(message.path, to_end=True)

    def on_diff_pane_scrolled(self, message: DiffPane.Scrolled) -> None:
        message.stop()
        self.read_on()

    def _mark(self, path: str, *, to_end: bool) -> None:
        file = self.current
        if not self.comparison.has_other_base and file is not None and file.path == path:
            self.looked_at.add(file, to_end=to_end)
        self.post_message(self.Looked())


def _in_thread(pane: ReviewDiff, group: str, read: Callable[[], None]) -> None:
    pane.run_worker(read, thread=True, exit_on_error=False, group=group, exclusive=True)
