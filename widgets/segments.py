"""Text measured in terminal cells: wrapped, clipped, and joined to one-line contents. Never parses markup."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, get_character_cell_size
from textual.content import Content

from widgets.text import clean_line


def piece(text: str, style: str = "") -> Content:
    """A piece of text as it is, made safe, in one style."""
    return Content.styled(clean_line(text), style)


def joined(pieces: Iterable[Content]) -> Content:
    """Pieces one after another."""
    return Content("").join(list(pieces))


def column(text: str, width: int, style: str = "", right: bool = False) -> Content:
    """A piece cut or filled to exactly `width` cells."""
    shown = clip(clean_line(text), width)
    fill = " " * (width - cell_len(shown))
    return Content.styled(fill + shown if right else shown + fill, style)


def cut(content: Content, width: int) -> Content:
    """At most `width` cells, with an ellipsis when something is missing."""
    return content.truncate(max(0, width), ellipsis=True) if content.cell_length > width else content


# A line longer than this is cut for display: one endless line must not freeze a frame.
LONGEST_LINE = 20_000


def breaks(text: str, width: int, first_width: int | None = None) -> list[tuple[int, int]]:
    """The (start, end) of each row of `text`; at least one row, also for an empty text.

    The space at which a row was broken belongs to no row, also when nothing follows it.
    """
    width = max(1, width)
    first = max(1, width if first_width is None else first_width)
    if len(text) <= first and text.isascii():
        return [(0, len(text))]
    if text.isascii():
        return _narrow_breaks(text, width, first)
    return _wide_breaks(text, width, first)


def _narrow_breaks(text: str, width: int, room: int) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = []
    start, length = 0, len(text)
    while length - start > room:
        cut = _word_cut(text, start, start + room)
        rows.append((start, cut))
        start = cut + 1 if text[cut] == " " else cut
        room = width
    if start < length or not rows:
        rows.append((start, length))
    return rows


def _word_cut(text: str, start: int, limit: int) -> int:
    """The last space that leaves something before it, else a hard cut at the limit."""
    cut = text.rfind(" ", start, limit + 1)
    if cut <= start or not text[start:cut].strip():
        return limit
    return cut


def _wide_breaks(text: str, width: int, room: int) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = []
    start, length = 0, len(text)
    while start < length:
        limit = fitting(text, start, room)
        if limit >= length:
            break
        cut = _word_cut(text, start, limit)
        rows.append((start, cut))
        start = cut + 1 if text[cut] == " " else cut
        room = width
    if start < length or not rows:
        rows.append((start, length))
    return rows


def fitting(text: str, start: int, room: int) -> int:
    """The end of the longest piece from `start` that fits into `room` cells (at least one character)."""
    used = 0
    for index in range(start, len(text)):
        used += get_character_cell_size(text[index])
        if used > room:
            return max(index, start + 1)
    return len(text)


def clip(text: str, room: int) -> str:
    """The beginning of `text` that fits into `room` cells, with an ellipsis when something is cut."""
    if room <= 0:
        return ""
    if cell_len(text) <= room:
        return text
    head = text[: fitting(text, 0, room - 1)]
    return head + "…" if cell_len(head) < room else "…"


def index_at(text: str, cell: int) -> int:
    """The character under a cell of a row."""
    if text.isascii():
        return min(max(0, cell), len(text))
    used = 0
    for index, character in enumerate(text):
        used += get_character_cell_size(character)
        if used > cell:
            return index
    return len(text)
