"""Plain text that arrives in pieces: finished lines become ordinary lines, only the open one grows."""

from __future__ import annotations

from dataclasses import replace

from .document import shortened
from .lines import LogLine, display_lines
from .wrapping import LONGEST_LINE


class OpenLine:
    """The last line of streamed plain text, still without its newline."""

    settled = 0
    finished = False

    def __init__(self, style: str = "") -> None:
        self.style = style
        self.version = 0
        self._pieces: list[str] = []
        self._size = 0
        self._lines: list[LogLine] = []
        self._drawn = -1

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    @property
    def full(self) -> bool:
        """Too long to grow further: the next piece should start a line of its own."""
        return self._size > LONGEST_LINE

    def add(self, piece: str) -> None:
        """Append a piece that holds no newline."""
        self._pieces.append(piece)
        self._size += len(piece)
        self.version += 1

    @property
    def lines(self) -> list[LogLine]:
        """The line as it is now."""
        if self._drawn != self.version:
            self._pieces = [self.text]
            self._lines[:] = display_lines(LogLine(shortened(self.text), style=self.style), False)
            self._drawn = self.version
        return self._lines

    def closed(self) -> str | LogLine:
        """The ordinary entry it becomes."""
        return replace(LogLine(self.text), style=self.style) if self.style else self.text
