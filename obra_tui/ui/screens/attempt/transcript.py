"""The transcript of an attempt in a pane, and where its prompts and errors are; it may go on growing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from obra_tui.core import events as e
from obra_tui.core.events import Record
from obra_tui.core.records.replay import Stop, stops_at
from obra_tui.ui.feeds.claude import ClaudeFeed
from obra_tui.ui.view.format import clock_time
from widgets.log_view.view import LogPane

AT_ONCE = 300
"""Records that are written in one go: the screen answers between two of them, however long the transcript is."""
_BREATH_S = 0.001


class TranscriptWriter:
    """Draws with the feed of the Live screen."""

    def __init__(self, pane: LogPane) -> None:
        self._pane = pane
        self._feed = ClaudeFeed(pane)
        self._places: dict[Stop, list[str]] = {}
        self._waiting: Sequence[Record] = ()
        self._follows = False

    def start(self, records: Sequence[Record], *, follow: bool = False) -> None:
        """Show these; with `follow` the end of them."""
        self._feed.reset()
        self._places = {}
        self._follows = follow
        self._waiting = records
        self._write_some()

    def stop(self) -> None:
        """Something else is shown in the pane: write no more of it."""
        self._waiting = ()

    def add(self, records: Sequence[Record]) -> None:
        """More of it; who stands at the end stays at the end."""
        self._follows = self._pane.shown_range.stop >= self._pane.line_count
        if self._waiting:
            self._waiting = [*self._waiting, *records]
        else:
            self._waiting = records
            self._write_some()

    def _write_some(self) -> None:
        part, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        self._write(part)
        if part and self._follows:
            self._pane.follow()
        if self._waiting:
            self._pane.set_timer(_BREATH_S, self._write_some)

    def places(self, stop: Stop) -> Sequence[str]:
        """Return the keys of the lines of this kind, in their order."""
        return self._places.get(stop, ())

    def _write(self, records: Iterable[Record]) -> None:
        for record in records:
            self._feed.add((record,))
            self._note(record)

    def _note(self, record: Record) -> None:
        match record.event:
            case e.PromptSent():
                self._places.setdefault("prompt", []).append(f"{record.attempt}:prompt:{clock_time(record.at)}")
            case e.ToolFinished(call=call) if stops_at(record, "error"):
                self._places.setdefault("error", []).append(f"{record.attempt}:{call}")
            case _:
                pass
