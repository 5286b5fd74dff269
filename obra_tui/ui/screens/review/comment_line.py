"""A comment on a line of the diff, typed at the line: a finding of the person's own that goes back word for word.

Also finds text in the diff. Knows nothing of how a comment is kept: it says what was written, and where.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from textual.message import Message

from obra_tui.core.model import Finding
from obra_tui.ui.screens.message_line import MessageLine
from widgets.diff.diff_pane import DiffPane


class CommentLine(MessageLine):
    """Opens below the diff."""

    class Written(Message):
        """What a person says of a line; an empty text takes back what they had said."""

        def __init__(self, path: str, line: int, text: str) -> None:
            super().__init__()
            self.path, self.line, self.text = path, line, text

    def comment_on(self, diff: DiffPane, own: Sequence[Finding]) -> bool:
        """Ask for a comment on the line at the cursor; false when there is none."""
        path, line = diff.place() or ("", 0)
        if not line:
            return False
        said = next((item.message for item in own if (item.file, item.line) == (path, line)), "")
        self._diff = diff
        self.ask(f"Comment on {path}:{line}", partial(self._write, path, line), text=said)
        return True

    def find_in(self, diff: DiffPane) -> None:
        """Find a text in the file that is shown."""
        self._diff = diff
        self.ask("Find", self._find, live=self._find)

    def _write(self, path: str, line: int, text: str) -> None:
        self.post_message(self.Written(path, line, text))

    def _find(self, text: str) -> None:
        found = self._diff.patch.find(text)
        self.tell(f"{found} found" if text else "")

    def _give_focus_back(self) -> None:
        self._diff.patch.focus()


def comments_of(own: Sequence[Finding]) -> Mapping[str, Mapping[int, Sequence[str]]]:
    """What the person said of lines: file, line, texts."""
    found: dict[str, dict[int, list[str]]] = {}
    for item in own:
        if item.file and item.line:
            found.setdefault(item.file, {}).setdefault(item.line, []).append(item.message)
    return found
