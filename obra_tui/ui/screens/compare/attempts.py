"""Compare two attempts: what differs on the left in three views, the numbers on the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Resize

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.core.ids import AttemptId
from obra_tui.core.patch import split_patch
from obra_tui.core.records.align import anonymise
from obra_tui.core.records.compare import Comparison, blinded, compare_attempts
from obra_tui.core.records.history import AttemptDetail, History
from obra_tui.ui.bindings import bindings
from obra_tui.ui.ports import Backend
from obra_tui.ui.screens.compare.base import ComparingScreen, by_chance
from obra_tui.ui.screens.compare.lines import Texts, difference_lines, tree_files
from obra_tui.ui.screens.compare.side_by_side import side_by_side
from obra_tui.ui.screens.history_query import all_records
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.diff.diff_pane import DiffPane
from widgets.lines import LogLine
from widgets.log_view.twin_pane import TwinPane
from widgets.log_view.view import LogPane

TREES, DIFFS, TALK = VIEWS = ("A → B", "diff of diffs", "transcripts")
MOST_TEXTS = 20
"""Files whose whole texts are read, so that they can be shown side by side."""
NO_TREES = "the two trees are no longer kept: this is the diff of diffs"


class _BothAttempts(Struct, frozen=True, kw_only=True):
    """What was read of A and B, in this order."""

    details: tuple[AttemptDetail, AttemptDetail]
    patch: str | None
    """From A's tree to B's; None when they are not kept."""
    texts: Texts


class CompareScreen(ComparingScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("compare")

    def __init__(self, a: AttemptId, b: AttemptId, shuffle: Callable[[], bool] = by_chance) -> None:
        super().__init__(a, b, shuffle)
        self._sides: _BothAttempts | None = None
        self._talks: dict[str, list[Record]] = {}
        self._laid_out = 0
        """How often both transcripts were laid out: only the last time counts."""
        self._view = TREES

    def compose_difference(self) -> ComposeResult:
        yield DiffPane(id="trees")
        yield LogPane(id="differences", follow=False)
        with Horizontal(id="talks"):
            yield TwinPane(id="talk-a")
            yield TwinPane(id="talk-b")

    # -- reading -------------------------------------------------------------------------------

    def load(self) -> None:
        backend = self.services.backend
        if backend is not None:
            question = partial(_read_sides, backend, (AttemptId(self._ids[0]), AttemptId(self._ids[1])))
            self._reading.ask("reading…", question, self._take)

    def _take(self, sides: _BothAttempts) -> None:
        self._sides = sides
        self.show()

    def turned(self) -> None:
        """The way from B's tree to A's must be read anew; all else is known."""
        self.load()

    def _read_talks(self) -> None:
        ids = [AttemptId(which) for which in self._ids]

        def question(history: History) -> dict[str, list[Record]]:
            return {which: all_records(partial(history.attempt_records, which)) for which in ids}

        self._reading.ask("reading both transcripts…", question, self._take_talks)

    def _take_talks(self, talks: dict[str, list[Record]]) -> None:
        self._talks = talks
        self._show_talks()

    # -- showing -------------------------------------------------------------------------------

    def comparison(self) -> Comparison | None:
        if self._sides is None:
            return None
        made = compare_attempts(*self._sides.details)
        return blinded(made) if self._blind else made

    def show(self) -> None:
        super().show()
        made, sides = self.comparison(), self._sides
        if made is None or sides is None:
            return
        for which, view in (("#trees", TREES), ("#differences", DIFFS), ("#talks", TALK)):
            self.query_one(which).display = view == self._shown_view
        self.set_class(self._view == TALK, "-talk")
        match self._shown_view:
            case "A → B":
                self.query_one(DiffPane).show(tree_files(sides.patch or "", sides.texts))
            case "diff of diffs":
                self._show_differences(made)
            case _:
                self.call_after_refresh(self._show_talks)
        self._focus_view()

    @property
    def _shown_view(self) -> str:
        """The trees may be gone."""
        gone = self._view == TREES and self._sides is not None and self._sides.patch is None
        return DIFFS if gone else self._view

    def _show_differences(self, made: Comparison) -> None:
        pane = self.query_one("#differences", LogPane)
        pane.border_title = DIFFS
        pane.clear()
        pane.extend(list(difference_lines(made)))

    def _show_talks(self) -> None:
        if not self.ready or self._view != TALK:
            return
        if not self._talks:
            self._read_talks()
            return
        ours, theirs = (self._talks[which] for which in self._ids)
        if self._blind:
            ours, theirs = anonymise(ours), anonymise(theirs)
        width = min(pane.content_size.width for pane in self.query(TwinPane)) - 2
        self._laid_out += 1
        asked = self._laid_out

        def lay_out() -> None:
            """In a worker thread: there may be very much of it."""
            lines = side_by_side(ours, theirs, width)
            self.services.call_soon(lambda: self._fill_talks(lines) if self.ready and asked == self._laid_out else None)

        self.run_worker(lay_out, thread=True, exit_on_error=False, group="talks")

    def _fill_talks(self, lines: tuple[list[LogLine], list[LogLine]]) -> None:
        for pane, name, of_side in zip(self.query(TwinPane), "AB", lines, strict=True):
            pane.border_title = name
            pane.clear()
            pane.extend(of_side)

    def _focus_view(self) -> None:
        if self._shown_view == TREES:
            self.query_one(DiffPane).patch.focus()
        else:
            self.query_one("#differences" if self._shown_view == DIFFS else "#talk-a").focus()

    def sides(self, made: Comparison) -> str:
        """The task once, when it is the same."""
        task, _, attempt = made.b.partition(" ")
        return f"A {made.a} ↔ B {attempt if made.a.startswith(f'{task} ') else made.b}"

    def about(self) -> Sequence[StatusPart]:
        gone = self._view != self._shown_view
        return (
            StatusPart(text=f"view: {self._shown_view}"),
            StatusPart(text=NO_TREES if gone else "", tone=Tone.WARN, shrinks=True),
        )

    @on(TwinPane.Moved)
    def _scroll_both(self, message: TwinPane.Moved) -> None:
        for pane in self.query(TwinPane):
            if pane is not message.pane:
                pane.stand_at(message.index)

    def on_resize(self, event: Resize) -> None:
        """Texts are cut to the width of their panes."""
        if self._talks and self._view == TALK:
            self.call_after_refresh(self._show_talks)

    # -- keys ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters are text while somebody writes what to find."""
        if action in ("next_view", "pick_winner"):
            return not self.query_one(MessageLine).display
        return super().check_action(action, parameters)

    def action_next_view(self) -> None:
        self._view = VIEWS[(VIEWS.index(self._shown_view) + 1) % len(VIEWS)]
        self.show()

    def action_find(self) -> None:
        self.query_one(MessageLine).ask("Find", self._find, live=self._find)

    def _find(self, text: str) -> None:
        panes = [pane for pane in self.query(LogPane) if pane.region and pane.id != "numbers"]
        found = sum(pane.find(text) for pane in panes)
        self.query_one(MessageLine).tell(f"{found} found" if text else "")


