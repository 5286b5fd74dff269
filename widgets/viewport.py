"""Which rows are on screen: following the end, or holding still where a person reads.

A place is (serial of the entry, row within it), so it survives lines dropped above and rows inserted below.
"""

from __future__ import annotations

from typing import NamedTuple

from .layout import Layout


class Place(NamedTuple):
    """One row of the document."""

    serial: int
    row: int


class Viewport:
    """A window of `height` rows over a layout."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.height = 24
        self.can_follow = True
        self._following = True
        self._top = Place(0, 0)

    @property
    def following(self) -> bool:
        """The last row stays at the bottom whatever comes."""
        return self._following and self.can_follow

    @property
    def empty(self) -> bool:
        """Nothing to show."""
        return not self.layout.document.entries

    @property
    def top(self) -> Place:
        """The first visible row."""
        if self.following:
            return self.end_top()
        return self._clamped(self._top)

    def _clamped(self, place: Place) -> Place:
        document = self.layout.document
        if place.serial < document.first:
            return Place(document.first, 0)
        if place.serial >= document.end:
            return self.end_top()
        return Place(place.serial, min(place.row, len(self.layout.rows(place.serial)) - 1))

    def end_top(self) -> Place:
        """The first visible row when the last row is at the bottom."""
        document = self.layout.document
        if not document.entries:
            return Place(document.first, 0)
        last = document.end - 1
        return self.above(Place(last, len(self.layout.rows(last)) - 1), self.height - 1)

    def above(self, place: Place, count: int) -> Place:
        """The row `count` rows above, or the very first."""
        serial, row = place
        first = self.layout.document.first
        while count > row and serial > first:
            count -= row + 1
            serial -= 1
            row = len(self.layout.rows(serial)) - 1
        return Place(serial, max(0, row - count))

    def below(self, place: Place, count: int) -> Place:
        """The row `count` rows below, or the very last."""
        serial, row = place
        end = self.layout.document.end
        while True:
            left = len(self.layout.rows(serial)) - 1 - row
            if count <= left:
                return Place(serial, row + count)
            if serial + 1 >= end:
                return Place(serial, row + left)
            count -= left + 1
            serial, row = serial + 1, 0

    def visible(self) -> list[Place]:
        """The rows on screen, top to bottom."""
        if self.empty:
            return []
        if self.following:
            return self._last_rows()
        serial, row = self.top
        end = self.layout.document.end
        places: list[Place] = []
        while serial < end and len(places) < self.height:
            count = min(len(self.layout.rows(serial)), row + self.height - len(places))
            places.extend(Place(serial, index) for index in range(row, count))
            serial, row = serial + 1, 0
        return places

    def _last_rows(self) -> list[Place]:
        """The rows on screen when following, found from the end."""
        serial, first = self.layout.document.end - 1, self.layout.document.first
        places: list[Place] = []
        while serial >= first and len(places) < self.height:
            room = self.height - len(places)
            count = len(self.layout.rows(serial))
            places.extend(Place(serial, row) for row in range(count - 1, max(-1, count - 1 - room), -1))
            serial -= 1
        places.reverse()
        return places

    def scroll(self, rows: int) -> None:
        """Move by rows; upwards stops following, reaching the end starts it again."""
        if self.empty:
            return
        top = self.top
        self.show_from(self.above(top, -rows) if rows < 0 else self.below(top, rows), settle=rows > 0)

    def show_from(self, place: Place, settle: bool = True) -> None:
        """Put a row at the top, but never show emptiness below the last row."""
        end_top = self.end_top()
        if place >= end_top:
            self._top = end_top
            self._following = settle or end_top == self._first()
        else:
            self._top = place
            self._following = False

    def _first(self) -> Place:
        return Place(self.layout.document.first, 0)

    @property
    def at_start(self) -> bool:
        """The very first row is visible."""
        return self.top == self._first()

    def hold(self) -> None:
        """Stop following where we are."""
        self._top = self.top
        self._following = False

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._following = True

    def reveal(self, place: Place, context: int = 0) -> None:
        """Scroll as little as needed to make a row visible."""
        top = self.top
        if place < top or self.empty:
            self.show_from(self.above(place, context), settle=False)
        elif place > self.below(top, self.height - 1):
            self.show_from(self.above(place, max(0, self.height - 1 - context)), settle=False)
        elif self.following:
            self.hold()
