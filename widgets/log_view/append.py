"""What is written into a pane: lines, cards, streamed plain text and streamed Markdown, all in one scrolling view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from widgets.lines import LogLine
from widgets.log_view.markdown import MarkdownStream
from widgets.log_view.model import Entry, OpenLine
from widgets.log_view.pane_model import PaneModel


class Appender:
    """Writes into the model of a pane; call all of it from the UI thread."""

    def __init__(self, model: PaneModel) -> None:
        self._model = model
        self._open: OpenLine | None = None
        self._streams: dict[str, MarkdownStream] = {}

    def forget(self) -> None:
        """The document was emptied: what was being written is gone."""
        self._open = None
        self._streams.clear()

    # -- lines ---------------------------------------------------------------------------------

    def append(self, line: str | LogLine) -> None:
        """Add one line at the end."""
        self.extend((line,))

    def extend(self, lines: Sequence[str | LogLine]) -> None:
        """Add many lines at the end; call it from the UI thread, in batches."""
        if not lines:
            return
        self._close_open_line()
        self._extend(lines)

    def append_chunk(self, text: str, style: str = "") -> None:
        """Add streamed plain text; a newline in it ends the line."""
        first, *rest = text.replace("\r\n", "\n").split("\n")
        self._grow_open_line(first, style)
        if rest:
            self._close_open_line()
            self._extend([LogLine(line, style=style) if style else line for line in rest[:-1]])
            if rest[-1]:
                self._grow_open_line(rest[-1], style)

    def replace(self, key: str, line: LogLine) -> bool:
        """Put another line in place of the one with that key; false when it is no longer held."""
        model = self._model
        serial = model.document.serial_of(key)
        if serial is None:
            return False
        model.document.put(serial, line)
        model.layout.forget(serial)
        model.changed()
        return True

    def extend_detail(self, key: str, lines: Iterable[LogLine], cap: int = 1_000) -> bool:
        """Add lines below a card, keeping the newest `cap`; false when the card is no longer held."""
        document = self._model.document
        serial = document.serial_of(key)
        card = None if serial is None else document[serial]
        if not isinstance(card, LogLine):
            return False
        return self.replace(key, replace(card, detail=(*card.detail, *lines)[-cap:]))

    # -- streamed Markdown ---------------------------------------------------------------------

    def begin_stream(self, key: str, *, time: str = "", glyph: str = "", style: str = "") -> None:
        """Start a block of streamed Markdown at the end; what is added later stands below it."""
        self._close_open_line()
        stream = MarkdownStream(time=time, glyph=glyph, style=style)
        self._streams[key] = stream
        self._extend((stream,))

    def append_stream(self, key: str, text: str) -> None:
        """Add a piece of Markdown to a block; begins the block when nobody did."""
        if key not in self._streams:
            self.begin_stream(key)
        self._streams[key].add(text)
        self._model.changed()

    def end_stream(self, key: str) -> None:
        """The block is complete."""
        stream = self._streams.pop(key, None)
        if stream is not None:
            stream.finish()
            self._model.changed()

    def drop_stream(self, key: str) -> None:
        """Remove an unfinished block, as when the message it belonged to died."""
        stream = self._streams.pop(key, None)
        if stream is not None and self._model.document.discard(stream):
            self._model.layout.forget()
            self._model.changed(repaint=True)

    def write_markdown(self, text: str, *, time: str = "", glyph: str = "", style: str = "") -> None:
        """Add a complete Markdown text."""
        stream = MarkdownStream(time=time, glyph=glyph, style=style)
        stream.add(text)
        stream.finish()
        self._close_open_line()
        self._extend((stream,))

    # -- the open line -------------------------------------------------------------------------

    def _extend(self, entries: Sequence[Entry]) -> None:
        model = self._model
        keep_from = None if model.view.following else model.view.top.serial
        model.document.extend(entries, keep_from)
        model.follow_state.count(len(entries))
        model.changed()

    def _grow_open_line(self, piece: str, style: str) -> None:
        if self._open is None or self._open.full or self._open.style != style:
            self._close_open_line()
            self._open = OpenLine(style)
            self._open.add(piece)
            self._extend((self._open,))
            return
        if piece:
            self._open.add(piece)
            self._model.changed()

    def _close_open_line(self) -> None:
        """Turn the open line into an ordinary one, where it stands."""
        line, self._open = self._open, None
        document = self._model.document
        if line is None or not document.entries:
            return
        last = document.end - 1
        if document[last] is line:
            document.put(last, line.closed())
            self._model.layout.forget(last)
