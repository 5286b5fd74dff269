"""Labels and values in a box of their own: nothing in it can look like another fact, and no short value is cut."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from obra_tui.ui.view.review import Fact
from widgets.text import clean_line

LABEL = 8
TWO_COLUMNS = 76


class FactBox(Widget):
    DEFAULT_CSS = "FactBox { height: auto; width: 1fr; }"
    ALLOW_SELECT = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._facts: tuple[Fact, ...] = ()

    def show(self, facts: Sequence[Fact]) -> None:
        if tuple(facts) != self._facts:
            self._facts = tuple(facts)
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows(width))

    def render(self) -> Content:
        return Content("\n").join(self._rows(self.content_size.width))

    def _rows(self, width: int) -> list[Content]:
        if width < TWO_COLUMNS:
            return [line for fact in self._facts for line in _wrapped(fact, width)]
        first, rest = self._facts[:2], self._facts[2:]
        rows = [line for fact in first for line in _wrapped(fact, width)]
        for left, right in zip(rest[::2], (*rest[1::2], None), strict=False):
            rows.extend(_row(left, right, width))
        return rows


def _row(left: Fact, right: Fact | None, width: int) -> list[Content]:
    """Two facts beside each other, the right one moved aside if either needs the room; else one below the other."""
    if right is None:
        return _wrapped(left, width)
    first, second, begin = _whole(left, LABEL), _whole(right, LABEL), (width - 2) // 2 + 2
    if first.cell_length > begin - 2 or second.cell_length > width - begin:
        second = _whole(right, len(right.label) + 1)
        begin = min(max(begin, first.cell_length + 2), width - second.cell_length)
    if first.cell_length > begin - 2:
        return [*_wrapped(left, width), *_wrapped(right, width)]
    return [Content.assemble(first.truncate(begin, pad=True), second)]


def _whole(fact: Fact, label: int) -> Content:
    return _line(fact, clean_line(fact.value), label)


def _line(fact: Fact, value: str, label: int = LABEL) -> Content:
    style = "bold $text-error" if fact.bad else ""
    return Content.assemble((f"{fact.label:<{label}}", "$foreground 60%"), (value, style))


def _wrapped(fact: Fact, width: int) -> list[Content]:
    """A value may take some rows; what hangs over stands under the value, never under the label."""
    room = max(10, width - LABEL)
    words, rows, row = clean_line(fact.value).split(" "), [], ""
    for word in words:
        if row and len(row) + 1 + len(word) > room:
            rows.append(row)
            row = word
        else:
            row = f"{row} {word}" if row else word
    rows.append(row)
    if len(rows) > fact.rows:
        last = " ".join(rows[fact.rows - 1 :])
        rows = [*rows[: fact.rows - 1], f"{last[: room - 1]}…"]
    head = _line(fact, rows[0]).truncate(width, ellipsis=True)
    style = "bold $text-error" if fact.bad else ""
    rest = [Content.assemble(" " * LABEL, (text, style)).truncate(width, ellipsis=True) for text in rows[1:]]
    return [head, *rest]
