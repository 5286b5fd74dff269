"""Bring in Claude Code's own transcripts: what there is, how it begins, and how far the import is."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from obra_tui.core.errors import ObraError
from obra_tui.core.text import one_line
from obra_tui.ui.plain import plain, plain_text
from obra_tui.ui.ports import Archive, ImportResult, TranscriptPreview, TranscriptSource
from obra_tui.ui.screens.history.rows import STAMP, when
from obra_tui.ui.screens.key_line import KeyLine
from obra_tui.ui.services import services_of
from obra_tui.ui.view.format import plural
from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane

NOTE = "They are only read. What is imported can be searched and read here, and has no gate."
_PROMPT_LINES = 6


class ImportDialog(ModalScreen[bool]):
    """Dismissed with whether anything was brought in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "import_all", "Import all", id="import.all", show=True, priority=True),
        Binding("o", "import_one", "Only this one", id="import.one", show=True),
        Binding("escape", "leave", "Close", id="import.leave", show=True, priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._sources: tuple[TranscriptSource, ...] = ()
        self._counts: Counter[str] = Counter()
        self._problems: list[str] = []
        self._stop = threading.Event()
        self._wanted = 0
        """How many sources the import that runs has; 0 when none runs."""

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-tall"):
            yield Static(plain_text(NOTE), id="note")
            yield ChoiceList(id="sources", wrap=False)
            yield LogPane(id="preview", follow=False)
            yield Static(Content(""), id="progress")
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = "Import Claude Code's sessions"
        self.query_one("#preview").border_title = "How it begins"
        self.query_one("#sources").focus()
        self._say("looking for transcripts…")
        self._in_thread(self._look)

    def on_unmount(self) -> None:
        self._stop.set()

    def _say(self, text: str) -> None:
        self.query_one("#progress", Static).update(plain(text))

    # -- threads -------------------------------------------------------------------------------

    @property
    def _archive(self) -> Archive | None:
        backend = services_of(self.app).backend
        return backend.archive if backend else None

    def _in_thread(self, work: Callable[[], None]) -> None:
        self.run_worker(work, thread=True, exit_on_error=False, group="import")

    def _soon(self, call: Callable[[], None]) -> None:
        services_of(self.app).call_soon(lambda: call() if self.is_attached else None)

    def _look(self) -> None:
        """In a worker thread."""
        archive = self._archive
        found = archive.sources() if archive is not None else ()
        self._soon(partial(self._found, tuple(found)))

    def _found(self, sources: tuple[TranscriptSource, ...]) -> None:
        self._sources = sources
        now = services_of(self.app).clock.now()
        rows = [_row(source, now) for source in sources]
        empty = LogLine("Claude Code has no transcripts here; obra import --from FOLDER takes others.", style="dim")
        self.query_one(ChoiceList).set_rows(rows or [empty])
        self._say(f"{plural(len(sources), 'transcript')} found")
        self.refresh_bindings()

    # -- a look inside -------------------------------------------------------------------------

    def on_choice_list_highlighted(self, message: ChoiceList.Highlighted) -> None:
        if message.key:
            self._in_thread(partial(self._read, message.key))

    def _read(self, path: str) -> None:
        """In a worker thread."""
        archive = self._archive
        if archive is None:
            return
        try:
            lines = list(_preview(archive.preview(path), path))
        except ObraError as refused:
            lines = [LogLine(str(refused), style="error", glyph="✗")]
        self._soon(partial(self._show, path, lines))

    def _show(self, path: str, lines: Sequence[LogLine]) -> None:
        if self.query_one(ChoiceList).highlighted == path:
            pane = self.query_one("#preview", LogPane)
            pane.clear()
            pane.extend(lines)

    # -- importing -----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("import_all", "import_one"):
            return bool(self._sources) and not self._wanted
        return super().check_action(action, parameters)

    def action_import_all(self) -> None:
        self._begin([source.path for source in self._sources])

    def action_import_one(self) -> None:
        self._begin([self.query_one(ChoiceList).highlighted])

    def _begin(self, paths: Sequence[str]) -> None:
        self._counts.clear()
        self._problems.clear()
        self._stop.clear()
        self._wanted = len(paths)
        self._show_progress()
        self.refresh_bindings()
        self._in_thread(partial(self._bring_in, tuple(paths)))

    def _bring_in(self, paths: Sequence[str]) -> None:
        """In a worker thread."""
        archive = self._archive
        problem = ""
        try:
            for read in archive.bring_in(paths, self._stop.is_set) if archive is not None else ():
                self._soon(partial(self._brought_in, read))
        except ObraError as refused:
            problem = str(refused)
        self._soon(partial(self._ended, problem))

    def _brought_in(self, read: ImportResult) -> None:
        self._counts[read.outcome] += 1
        if read.problem:
            self._problems.append(read.problem)
        self._show_progress()

    def _show_progress(self) -> None:
        done = self._counts.total()
        self._say(f"{done} of {self._wanted} · {self._said()} · esc stops after this one")

    def _said(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in self._counts.items()) or "reading…"

    def _ended(self, problem: str) -> None:
        stopped = " · stopped; what was imported stays" if self._stop.is_set() else ""
        why = problem or (f" · {one_line(self._problems[0], 200)}" if self._problems else "")
        self._wanted = 0
        self._say(f"{self._said() if self._counts else ''}{stopped}{why}")
        self.refresh_bindings()

    def action_leave(self) -> None:
        """The first time it stops what runs."""
        if self._wanted and not self._stop.is_set():
            self._stop.set()
            self._say("stopping after this one…")
        else:
            self.dismiss(bool(self._counts["imported"] or self._counts["continued"]))


def _row(source: TranscriptSource, now: float) -> LogLine:
    stamp = f"{when(source.at, now):<{STAMP}}"
    size = f"{source.bytes / 1_000:,.0f} kB"
    return LogLine(f"{stamp}{source.project}", key=source.path, spans=(Span(0, len(stamp), "dim"),), aside=size)


def _preview(preview: TranscriptPreview, path: str) -> Iterator[LogLine]:
    if preview.title:
        yield LogLine(preview.title, style="strong")
    for name, value in (("folder", preview.folder), ("model", preview.model), ("file", path)):
        if value:
            yield LogLine(f"{name:<9}{value}", hang=" " * 9)
    if preview.passed_over:
        yield LogLine(f"{plural(preview.passed_over, 'line')} cannot be understood", glyph="!", style="warn")
    yield from (LogLine(line) for line in preview.first_prompt.splitlines()[:_PROMPT_LINES])
