"""A unified patch as lines of a pane, with line numbers, fast enough for tens of thousands of lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from itertools import zip_longest
from typing import Literal, NamedTuple

from widgets.lines import LogLine

Side = Literal["old", "new"]

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What changed in one file.

    With `before` and `after` (whole texts) it can be shown side by side; the patch alone is enough for lines.
    """

    path: str
    _: KW_ONLY
    patch: str = ""
    before: str | None = None
    after: str | None = None
    status: str = "M"
    added: int = 0
    removed: int = 0
    old_path: str = ""
    note: str = ""


class PatchLines(NamedTuple):
    """Rows for a pane with `patch_styler`, where hunks begin among them, and where each line is shown."""

    rows: list[str]
    hunks: list[int]
    places: dict[int, int]
    """Of the new text; a removed block counts as the line that stands in its place."""
    old_places: dict[int, int]

    def index_of(self, side: Side, number: int) -> int | None:
        """The row of a line; None when it is not shown."""
        return (self.old_places if side == "old" else self.places).get(number)

    def counterpart(self, side: Side, number: int) -> str | None:
        """The row of the line that a changed one was before, or has become; None when there is none.

        The n-th removed line of a block belongs to its n-th added line.
        """
        index = self.index_of(side, number)
        if index is None:
            return None
        sign, other = ("-", "+") if side == "old" else ("+", "-")
        start = index
        while start > 0 and index - start < _LONGEST_BLOCK and sign_of(self.rows[start - 1]) == sign:
            start -= 1
        if side == "new":
            first = start
            while first > 0 and start - first < _LONGEST_BLOCK and sign_of(self.rows[first - 1]) == other:
                first -= 1
            found = first + index - start
            return self.rows[found] if found < start else None
        end = index
        while end < len(self.rows) and end - start < _LONGEST_BLOCK and sign_of(self.rows[end]) == sign:
            end += 1
        found = end + index - start
        same_block = found < len(self.rows) and all(sign_of(row) == other for row in self.rows[end : found + 1])
        return self.rows[found] if same_block else None


# A row is its lead (old number, new number, sign) and then the text; one sign more for each kind of heading.
_LEAD = 13
_SIGN = 11
_HUNK_ROW, _HEAD_ROW, _COMMENT_ROW = (f"{' ' * _SIGN}{sign} " for sign in "@~#")
_HEADINGS = ("@", "~", "#", "")
_LONGEST_BLOCK = 200
"""Rows of one sign among which a counterpart is looked for."""
_LOOKS = {"+": "added", "-": "removed", "@": "hunk", "~": "dim", "#": "person"}


_SAID_IN_TITLE = ("diff --git ", "index ", "--- ", "+++ ")
"""Lines of a head that say no more than the name of the file."""


def patch_rows(patch: str) -> PatchLines:
    """Rows with old and new line numbers; made as plain texts, because there may be very many.

    Of a file's head only what its name does not say: modes, renames, binary.
    """
    made = PatchLines([], [], {}, {})
    rows, hunks, places, old_places = made
    old = new = 0
    in_hunk = False
    for raw in patch.removesuffix("\n").split("\n"):
        kind = raw[:1]
        if not in_hunk or kind == "@":
            found = _HUNK.match(raw)
            if found:
                old, new, in_hunk = int(found[1]), int(found[2]), True
                hunks.append(len(rows))
            if found or not raw.startswith(_SAID_IN_TITLE):
                rows.append((_HUNK_ROW if found else _HEAD_ROW) + raw)
        elif kind == "+":
            places[new] = len(rows)
            rows.append(f"     {new:>5} + {raw[1:]}")
            new += 1
        elif kind == "-":
            places.setdefault(new, len(rows))
            old_places[old] = len(rows)
            rows.append(f"{old:>5}      - {raw[1:]}")
            old += 1
        elif kind in (" ", ""):
            places[new] = old_places[old] = len(rows)
            rows.append(f"{old:>5}{new:>5}   {raw[1:]}")
            old, new = old + 1, new + 1
        else:
            in_hunk = kind == "\\"
            rows.append(_HEAD_ROW + raw)
    return made


def patch_styler(row: str) -> LogLine:
    """A row of `patch_rows` as a line; called only for rows on screen."""
    sign = row[_SIGN : _SIGN + 1]
    style = _LOOKS.get(sign, "")
    if sign == "#":
        return LogLine(row[_LEAD:], style=style, lead=" " * _SIGN + "» ", lead_style=style, hang=" " * _LEAD)
    if sign in "@~":
        return LogLine(row[_LEAD:], style=style)
    return LogLine(row[_LEAD:], style=style, lead=row[:_LEAD], hang=" " * _LEAD)


def sign_of(row: str) -> str:
    """What a row is: `+` added, `-` removed, a space for an unchanged line, `@` and `~` for headings."""
    return row[_SIGN : _SIGN + 1]


def row_text(row: str) -> str:
    """The text of a row, without its numbers and its sign."""
    return row[_LEAD:]


