"""A stored diff as what the diff pane shows, file by file. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from obra_tui.core.model import ChangeKind, FileChange
from widgets.file_list import ChangedFile
from widgets.patch import FileDiff, split_patch

LETTERS = {
    ChangeKind.ADDED: "A",
    ChangeKind.MODIFIED: "M",
    ChangeKind.DELETED: "D",
    ChangeKind.RENAMED: "R",
    ChangeKind.MODE: "X",
}
Texts = Mapping[str, tuple[str | None, str | None]]
"""Path → the file before and after, as far as they were read."""


def file_diffs(patch: str, changes: Sequence[FileChange], texts: Texts) -> list[FileDiff]:
    """Return every changed file, in the order of the file list; a file whose patch was cut off says so."""
    patches = {item.path: item.patch for item in split_patch(patch)}
    return [
        _file_diff(change, patches.get(change.path, ""), texts.get(change.path, (None, None))) for change in changes
    ]


def _file_diff(change: FileChange, patch: str, texts: tuple[str | None, str | None]) -> FileDiff:
    before, after = texts
    known = before is not None or after is not None
    notes = [change.protected, "binary" if change.binary else ""]
    if not patch and not change.binary:
        notes.append("patch cut at a size limit")
    return FileDiff(
        change.path,
        patch=patch,
        before=(before or "") if known else None,
        after=(after or "") if known else None,
        status=LETTERS[change.kind],
        added=change.added,
        removed=change.removed,
        old_path=change.old_path,
        note=", ".join(note for note in notes if note),
    )


def changed_file(change: FileChange, *, seen: bool = False) -> ChangedFile:
    """Return the row of the list of files."""
    notes = [note for note in (change.protected, "binary" if change.binary else "") if note]
    return ChangedFile(
        change.path,
        status=LETTERS[change.kind],
        added=change.added,
        removed=change.removed,
        seen=seen,
        note=", ".join(notes),
    )
