"""A stored diff as what the diff pane shows, file by file. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from obra_tui.core.model import ChangeKind, FileChange
from widgets.diff.file_list import ChangedFile
from widgets.diff.patch import FileDiff, split_patch

LETTERS = {
    ChangeKind.ADDED: "A",
    ChangeKind.MODIFIED: "M",
    ChangeKind.DELETED: "D",
    ChangeKind.RENAMED: "R",
    ChangeKind.MODE: "X",
}
Texts = Mapping[str, tuple[str | None, str | None]]
"""Path → the file before and after, as far as they were read."""


def file_diffs(patch: str, changes: Sequence[FileChange]) -> list[FileDiff]:
    """Return every changed file, in the order of the file list; a file whose patch was cut off says so."""
    patches = {item.path: item.patch for item in split_patch(patch)}
    return [_file_diff(change, patches.get(change.path, "")) for change in changes]


def with_texts(files: Sequence[FileDiff], texts: Texts) -> list[FileDiff]:
    """Return the same files with their whole texts, as far as they were read."""
    return [_with_text(file, *texts.get(file.path, (None, None))) for file in files]


def _with_text(file: FileDiff, before: str | None, after: str | None) -> FileDiff:
    """One side may be missing: the file was added or deleted then."""
    if before is None and after is None:
        return file
    return replace(file, before=before or "", after=after or "")


def _file_diff(change: FileChange, patch: str) -> FileDiff:
    notes = [change.protected, "binary" if change.binary else ""]
    if not patch and not change.binary:
        notes.append("patch cut at a size limit")
    return FileDiff(
        change.path,
        patch=patch,
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
