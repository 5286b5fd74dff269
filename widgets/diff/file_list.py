"""Changed files: what happened to each, how much, and whether a person has seen it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane

_STYLES = {"A": "ok", "D": "error", "M": "warn", "R": "tool", "C": "tool", "T": "warn"}


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One changed file; `note` names what a count of lines cannot say (binary, mode change, generated)."""

    path: str
    _: KW_ONLY
    status: str = "M"
    added: int = 0
    removed: int = 0
    seen: bool = False
    note: str = ""


class FileList(ChoiceList):
    """A list of changed files with seen marks."""

    class Chosen(LogPane.PaneMessage):
        """A file was opened."""

        def __init__(self, pane: FileList, path: str) -> None:
            super().__init__(pane)
            self.path = path

    def __init__(self, **options: Any) -> None:
        """The options of a LogPane."""
        super().__init__(**{"wrap": False, **options})
        self._files: dict[str, ChangedFile] = {}

    def show(self, files: Sequence[ChangedFile]) -> None:
        """Show these files; seen marks of unchanged entries stay."""
        old = self._files
        self._files = {
            f.path: replace(f, seen=True) if f.path in old and old[f.path] == replace(f, seen=True) else f
            for f in files
        }
        self._draw()

    @property
    def unseen(self) -> tuple[str, ...]:
        """Paths nobody has looked at."""
        return tuple(path for path, file in self._files.items() if not file.seen)

    def mark_seen(self, path: str) -> None:
        """A person has seen that file to its end."""
        file = self._files.get(path)
        if file is not None and not file.seen:
            self._files[path] = replace(file, seen=True)
            self.replace(path, _row(self._files[path]))

    def open(self) -> None:
        """Enter opens the file."""
        if self.highlighted:
            self.post_message(self.Chosen(self, self.highlighted))

    def _draw(self) -> None:
        self.set_rows([_row(file) for file in self._files.values()])


def _row(file: ChangedFile) -> LogLine:
    aside = file.note or f"+{file.added} −{file.removed}"
    return LogLine(
        file.path,
        lead=f"{file.status[:1] or '?'} ",
        lead_style=_STYLES.get(file.status[:1], "text"),
        spans=(Span(0, len(file.path), "dim"),) if file.seen else (),
        aside=f"  {aside}  {'seen' if file.seen else '·   '}",
        key=file.path,
    )
