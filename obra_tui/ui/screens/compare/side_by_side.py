"""Two transcripts as lines of two panes: as many on each side, and a turn begins on the same line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from obra_tui.core.events import Record
from obra_tui.core.records.align import Turn, pair_turns, turns
from obra_tui.ui.feeds.claude import ClaudeFeed
from widgets.lines import LogLine, gutter_width
from widgets.segments import breaks

BLANK = LogLine("")
MOST_LINES = 60
"""Of one text; more is named and can be read in the attempt itself."""


class _Lines:
    """What a feed writes into, as lines: the role `Pane` without a screen."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def append(self, line: str | LogLine) -> None:
        self.lines.append(line if isinstance(line, LogLine) else LogLine(line))

    def extend(self, lines: Sequence[str | LogLine]) -> None:
        for line in lines:
            self.append(line)

    def append_chunk(self, text: str, style: str = "") -> None:
        self.append(LogLine(text, style=style))

    def replace(self, key: str, line: LogLine) -> bool:
        for index in range(len(self.lines) - 1, -1, -1):
            if self.lines[index].key == key:
                self.lines[index] = line
                return True
        return False

    def extend_detail(self, key: str, lines: Iterable[LogLine], cap: int = 1_000) -> bool:
        return False

    def begin_stream(self, key: str, *, time: str = "", glyph: str = "", style: str = "") -> None:
        """Streamed pieces are no part of a transcript: the whole text follows."""

    def append_stream(self, key: str, text: str) -> None: ...

    def end_stream(self, key: str) -> None: ...

    def drop_stream(self, key: str) -> None: ...

    def write_markdown(self, text: str, *, time: str = "", glyph: str = "", style: str = "") -> None:
        first, *rest = text.strip().splitlines() or [""]
        self.append(LogLine(first, glyph=glyph, style=style))
        shown = rest[:MOST_LINES]
        self.extend([LogLine(line, lead="  ") for line in shown])
        if len(rest) > len(shown):
            self.append(LogLine(f"… {len(rest) - len(shown)} more lines", lead="  ", style="dim"))

    def clear(self) -> None:
        self.lines.clear()


def side_by_side(a: Sequence[Record], b: Sequence[Record], width: int) -> tuple[list[LogLine], list[LogLine]]:
    """Return the lines of both transcripts for panes that are so wide."""
    left, right = _Side(width), _Side(width)
    for number, (ours, theirs) in enumerate(pair_turns(turns(a), turns(b)), 1):
        mine, other = left.lines_of(ours), right.lines_of(theirs)
        rows = max(len(mine), len(other))
        for side, lines in ((left, mine), (right, other)):
            side.put(number, lines, rows)
    return left.lines, right.lines


class _Side:
    def __init__(self, width: int) -> None:
        self._width = width
        self._written = _Lines()
        self._feed = ClaudeFeed(self._written)
        self.lines: list[LogLine] = []

    def lines_of(self, turn: Turn) -> list[LogLine]:
        self._written.clear()
        self._feed.add(turn)
        return [row for line in self._written.lines for row in wrapped(line, self._width)]

    def put(self, number: int, lines: list[LogLine], rows: int) -> None:
        heading = LogLine(f"turn {number}", style="heading") if lines else LogLine(f"turn {number}  –", style="dim")
        self.lines += [heading, *lines, *[BLANK] * (rows - len(lines))]


def wrapped(line: LogLine, width: int) -> list[LogLine]:
    """Return a line as rows that need no wrapping; only the first keeps the gutter, only one row unfolds."""
    line = replace(line, time="", unfolded=False)
    indent = " " * (gutter_width(line) + len(line.lead))
    room = max(12, width - len(indent))
    first = max(12, room - len(line.aside) - 1) if line.aside else room
    texts = line.text.split("\n")
    rows = [texts[0][start:end] for start, end in breaks(texts[0], room, first)]
    rows += [text[start:end] for text in texts[1:] for start, end in breaks(text, room)]
    if len(rows) == 1:
        return [line]
    head = replace(line, text=rows[0], spans=tuple(span for span in line.spans if span.end <= len(rows[0])))
    return [head, *(LogLine(row, lead=indent, style=line.style) for row in rows[1:])]
