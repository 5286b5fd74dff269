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
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.services import services_of
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
        self.read: _BothAttempts | None = None
        self._views = DifferenceViews(self)
        self.add_part(self._views)

    def compose_difference(self) -> ComposeResult:
        yield DiffPane(id="trees")
        yield LogPane(id="differences", follow=False)
        yield self._views.talks

    def load(self) -> None:
        backend = self.services.backend
        if backend is not None:
            question = partial(_read_sides, backend, (AttemptId(self.ids[0]), AttemptId(self.ids[1])))
            self.reading.ask("reading…", question, self._take)

    def _take(self, read: _BothAttempts) -> None:
        self.read = read
        self.show()

    def turned(self) -> None:
        """The way from B's tree to A's must be read anew; all else is known."""
        self.load()

    def comparison(self) -> Comparison | None:
        if self.read is None:
            return None
        made = compare_attempts(*self.read.details)
        return blinded(made) if self.is_blind else made

    def show(self) -> None:
        super().show()
        made = self.comparison()
        if made is not None and self.read is not None:
            self._views.show(made, self.read)

    def sides(self, made: Comparison) -> str:
        """The task once, when it is the same."""
        task, _, attempt = made.b.partition(" ")
        return f"A {made.a} ↔ B {attempt if made.a.startswith(f'{task} ') else made.b}"

    def about(self) -> Sequence[StatusPart]:
        gone = self._views.chosen != self._views.shown
        return (
            StatusPart(text=f"view: {self._views.shown}"),
            StatusPart(text=NO_TREES if gone else "", tone=Tone.WARN, shrinks=True),
        )


class DifferenceViews(ScreenPart):
    """What differs, in one of three views, and the keys for them."""

    def __init__(self, screen: CompareScreen) -> None:
        self._screen = screen
        self.chosen = TREES
        self.talks = TalkPanes()

    @property
    def shown(self) -> str:
        """The view on screen: the trees may be gone."""
        read = self._screen.read
        return DIFFS if self.chosen == TREES and read is not None and read.patch is None else self.chosen

    def show(self, made: Comparison, read: _BothAttempts) -> None:
        screen = self._screen
        for which, view in (("#trees", TREES), ("#differences", DIFFS), ("#talks", TALK)):
            screen.query_one(which).display = view == self.shown
        screen.set_class(self.chosen == TALK, "-talk")
        if self.shown == TREES:
            screen.query_one(DiffPane).show(tree_files(read.patch or "", read.texts))
        elif self.shown == DIFFS:
            pane = screen.query_one("#differences", LogPane)
            pane.border_title = DIFFS
            pane.clear()
            pane.extend(list(difference_lines(made)))
        else:
            screen.call_after_refresh(self._show_talks)
        self._focus()

    def _focus(self) -> None:
        if self.shown == TREES:
            self._screen.query_one(DiffPane).patch.focus()
        else:
            self._screen.query_one("#differences" if self.shown == DIFFS else "#talk-a").focus()

    def _show_talks(self) -> None:
        """Show both transcripts side by side; they are read when that is asked for first."""
        screen = self._screen
        if not screen.ready or self.chosen != TALK:
            return
        ids = [AttemptId(which) for which in screen.ids]
        if self.talks.has(ids):
            self.talks.show_both(ids, blind=screen.is_blind)
            return

        def question(history: History) -> dict[str, list[Record]]:
            return {which: all_records(partial(history.attempt_records, which)) for which in ids}

        screen.reading.ask("reading both transcripts…", question, self._take_talks)

    def _take_talks(self, talks: dict[str, list[Record]]) -> None:
        self.talks.take(talks)
        self._show_talks()

    # -- keys ----------------------------------------------------------------------------------

    def check_action(self, action: str) -> bool | None:
        """Letters are text while somebody writes what to find."""
        return action != "next_view" or not self._screen.query_one(MessageLine).display

    def action_next_view(self) -> None:
        self.chosen = VIEWS[(VIEWS.index(self.shown) + 1) % len(VIEWS)]
        self._screen.show()

    def action_find(self) -> None:
        self._screen.query_one(MessageLine).ask("Find", self._find, live=self._find)

    def _find(self, text: str) -> None:
        panes = [pane for pane in self._screen.query(LogPane) if pane.region and pane.id != "numbers"]
        found = sum(pane.find(text) for pane in panes)
        self._screen.query_one(MessageLine).tell(f"{found} found" if text else "")


class TalkPanes(Horizontal):
    """Both transcripts, turn beside turn; one scrolls the other."""

    def __init__(self) -> None:
        super().__init__(id="talks")
        self._talks: dict[str, list[Record]] = {}
        self._shown: tuple[Sequence[AttemptId], bool] | None = None
        self._laid_out = 0
        """How often both were laid out: only the last time counts."""

    def compose(self) -> ComposeResult:
        yield TwinPane(id="talk-a")
        yield TwinPane(id="talk-b")

    def has(self, ids: Sequence[AttemptId]) -> bool:
        return all(which in self._talks for which in ids)

    def take(self, talks: dict[str, list[Record]]) -> None:
        self._talks = talks

    def show_both(self, ids: Sequence[AttemptId], *, blind: bool) -> None:
        self._shown = ids, blind
        ours, theirs = (self._talks[which] for which in ids)
        if blind:
            ours, theirs = anonymise(ours), anonymise(theirs)
        width = min(pane.content_size.width for pane in self.query(TwinPane)) - 2
        self._laid_out += 1
        asked, services = self._laid_out, services_of(self.app)

        def lay_out() -> None:
            """In a worker thread: there may be very much of it."""
            lines = side_by_side(ours, theirs, width)
            services.call_soon(lambda: self._fill(lines) if self.is_attached and asked == self._laid_out else None)

        self.run_worker(lay_out, thread=True, exit_on_error=False, group="talks")

    def _fill(self, lines: tuple[list[LogLine], list[LogLine]]) -> None:
        for pane, name, of_side in zip(self.query(TwinPane), "AB", lines, strict=True):
            pane.border_title = name
            pane.clear()
            pane.extend(of_side)

    def on_resize(self) -> None:
        """Texts are cut to the width of their panes."""
        if self._shown is not None and self.region:
            self.call_after_refresh(self.show_both, self._shown[0], blind=self._shown[1])

    @on(TwinPane.Moved)
    def _scroll_both(self, message: TwinPane.Moved) -> None:
        for pane in self.query(TwinPane):
            if pane is not message.pane:
                pane.stand_at(message.index)


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
