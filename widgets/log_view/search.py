"""Search over the lines of a document. Case is ignored unless the wanted text has capitals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from widgets.lines import LogLine
from widgets.log_view.layout import Layout
from widgets.log_view.painter import Overlay

MOST_MATCHES = 9_999


class Match(NamedTuple):
    """Where the wanted text begins."""

    serial: int
    line: int
    at: int


class Search:
    """One wanted text and the match a person is at."""

    def __init__(self, layout: Layout, wanted: str) -> None:
        self.layout = layout
        self.wanted = wanted
        self.current: Match | None = None
        self._exact = wanted != wanted.lower()

    def starts(self, text: str) -> list[int]:
        """Where the wanted text begins in one line."""
        if not self.wanted:
            return []
        hay = text if self._exact or not _same_length_lower(text) else text.lower()
        found: list[int] = []
        at = hay.find(self.wanted)
        while at >= 0:
            found.append(at)
            at = hay.find(self.wanted, at + len(self.wanted))
        return found

    def overlays(self, serial: int, line: int, text: str) -> list[Overlay]:
        """What to highlight in one line."""
        size = len(self.wanted)
        return [
            Overlay(at, at + size, "match-now" if self.current == (serial, line, at) else "match")
            for at in self.starts(text)
        ]

    def count(self) -> int:
        """How many matches there are (counting stops at 9,999)."""
        total = 0
        for _ in self._after((self.layout.document.first, 0, -1)):
            total += 1
            if total >= MOST_MATCHES:
                break
        return total

    def step(self, origin: tuple[int, int, int], forward: bool) -> Match | None:
        """Go to the next match after `origin` (or before it), around the end if need be."""
        document = self.layout.document
        if forward:
            found = next(self._after(origin), None) or next(self._after((document.first, 0, -1)), None)
        else:
            found = next(self._before(origin), None) or next(self._before((document.end, 0, 0)), None)
        self.current = found
        return found

    def _after(self, origin: tuple[int, int, int]) -> Iterator[Match]:
        document = self.layout.document
        for serial in range(max(origin[0], document.first), document.end):
            for index, line in self._lines(serial):
                for at in self.starts(line.text):
                    if (serial, index, at) > origin:
                        yield Match(serial, index, at)

    def _before(self, origin: tuple[int, int, int]) -> Iterator[Match]:
        document = self.layout.document
        for serial in range(min(origin[0], document.end - 1), document.first - 1, -1):
            for index, line in reversed(list(self._lines(serial))):
                for at in reversed(self.starts(line.text)):
                    if (serial, index, at) < origin:
                        yield Match(serial, index, at)

    def _lines(self, serial: int) -> Iterator[tuple[int, LogLine]]:
        """The lines of one entry, none when a plain entry cannot match: most cannot."""
        document = self.layout.document
        entry = document[serial]
        if isinstance(entry, str) and self.wanted not in (entry if self._exact else entry.lower()):
            return iter(())
        return enumerate(document.lines(serial))


def _same_length_lower(text: str) -> bool:
    """Lower-casing moves positions for a few letters; such a line is searched as it is."""
    return text.isascii() or len(text.lower()) == len(text)
