"""What is written into a pane: lines, cards, text in pieces and streamed Markdown, all in one scrolling view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from widgets.lines import LogLine
from widgets.log_view.markdown import MarkdownStream
from widgets.log_view.model import Entry, OpenLine
from widgets.log_view.pane_rows import PaneRows


class PaneWriting(PaneRows):
    """Call all of it from the UI thread."""

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
        serial = self._document.serial_of(key)
        if serial is None:
            return False
        self._document.put(serial, line)
        self._layout.forget(serial)
        self._changed()
        return True

    def extend_detail(self, key: str, lines: Iterable[LogLine], cap: int = 1_000) -> bool:
        """Add lines below a card, keeping the newest `cap`; false when the card is no longer held."""
        serial = self._document.serial_of(key)
        card = None if serial is None else self._document[serial]
        if not isinstance(card, LogLine):
            return False
        return self.replace(key, replace(card, detail=(*card.detail, *lines)[-cap:]))

    def clear(self) -> None:
        """Forget every line and follow again."""
        self._start_over()
        self._mark_pause()
        self._changed(repaint=True)

    def set_hint(self, text: str) -> None:
        """What the lower border says while the pane follows."""
        self._hint = text
        self._tell()

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
        self._changed()

    def end_stream(self, key: str) -> None:
        """The block is complete."""
        stream = self._streams.pop(key, None)
        if stream is not None:
            stream.finish()
            self._changed()

    def drop_stream(self, key: str) -> None:
        """Take an unfinished block away, as when the message it belonged to died."""
        stream = self._streams.pop(key, None)
        if stream is not None and self._document.discard(stream):
            self._layout.forget()
            self._changed(repaint=True)

    def write_markdown(self, text: str, *, time: str = "", glyph: str = "", style: str = "") -> None:
        """Add a complete Markdown text."""
        stream = MarkdownStream(time=time, glyph=glyph, style=style)
        stream.add(text)
        stream.finish()
        self._close_open_line()
        self._extend((stream,))

    # -- the open line -------------------------------------------------------------------------

    def _extend(self, entries: Sequence[Entry]) -> None:
        keep_from = None if self._view.following else self._view.top.serial
        self._document.extend(entries, keep_from)
        self._pause.count(len(entries))
        self._changed()

    def _grow_open_line(self, piece: str, style: str) -> None:
        if self._open is None or self._open.full or self._open.style != style:
            self._close_open_line()
            self._open = OpenLine(style)
            self._open.add(piece)
            self._extend((self._open,))
            return
        if piece:
            self._open.add(piece)
            self._changed()

    def _close_open_line(self) -> None:
        """Turn the open line into an ordinary one, where it stands."""
        line, self._open = self._open, None
        if line is None or not self._document.entries:
            return
        last = self._document.end - 1
        if self._document[last] is line:
            self._document.put(last, line.closed())
            self._layout.forget(last)
