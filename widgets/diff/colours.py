"""Colours of the lines of one diff: syntax by Pygments, and the words that changed within a line.

Made only for lines that are looked at, a block of rows at a time. A block does not know what came before it, so the
first lines of a hunk within a long string may be taken for code; whole texts, once given, put that right.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import pairwise

from widgets.diff.patch import FileDiff, PatchLines, Side, line_of, row_text, sign_of
from widgets.highlight import code_lines, language_of
from widgets.lines import LogLine, Span

_BLOCK = 100
"""Rows that are coloured together."""
_LONGEST_COMPARED = 500
_MOST_DIFFERENT = 0.4
"""Lines less alike than this have nothing in common that would be worth marking."""
_LARGEST, _MOST_LINES = 2_000_000, 3_000
_WORD = re.compile(r"\w+|\s+|[^\w\s]")

Spans = tuple[Span, ...]


def fits(file: FileDiff) -> bool:
    """Whether both whole texts are there, and small enough to be coloured as a whole."""
    if file.before is None or file.after is None:
        return False
    return max(file.before.count("\n"), file.after.count("\n")) <= _MOST_LINES


class DiffColours:
    """Spans of the rows of one patch."""

    def __init__(self, path: str, rows: PatchLines) -> None:
        self._language = language_of(path)
        self._rows = rows
        self._syntax: dict[tuple[Side, int], Spans] = {}
        self._coloured: set[int] = set()
        """First rows of the blocks that are done."""
        self._whole: dict[Side, Sequence[Spans]] = {}

    @property
    def has_language(self) -> bool:
        """There are syntax colours for this kind of file."""
        return bool(self._language)

    def learn(self, before: str, after: str) -> dict[Side, Sequence[Spans]]:
        """Colour both whole texts; slow, so call it from a thread, and give the result to `use`."""
        return {"old": self._spans_of(before), "new": self._spans_of(after)}

    def _spans_of(self, text: str) -> list[Spans]:
        return [line.spans for line in code_lines(text, self._language, lead="", limit=_LARGEST)]

    def use(self, whole: dict[Side, Sequence[Spans]]) -> None:
        """Take the colours of whole texts."""
        self._whole = whole

    def paint(self, row: str, line: LogLine) -> LogLine:
        """The line of a row with its colours; a changed line is told by its ground and its sign."""
        spans = self.spans(row)
        if not spans:
            return line
        style = f"{line.style}-code" if self.has_language and line.style in ("added", "removed") else line.style
        return replace(line, spans=spans, style=style, lead_style=line.style or "dim")

    def spans(self, row: str) -> Spans:
        """The spans of a row's text: its syntax, and over it what changed within the line."""
        side, number = line_of(row)
        if not number:
            return ()
        syntax = self._syntax_of(side, number)
        changed = self._changed_words(row, side, number)
        return _laid_over(syntax, changed, len(row_text(row))) if changed else syntax

    # -- syntax --------------------------------------------------------------------------------

    def _syntax_of(self, side: Side, number: int) -> Spans:
        if not self._language:
            return ()
        whole = self._whole.get(side)
        if whole is not None:
            return whole[number - 1] if number <= len(whole) else ()
        known = self._syntax.get((side, number))
        if known is None:
            index = self._rows.index_of(side, number)
            if index is not None:
                self._colour_block(index)
            known = self._syntax.setdefault((side, number), ())
        return known

    def _colour_block(self, index: int) -> None:
        """Colour the rows around one: of its hunk, and of its hundred."""
        hunks = self._rows.hunks
        at = bisect_right(hunks, index)
        start = max(hunks[at - 1] + 1 if at else 0, index - index % _BLOCK)
        end = min(hunks[at] if at < len(hunks) else len(self._rows.rows), index - index % _BLOCK + _BLOCK)
        if start in self._coloured:
            return
        self._coloured.add(start)
        for side in ("old", "new"):
            rows = [row for row in self._rows.rows[start:end] if _is_on(row, side)]
            lines = code_lines("\n".join(map(row_text, rows)), self._language, lead="")
            for row, line in zip(rows, lines, strict=False):
                number = int(row[:5] if side == "old" else row[5:10])
                self._syntax[side, number] = line.spans

    # -- words ---------------------------------------------------------------------------------

    def _changed_words(self, row: str, side: Side, number: int) -> list[tuple[int, int]]:
        """What of a line its counterpart on the other side has not."""
        if sign_of(row) not in ("+", "-"):
            return []
        other = self._rows.counterpart(side, number)
        if other is None:
            return []
        mine, theirs = row_text(row), row_text(other)
        if max(len(mine), len(theirs)) > _LONGEST_COMPARED:
            return []
        words = _WORD.findall(mine)
        matcher = SequenceMatcher(None, _WORD.findall(theirs), words, autojunk=False)
        if matcher.ratio() < _MOST_DIFFERENT:
            return []
        ends = [0]
        for word in words:
            ends.append(ends[-1] + len(word))
        return [(ends[j1], ends[j2]) for tag, _, _, j1, j2 in matcher.get_opcodes() if tag != "equal" and j1 < j2]


def _is_on(row: str, side: Side) -> bool:
    return sign_of(row) in (" ", "-" if side == "old" else "+")


def _laid_over(spans: Spans, changed: Sequence[tuple[int, int]], length: int) -> Spans:
    """The same spans, cut where a changed stretch begins and ends, with the style of changed words added."""
    cuts = {0, length, *(edge for span in spans for edge in span[:2]), *(edge for pair in changed for edge in pair)}
    edges = sorted(cut for cut in cuts if cut <= length)
    made: list[Span] = []
    for start, end in pairwise(edges):
        syntax = next((span.style for span in spans if span.start <= start and end <= span.end), "")
        is_changed = any(left <= start and end <= right for left, right in changed)
        style = f"{syntax} changed-word".strip() if is_changed else syntax
        if style:
            made.append(Span(start, end, style))
    return tuple(made)