def _read_sides(backend: Backend, ids: tuple[AttemptId, AttemptId], history: History) -> _BothAttempts:
    """In a worker thread."""
    a, b = history.attempt(ids[0]), history.attempt(ids[1])
    patch = None
    if backend.archive is not None and a.diff is not None and b.diff is not None:
        patch = backend.archive.tree_diff(a.diff.tree, b.diff.tree)
    return _BothAttempts(details=(a, b), patch=patch, texts=_texts(backend, a, b, patch or ""))


def _texts(backend: Backend, a: AttemptDetail, b: AttemptDetail, patch: str) -> Texts:
    """Return the files that differ as A and as B left them; what a side did not touch is as the other found it."""
    ours, theirs = ({file.path for file in side.diff.files} if side.diff else set() for side in (a, b))
    found: dict[str, tuple[str | None, str | None]] = {}
    for path in list(split_patch(patch))[:MOST_TEXTS]:
        try:
            of_a = backend.reader.files_of(a.summary.id, path) if path in ours else None
            of_b = backend.reader.files_of(b.summary.id, path) if path in theirs else None
        except ObraError:  # of another project, or no longer kept: the patch alone is enough
            return found
        found[path] = (_left(of_a, of_b), _left(of_b, of_a))
    return found


def _left(own: tuple[str | None, str | None] | None, other: tuple[str | None, str | None] | None) -> str | None:
    if own is not None:
        return own[1]
    return other[0] if other is not None else None