def line_of(row: str) -> tuple[Side, int]:
    """The side and the number of the line that a row shows: an unchanged one on the new side; 0 for headings."""
    sign = sign_of(row)
    if sign in _HEADINGS:
        return "new", 0
    number = row[:5] if sign == "-" else row[5:10]
    return "old" if sign == "-" else "new", int(number) if number.strip() else 0


def with_comments(patch: PatchLines, comments: Mapping[int, Sequence[str]]) -> PatchLines:
    """The same patch with what people say of lines of the new text, each below its line; of other lines nothing."""
    made = PatchLines([], [], {}, {})
    moved: list[int] = []
    below = {patch.places[line]: texts for line, texts in comments.items() if line in patch.places}
    for index, row in enumerate(patch.rows):
        moved.append(len(made.rows))
        made.rows.append(row)
        for text in below.get(index, ()):
            made.rows.extend(_COMMENT_ROW + part for part in text.split("\n"))
    made.hunks.extend(moved[index] for index in patch.hunks)
    made.places.update((line, moved[index]) for line, index in patch.places.items())
    made.old_places.update((line, moved[index]) for line, index in patch.old_places.items())
    return made


def side_rows(patch: PatchLines) -> tuple[PatchLines, PatchLines]:
    """The same patch in two columns of as many rows each: what was, and what is, side by side."""
    sides = PatchLines([], [], {}, {}), PatchLines([], [], {}, {})
    removed: list[str] = []
    added: list[str] = []

    def put(old: str, new: str) -> None:
        at = len(sides[0].rows)
        for side, row in zip(sides, (old, new), strict=True):
            side.rows.append(row)
            if sign_of(row) == "@":
                side.hunks.append(at)
        for row in (old, new):
            of, number = line_of(row)
            for side in sides if number else ():
                (side.old_places if of == "old" else side.places)[number] = at

    def put_block() -> None:
        for old, new in zip_longest(removed, added, fillvalue=""):
            put(old, new)
        removed.clear()
        added.clear()

    for row in patch.rows:
        sign = sign_of(row)
        if sign == "-" and not added:
            removed.append(row)
        elif sign == "+":
            added.append(row)
        else:
            put_block()
            put(row, row)
    put_block()
    return sides


def side_styler(side: Side, row: str) -> LogLine:
    """A row of one column: with the number of its side alone."""
    line = patch_styler(row)
    if not line.lead:
        return line
    number = row[:5] if side == "old" else row[5:10]
    lead = f"{number} {sign_of(row)} "
    return replace(line, lead=lead, hang=" " * len(lead))


def new_line_of(row: str) -> int:
    """The line of the new text that a row of `patch_rows` shows; 0 for a removed line and for headings."""
    number = row[5:10].strip() if sign_of(row) not in ("-", *_HEADINGS) else ""
    return int(number) if number.isdigit() else 0


def split_patch(text: str) -> list[FileDiff]:
    """The files of a whole `git diff`."""
    return [_file(part) for part in _parts(text)]


def _parts(text: str) -> Iterator[str]:
    marks = [match.start() for match in re.finditer(r"^diff --git ", text, re.MULTILINE)]
    if not marks:
        if text.strip():
            yield text
        return
    for start, end in zip(marks, [*marks[1:], len(text)], strict=True):
        yield text[start:end]


def _file(part: str) -> FileDiff:
    head, _, _ = part.partition("\n@@")
    fields = _head(head)
    path = fields.get("+++ ") or fields.get("rename to ") or fields.get("git") or ""
    old = fields.get("--- ") or fields.get("rename from ") or path
    body = part[len(head) :]
    return FileDiff(
        path or old,
        patch=part,
        status=_status(fields),
        # The body begins with the end of a line, so that each of its lines has one before it.
        added=body.count("\n+"),
        removed=body.count("\n-"),
        old_path=old if old != path else "",
        note=_note(fields),
    )


_FIELDS = (
    "+++ ",
    "--- ",
    "rename to ",
    "rename from ",
    "new file",
    "deleted file",
    "Binary files",
    "GIT binary",
    "old mode",
)


def _head(head: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in head.split("\n"):
        if line.startswith("diff --git "):
            fields["git"] = _name(line.rpartition(" b/")[2]) if " b/" in line else ""
        for field in _FIELDS:
            if line.startswith(field):
                fields[field] = _name(line[len(field) :])
    return fields


def _name(text: str) -> str:
    name = text.split("\t")[0].strip().strip('"')
    if name == "/dev/null":
        return ""
    return name[2:] if name[:2] in ("a/", "b/") else name


def _status(fields: dict[str, str]) -> str:
    if "new file" in fields:
        return "A"
    if "deleted file" in fields:
        return "D"
    return "R" if "rename to " in fields else "M"


def _note(fields: dict[str, str]) -> str:
    if "Binary files" in fields or "GIT binary" in fields:
        return "binary"
    return "mode" if "old mode" in fields else ""
