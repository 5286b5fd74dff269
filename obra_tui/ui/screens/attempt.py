"""One attempt of the past in seven pages; the transcript is drawn by the same feed as the live one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.core.history import AttemptDetail, History
from obra_tui.core.ids import AttemptId
from obra_tui.core.replay import Stop, stops_at
from obra_tui.ui.bindings import bindings
from obra_tui.ui.feeds.claude import ClaudeFeed
from obra_tui.ui.screens.attempt_pages import PAGES, page_lines
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.review import file_diffs
from obra_tui.ui.statusline import Part
from obra_tui.ui.words import DECISION, TASK, person_name
from widgets.diff_pane import DiffPane
from widgets.log_pane import LogPane

PAGE = 1_000
MOST_RECORDS = 20_000


class AttemptScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("attempt")

    def __init__(self, attempt: AttemptId, siblings: Sequence[AttemptId] = (), page: str = "Transcript") -> None:
        """`siblings` are the attempts that `[` and `]` go to, in their order."""
        super().__init__()
        self._attempt = attempt
        self._siblings = tuple(siblings)
        self._page = page
        self._detail: AttemptDetail | None = None
        self._records: Sequence[Record] = ()
        self._note = "reading…"
        self._jumped: dict[Stop, int] = {}

    def compose_body(self) -> ComposeResult:
        yield Static(Content(""), id="pages")
        with Horizontal(id="body"):
            yield LogPane(id="page", follow=False)
            yield DiffPane(id="past-diff")
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self.query_one("#page").focus()
        self._load()

    def _load(self) -> None:
        backend = self.desk.backend
        if backend is not None:
            work = partial(self._read, backend.history, self._attempt)
            self.run_worker(work, thread=True, exit_on_error=False)

    def _read(self, history: History, attempt: AttemptId) -> None:
        """In a worker thread."""
        try:
            detail = history.attempt(attempt)
            records = all_records(partial(history.attempt_records, attempt))
        except ObraError as refused:
            self.desk.soon(partial(self._refused, refused))
        else:
            self.desk.soon(partial(self._take, detail, records))

    def _refused(self, refused: ObraError) -> None:
        self._note = str(refused)
        if self.ready:
            self.draw(())

    def _take(self, detail: AttemptDetail, records: Sequence[Record]) -> None:
        if not self.ready or detail.summary.id != self._attempt:
            return
        self._detail, self._records, self._note = detail, records, ""
        self._jumped.clear()
        if detail.diff is not None:
            self.query_one(DiffPane).show(file_diffs(detail.diff.patch, detail.diff.files, {}))
        self._show_page()
        self.draw(())

    # -- drawing -------------------------------------------------------------------------------

    def _show_page(self) -> None:
        pane, diff = self.query_one("#page", LogPane), self.query_one(DiffPane)
        has_diff = self._detail is not None and self._detail.diff is not None
        diff.display = self._page == "Diff" and has_diff
        pane.display = not diff.display
        pane.clear()
        pane.border_title = self._page
        if self._detail is not None:
            if self._page == "Transcript":
                ClaudeFeed(pane).add(self._records)
            elif not diff.display:
                pane.extend(page_lines(self._page, self._detail, self._records))
        (diff.patch if diff.display else pane).focus()
        self._draw_pages()

    def _draw_pages(self) -> None:
        names = [f" [{page}] " if page == self._page else f"  {page}  " for page in PAGES]
        pieces = [
            Content.styled(name, "bold $text-primary" if page == self._page else "$foreground 60%")
            for name, page in zip(names, PAGES, strict=True)
        ]
        self.query_one("#pages", Static).update(Content("").join(pieces))

    def draw(self, records: Sequence[Record]) -> None:
        detail = self._detail
        if detail is None:
            self.show_status(Part(text="HISTORY", strong=True), Part(text=self._note))
            return
        summary = detail.summary
        decided = TASK[summary.task_state].word
        if summary.decision is not None:
            decided = f"{DECISION[summary.decision].word} by {person_name(summary.decided_by)}"
        self.show_status(
            Part(text="HISTORY", strong=True),
            Part(text=f"{summary.task_key} {summary.task_title}", strong=True, shrinks=True),
            Part(text=f"attempt {summary.number}"),
            Part(text=detail.quality.line if detail.quality else "– no gate"),
            Part(text=decided),
            Part(text=str(summary.id)),
        )

    # -- keys ----------------------------------------------------------------------------------

    def show_page(self, page: str) -> None:
        self._page = page
        self._show_page()

    def action_next_page(self) -> None:
        self.show_page(PAGES[(PAGES.index(self._page) + 1) % len(PAGES)])

    def action_previous_page(self) -> None:
        self.show_page(PAGES[(PAGES.index(self._page) - 1) % len(PAGES)])

    def action_diff(self) -> None:
        self.show_page("Transcript" if self._page == "Diff" else "Diff")

    def action_next_attempt(self) -> None:
        self._go(1)

    def action_previous_attempt(self) -> None:
        self._go(-1)

    def _go(self, step: int) -> None:
        """The same page of the attempt before or after."""
        at = self._siblings.index(self._attempt) + step if self._attempt in self._siblings else -1
        if 0 <= at < len(self._siblings):
            self._attempt, self._note = self._siblings[at], "reading…"
            self._load()

    def action_next_prompt(self) -> None:
        self._jump("prompt")

    def action_next_error(self) -> None:
        self._jump("error")

    def _jump(self, stop: Stop) -> None:
        """Go to the next record of this kind in Raw, where every record has its line; from the last to the first."""
        places = [record.seq for record in self._records if stops_at(record, stop)]
        if not places:
            self.query_one(MessageLine).tell(f"there is no {stop}")
            return
        last = self._jumped.get(stop, 0)
        self._jumped[stop] = next((seq for seq in places if seq > last), places[0])
        self.show_page("Raw")
        self.query_one("#page", LogPane).find(f"{self._jumped[stop]:>6} {{")

    def action_replay(self) -> None:
        from obra_tui.ui.screens.replay import ReplayScreen

        if self._detail is not None:
            self.app.push_screen(ReplayScreen(self._detail.summary.session))

    def action_compare(self) -> None:
        """With the attempt before it."""
        from obra_tui.ui.screens.compare import CompareScreen

        at = self._siblings.index(self._attempt) if self._attempt in self._siblings else 0
        if at > 0:
            self.app.push_screen(CompareScreen(self._siblings[at - 1], self._attempt))

    def action_copy_id(self) -> None:
        self.desk.copy(str(self._attempt))

    def action_find(self) -> None:
        self.query_one(MessageLine).ask("Find", self._find, live=self._find)

    def _find(self, text: str) -> None:
        found = self.query_one("#page", LogPane).find(text)
        self.query_one(MessageLine).tell(f"{found} found" if text else "")

    def action_leave(self) -> None:
        self.dismiss(None)


def all_records(page: Callable[[int, int], Sequence[Record]]) -> list[Record]:
    """Read page after page, to a limit that no pane would hold."""
    found: list[Record] = []
    while len(found) < MOST_RECORDS:
        records = page(found[-1].seq if found else 0, PAGE)
        found.extend(records)
        if len(records) < PAGE:
            break
    return found
