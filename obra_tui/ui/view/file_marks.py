"""What of a diff was looked at: only what was read against the base of the task counts. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from obra_tui.ui.view.review_draft import FileMark
from widgets.diff.patch import FileDiff


class FileMarks:
    """Marks of files as they are in the present work; of other content they count no more."""

    def __init__(self) -> None:
        self._patches: dict[str, str] = {}
        """The patch of every file since the base of the task: what marks are about."""
        self._marks: set[FileMark] = set()

    def start(self, files: Sequence[FileDiff], marks: frozenset[FileMark]) -> None:
        """This is the work; `marks` were made of it, or of what it was, before."""
        self._patches = {item.path: item.patch for item in files}
        self._marks |= marks

    def add(self, file: FileDiff, *, to_end: bool) -> None:
        self._marks.add(FileMark(file.path, file.patch, to_end))

    @property
    def present(self) -> frozenset[FileMark]:
        """What was looked at of the present work."""
        return frozenset(mark for mark in self._marks if self._patches.get(mark.path) == mark.patch)

    @property
    def opened(self) -> frozenset[str]:
        """Files that were on screen."""
        return frozenset(mark.path for mark in self.present)

    @property
    def read(self) -> frozenset[str]:
        """Files that were read to their end."""
        return frozenset(mark.path for mark in self.present if mark.to_end)
