"""The strips of rows seen lately. A strip costs two kilobytes, so only a few screens of them are kept."""

from __future__ import annotations

from collections.abc import Callable

from textual.strip import Strip

from .lines import LogLine
from .scrollbar import Face

_KEPT = 240

Key = tuple[int, int, Face]
"""Serial of the entry, row in it, and what the scrollbar shows beside it."""


class StripCache:
    """Strips by row; an equal strip keeps its identity, so that it need not be painted again."""

    def __init__(self) -> None:
        self._kept: dict[Key, tuple[LogLine | None, Strip]] = {}

    def clear(self) -> None:
        """Forget everything: colours, borders or widths changed."""
        self._kept.clear()

    def known(self, key: Key, line: LogLine) -> Strip | None:
        """The strip of a row with nothing but this line on it, if it was made."""
        kept = self._kept.get(key)
        return kept[1] if kept is not None and kept[0] is line else None

    def get(self, key: Key, line: LogLine | None, make: Callable[[], Strip]) -> Strip:
        """The strip of a row; `line` is None for a row with a cursor, a match or a selection on it."""
        kept = self._kept.get(key)
        if kept is not None and line is not None and kept[0] is line:
            return kept[1]
        strip = make()
        if kept is not None and kept[1] == strip:
            strip = kept[1]
        self._keep(key, line, strip)
        return strip

    def _keep(self, key: Key, line: LogLine | None, strip: Strip) -> None:
        if len(self._kept) >= _KEPT:
            for old in list(self._kept)[: _KEPT // 2]:
                del self._kept[old]
        self._kept[key] = (line, strip)
