"""The transcript of an attempt in a pane, and where its prompts and errors are; it may go on growing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from obra_tui.core import events as e
from obra_tui.core.events import Record
from obra_tui.core.replay import Stop, stops_at
from obra_tui.ui.feeds.claude import ClaudeFeed
from obra_tui.ui.format import clock_time
from widgets.log_pane import LogPane


class Transcript:
    """Draws with the feed of the Live screen."""

    def __init__(self, pane: LogPane) -> None:
        self._pane = pane
        self._feed = ClaudeFeed(pane)
        self._places: dict[Stop, list[str]] = {}

    def start(self, records: Sequence[Record]) -> None:
        self._feed.reset()
        self._places = {}
        self._write(records)

    def add(self, records: Sequence[Record]) -> None:
        """More of it; who stands at the end stays at the end."""
        at_end = self._pane.shown_range.stop >= self._pane.line_count
        self._write(records)
        if at_end:
            self._pane.follow()

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
