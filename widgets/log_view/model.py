"""The model of a log pane: a capped document of numbered, foldable entries. Knows no rows, widths or screens.

Every entry has a serial number that never changes, whatever is dropped before it, so a view can keep a position
without being notified of every change. Streamed plain text is an entry too (`OpenLine`): finished lines become
ordinary lines, only the open one grows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from widgets.lines import LogLine, display_lines
from widgets.segments import LONGEST_LINE

SKIPPED = "… {count:,} lines skipped on screen, kept in the record"


class Growing(Protocol):
    """An entry that is still being written, such as streamed Markdown."""

    @property
    def lines(self) -> Sequence[LogLine]:
        """Every line so far; one list that changes in place."""
        ...

    @property
    def settled(self) -> int:
        """How many of the first lines will never change again."""
        ...

    @property
    def version(self) -> int:
        """Rises whenever `lines` may have changed."""
        ...

    @property
    def finished(self) -> bool:
        """Nothing of it will ever change again."""
        ...


Entry = str | LogLine | Growing
Styler = Callable[[str], LogLine]


class Document:
    """A capped sequence of entries with stable serial numbers."""

    def __init__(self, cap: int = 10_000, styler: Styler = LogLine) -> None:
        self.cap = max(1, cap)
        self.first = 0
        self.entries: list[Entry] = []
        self.styler = styler
        self._held: deque[Entry] = deque()
        self._lost = 0
        self._serials: dict[str, int] = {}
        self._folds: dict[int, bool] = {}

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def end(self) -> int:
        """The serial after the last entry."""
        return self.first + len(self.entries)

    @property
    def held(self) -> int:
        """Entries that arrived while a person reads above a full document, not shown yet."""
        return len(self._held) + self._lost

    def __getitem__(self, serial: int) -> Entry:
        return self.entries[serial - self.first]

    def __contains__(self, serial: int) -> bool:
        return self.first <= serial < self.end

    def get(self, serial: int) -> Entry | None:
        """The entry with that serial, if it is held."""
        return self.entries[serial - self.first] if serial in self else None

    def extend(self, batch: Sequence[Entry], keep_from: int | None = None) -> None:
        """Append many; drop the oldest over the cap, but nothing from `keep_from` on (what a person reads)."""
        if self._held or (keep_from is not None and len(self.entries) + len(batch) > 2 * self.cap):
            self._hold(batch)
            return
        if len(batch) > self.cap and keep_from is None:
            self.first += len(self.entries) + len(batch) - self.cap
            self.entries = []
            batch = batch[-self.cap :]
        self._index(batch, self.end)
        self.entries.extend(batch)
        self._trim(keep_from)

    def _index(self, batch: Iterable[Entry], start: int) -> None:
        for serial, entry in enumerate(batch, start):
            if type(entry) is LogLine and entry.key:
                self._serials[entry.key] = serial

    def _trim(self, keep_from: int | None) -> None:
        over = len(self.entries) - self.cap
        if keep_from is not None:
            over = min(over, keep_from - self.first)
        if over > 0:
            del self.entries[:over]
            self.first += over
            if len(self._serials) + len(self._folds) > 2 * self.cap:
                self._forget()

    def _forget(self) -> None:
        self._serials = {key: serial for key, serial in self._serials.items() if serial in self}
        self._folds = {serial: fold for serial, fold in self._folds.items() if serial in self}

    def _hold(self, batch: Sequence[Entry]) -> None:
        self._held.extend(batch)
        over = len(self._held) - self.cap
        for _ in range(over):
            self._held.popleft()
        self._lost += max(0, over)

    def release(self, count: int | None = None) -> None:
        """Bring held entries into the document: `count` of them, or all (as when jumping to the end)."""
        if not self.held:
            return
        batch: list[Entry] = [LogLine(SKIPPED.format(count=self._lost), style="dim")] if self._lost else []
        self._lost = 0
        take = len(self._held) if count is None else min(count, len(self._held))
        batch.extend(self._held.popleft() for _ in range(take))
        self._index(batch, self.end)
        self.entries.extend(batch)
        self._trim(None)

    def serial_of(self, key: str) -> int | None:
        """Where the line with that key is, if it is still here."""
        serial = self._serials.get(key)
        return serial if serial is not None and serial in self else None

    def put(self, serial: int, entry: Entry) -> None:
        """Replace one entry in place."""
        self.entries[serial - self.first] = entry
        self._index((entry,), serial)

    def remove(self, serial: int) -> None:
        """Take one entry out; those below it move up by one serial."""
        del self.entries[serial - self.first]
        self._serials = {k: s - (s > serial) for k, s in self._serials.items() if s != serial}
        self._folds = {s - (s > serial): fold for s, fold in self._folds.items() if s != serial}

    def discard(self, entry: Entry) -> bool:
        """Take out that very entry, wherever it is; false when it is not here any more."""
        for serial in range(self.end - 1, self.first - 1, -1):
            if self[serial] is entry:
                self.remove(serial)
                return True
        kept = [other for other in self._held if other is not entry]
        found = len(kept) < len(self._held)
        self._held = deque(kept)
        return found

    def is_unfolded(self, serial: int) -> bool:
        """Whether the detail of a line is shown."""
        entry = self[serial]
        return self._folds.get(serial, isinstance(entry, LogLine) and entry.unfolded)

    def fold(self, serial: int, unfolded: bool) -> None:
        """Show or hide the detail of a line."""
        self._folds[serial] = unfolded

    def lines(self, serial: int) -> Sequence[LogLine]:
        """The lines to draw for one entry, safe for a terminal and none of them endless."""
        entry = self[serial]
        if isinstance(entry, str):
            return display_lines(self.styler(shortened(entry)), False)
        if isinstance(entry, LogLine):
            line = entry if len(entry.text) <= LONGEST_LINE else replace(entry, text=shortened(entry.text))
            return display_lines(line, self.is_unfolded(serial))
        return entry.lines


def shortened(text: str) -> str:
    """An endless line cut, with a note of what is missing."""
    if len(text) <= LONGEST_LINE:
        return text
    return f"{text[:LONGEST_LINE]} … {len(text) - LONGEST_LINE:,} more characters"


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
