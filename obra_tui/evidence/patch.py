"""Reads what git says about two trees: the list of changed files and the lines of a patch. Pure."""

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.model import ChangeKind, FileChange
from obra_tui.core.patch import unquote
from obra_tui.evidence.names import shown

_HUNK = re.compile(r"^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
GITLINK = b"160000"
LINK = b"120000"


class RawChange(Struct, frozen=True, kw_only=True):
    """One line of `diff-tree --raw`: names as bytes, before they are made readable."""

    old_mode: bytes
    new_mode: bytes
    old_blob: str
    new_blob: str
    path: bytes
    old_path: bytes
    kind: ChangeKind

    @property
    def is_gitlink(self) -> bool:
        return GITLINK in (self.old_mode, self.new_mode)


def _kind(status: str, old_mode: bytes, new_mode: bytes, same_content: bool) -> ChangeKind:
    match status:
        case "A" | "C":
            return ChangeKind.ADDED
        case "D":
            return ChangeKind.DELETED
        case "R":
            return ChangeKind.RENAMED
        case _:
            return ChangeKind.MODE if same_content and old_mode != new_mode else ChangeKind.MODIFIED


def read_changes(output: bytes) -> tuple[tuple[RawChange, FileChange], ...]:
    """Read the output of `diff-tree -z --raw --numstat`: first all raw lines, then all counts."""
    parts = iter(output.split(b"\0"))
    raws: list[RawChange] = []
    counts: dict[bytes, tuple[int, int, bool]] = {}
    for part in parts:
        if part.startswith(b":"):
            raws.append(_raw_change(part, parts))
        elif part:
            path, count = _count(part, parts)
            counts[path] = count
    return tuple((raw, _file_change(raw, counts.get(raw.path, (0, 0, False)))) for raw in raws)


def _raw_change(head: bytes, parts: Iterator[bytes]) -> RawChange:
    old_mode, new_mode, old_blob, new_blob, status = head[1:].split(b" ")
    letter = status.decode("ascii")[:1]
    path = next(parts)
    old_path = b""
    if letter in "RC":
        old_path, path = path, next(parts)
    return RawChange(
        old_mode=old_mode,
        new_mode=new_mode,
        old_blob=old_blob.decode("ascii"),
        new_blob=new_blob.decode("ascii"),
        path=path,
        old_path=old_path,
        kind=_kind(letter, old_mode, new_mode, old_blob == new_blob),
    )


def _count(head: bytes, parts: Iterator[bytes]) -> tuple[bytes, tuple[int, int, bool]]:
    added, removed, path = head.split(b"\t", 2)
    if not path:
        next(parts)
        path = next(parts)
    if added == b"-":
        return path, (0, 0, True)
    return path, (int(added), int(removed), False)


def _file_change(raw: RawChange, count: tuple[int, int, bool]) -> FileChange:
    added, removed, binary = count
    change = FileChange(path=shown(raw.path), kind=raw.kind, added=added, removed=removed, binary=binary)
    return replace(change, old_path=shown(raw.old_path)) if raw.old_path else change


def added_lines(patch: str) -> Iterator[tuple[str, int, str]]:
    """Yield (path, line number in the new file, text) for every added line of a unified diff."""
    path, number, old_left, new_left = "", 0, 0, 0
    for line in patch.split("\n"):
        if old_left <= 0 and new_left <= 0:
            if line.startswith("+++ "):
                path = unquote(line[4:].removesuffix("\t")).removeprefix("b/")
            elif hunk := _HUNK.match(line):
                old_left, number, new_left = int(hunk[1] or 1), int(hunk[2]), int(hunk[3] or 1)
            continue
        match line[:1]:
            case "+":
                yield path, number, line[1:]
                number, new_left = number + 1, new_left - 1
            case "-":
                old_left -= 1
            case "\\":
                pass
            case _:
                number, old_left, new_left = number + 1, old_left - 1, new_left - 1
