"""The diff of a gate: against the base of the task, the attempt before or the checkout; and what of it was looked at.

Texts and comparisons are read in worker threads. Only what was read against the base
of the task counts as seen: that is what an answer is bound to.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from obra_tui.core.errors import ObraError
from obra_tui.core.model import Diff, FileChange
from obra_tui.ui.ports import HEAD, Head
from obra_tui.ui.services import AppServices, services_of
from obra_tui.ui.view.diff_view import Texts, file_diffs, with_texts
from obra_tui.ui.view.review import GateReview
from obra_tui.ui.view.review_draft import FileMark
from widgets.diff.diff_pane import DiffPane
from widgets.diff.patch import FileDiff

if TYPE_CHECKING:
    from obra_tui.core.ids import AttemptId

RICH_FILES = 40
"""Whole texts of so many files are read for their colours; the others are coloured hunk by hunk."""
WIDE = 160
"""From so many columns on there is room for two sides."""


class ReviewDiff(DiffPane):
    """Knows the attempt, and which two states of the files are compared."""

    class Looked(Message):
        """More was looked at than before."""

    class BaseChanged(Message):
        """Other files are on screen: those of another comparison."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._review: GateReview | None = None
        self._compared: Diff | None = None
        """What changed since another base; None = everything since the base of the task."""
        self._since: AttemptId | Head | None = None
        """That other base."""
        self._patches: dict[str, str] = {}
        """The patch of every file since the base of the task: what marks are about."""
        self._marks: set[FileMark] = set()
        self._seen_since: set[str] = set()
        """Read to their end in the comparison with another base."""
        self._split_chosen: bool | None = None
        self.read_on = False
        """The person went on from what was on screen first."""

    @property
    def services(self) -> AppServices:
        return services_of(self.app)

    # -- what the screen calls -----------------------------------------------------------------

    def show_review(self, review: GateReview, marks: frozenset[FileMark]) -> None:
        """Show the work of this review from the base of the task on; marks of other content count no more."""
        self._review, self._compared, self._since = review, None, None
        diff = review.attempt.diff
        files = file_diffs(diff.patch, diff.files) if diff else []
        self._patches = {item.path: item.patch for item in files}
        self._marks |= marks
        self._show(files)
        self._read_texts()

    def switch_base(self) -> None:
        """From the base of the task to the attempt before, to what is checked out, and back."""
        review = self._review
        if review is None:
            return
        following = self._base_after(self._since)
        if following is None:
            self._take_base(None, None)
        else:
            self._compare(review, following)

    def _base_after(self, base: AttemptId | Head | None) -> AttemptId | Head | None:
        before = self._review.earlier[-1].attempt.id if self._review and self._review.earlier else None
        if base is None and before is not None:
            return before
        return None if base == HEAD else HEAD

    @property
    def changes(self) -> tuple[FileChange, ...]:
        """The files of the comparison that is on screen."""
        diff = self._diff
        return diff.files if diff else ()

    @property
    def seen(self) -> frozenset[str]:
        """Files that were read to their end in the comparison that is on screen."""
        return frozenset(self._seen_since) if self._compared is not None else self.read

    @property
    def read(self) -> frozenset[str]:
        """Files whose change since the base of the task was read to its end."""
        return frozenset(mark.path for mark in self.marks if mark.to_end)

    @property
    def opened(self) -> frozenset[str]:
        """Files whose change since the base of the task was on screen."""
        return frozenset(mark.path for mark in self.marks)

    @property
    def marks(self) -> frozenset[FileMark]:
        """What was looked at of the present work."""
        return frozenset(mark for mark in self._marks if self._patches.get(mark.path) == mark.patch)

    def turn(self) -> None:
        """The person leafs through the files: they read on."""
        self._read_on()

    def action_file(self, step: int) -> None:
        self.turn()
        super().action_file(step)

    def action_hunk(self, step: int) -> None:
        self.turn()
        super().action_hunk(step)

    def action_split(self) -> None:
        """Side by side or not, from now on for every file."""
        self._split_chosen = not self._splits(self.current)
        self.set_split(self._split_chosen)

    @property
    def _there(self) -> bool:
        """Its parts are taken away before itself: what a thread read may come between."""
        return self.is_attached and bool(self.children)

    # -- what is compared ----------------------------------------------------------------------

    @property
    def _diff(self) -> Diff | None:
        if self._compared is not None:
            return self._compared
        return self._review.attempt.diff if self._review else None

    def _compare(self, review: GateReview, since: AttemptId | Head) -> None:
        backend = self.services.backend
        if backend is None:
            return
        self.border_title = f"Diff · comparing with {self._name_of(since)}…"

        def read() -> None:
            try:
                diff = backend.reader.changes_since(review.attempt.id, since)
            except ObraError as refused:
                self.services.call_soon(partial(self._not_compared, refused))
            else:
                self.services.call_soon(partial(self._compared_with, review, since, diff))

        self.run_worker(read, thread=True, exit_on_error=False, group="compare", exclusive=True)

    def _not_compared(self, refused: ObraError) -> None:
        if self._there:
            self._write_base()
            self.services.notify(str(refused), problem=True)

    def _compared_with(self, review: GateReview, since: AttemptId | Head, diff: Diff) -> None:
        """Show it, unless other work came meanwhile."""
        if not (self._there and self._review is not None and self._review.gate.binding == review.gate.binding):
            return
        if since == HEAD and review.attempt.diff is not None and diff.base_commit == review.attempt.diff.base_commit:
            self.services.notify("Your checkout stands where the task began: the diff is the same.")
            self._take_base(None, None)
            return
        self._seen_since.clear()
        self._take_base(since, diff)

    def _take_base(self, since: AttemptId | Head | None, diff: Diff | None) -> None:
        self._since, self._compared = since, diff
        shown = self._diff
        self._show(file_diffs(shown.patch, shown.files) if shown else [])
        self._read_texts()
        self.post_message(self.BaseChanged())

    def _write_base(self) -> None:
        key, following = self.services.key_label("review.base"), self._base_after(self._since)
        self.border_title = f"Diff since {self._name_of(self._since)}"
        self.border_subtitle = f"{key} since {self._name_of(following)}"

    def _name_of(self, base: AttemptId | Head | None) -> str:
        if base is None:
            return "the base of the task"
        if base == HEAD:
            commit = self._compared.base_commit[:8] if self._compared and self._since == HEAD else ""
            return f"HEAD of your checkout ({commit})" if commit else "HEAD of your checkout"
        return f"attempt {self._review.earlier[-1].attempt.number}" if self._review else "the attempt before"

    # -- showing -------------------------------------------------------------------------------

    def _show(self, files: Sequence[FileDiff]) -> None:
        current = self.current.path if self.current else ""
        index = next((i for i, item in enumerate(files) if item.path == current), 0)
        self.show(files, index=index)
        self.set_split(self._splits(files[index] if files else None))
        self._write_base()

    def _splits(self, file: FileDiff | None) -> bool:
        """Two columns where there is room, but not for a file that has only one side."""
        if self._split_chosen is not None:
            return self._split_chosen
        return self.screen.size.width >= WIDE and (file is None or file.status not in "AD")

    def _read_texts(self) -> None:
        """Read what the colours of whole files need; the patch is on screen already."""
        backend, review, diff, compared = self.services.backend, self._review, self._diff, self._compared
        if backend is None or review is None or diff is None or not diff.files:
            return
        since = self._since if compared is not None else None
        paths = [change.path for change in diff.files if not change.binary][:RICH_FILES]

        def read() -> None:
            texts = {}
            for path in paths:
                try:
                    texts[path] = backend.reader.files_of(review.attempt.id, path, since)
                except ObraError:
                    continue  # the patch is on screen already, coloured hunk by hunk
            self.services.call_soon(partial(self._take_texts, diff, texts))

        self.run_worker(read, thread=True, exit_on_error=False, group="texts", exclusive=True)

    def _take_texts(self, diff: Diff, texts: Texts) -> None:
        """Give the diff the colours that need whole texts; what is on screen stays where it is."""
        if self._there and texts and self._diff is diff:
            self.learn(with_texts(self.files, texts))

    # -- what was looked at --------------------------------------------------------------------

    def on_diff_pane_shown(self, message: DiffPane.Shown) -> None:
        self.set_split(self._splits(self.current))
        self._mark(message.path, to_end=False)

    def on_diff_pane_seen(self, message: DiffPane.Seen) -> None:
        if self._compared is not None:
            self._seen_since.add(message.path)
        self._mark(message.path, to_end=True)

    def on_diff_pane_scrolled(self, message: DiffPane.Scrolled) -> None:
        message.stop()
        self._read_on()

    def _read_on(self) -> None:
        if not self.read_on:
            self.read_on = True
            self.post_message(self.Looked())

    def _mark(self, path: str, *, to_end: bool) -> None:
        file = self.current
        if self._compared is None and file is not None and file.path == path:
            self._marks.add(FileMark(path, file.patch, to_end))
        self.post_message(self.Looked())
