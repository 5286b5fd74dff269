"""One attempt in seven pages; the transcript is drawn by the same feed as the live one, and grows while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from obra_tui.core import events as e
from obra_tui.core.events import STREAMED, Record
from obra_tui.core.history import AttemptDetail, History, SessionDetail
from obra_tui.core.ids import AttemptId
from obra_tui.core.model import GateDecision
from obra_tui.core.replay import Stop
from obra_tui.ui.bindings import bindings
from obra_tui.ui.patches import file_diffs
from obra_tui.ui.screens.attempt_pages import PAGES, page_lines, places
from obra_tui.ui.screens.history_rows import PIN, PINNED, running, tagged
from obra_tui.ui.screens.listing import Labels, Subject
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.reading import Reading, all_records
from obra_tui.ui.screens.subject_keys import SubjectKeys
from obra_tui.ui.screens.transcript import Transcript
from obra_tui.ui.statusline import Part
from obra_tui.ui.words import DECISION, TASK, Tone, person_name
from widgets.diff_pane import DiffPane
from widgets.lines import LogLine
from widgets.log_pane import LogPane

CAP = 30_000
_NARROW = 100
_FACTS = (
    e.PromptSent,
    e.ClaudeEnded,
    e.DiffTaken,
    e.CheckFinished,
    e.VerdictReached,
    e.GateJudged,
    e.GateOpened,
    e.DecisionMade,
    e.WorkAccepted,
    e.WorkKept,
)
"""What the other pages are made of."""
_LETTERS = ("next_attempt", "previous_attempt", "copy")
"""Keys before all others that are text while somebody writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    detail: AttemptDetail
    session: SessionDetail
    records: Sequence[Record]
    labels: Labels


class AttemptScreen(SubjectKeys):
    BINDINGS: ClassVar[list[BindingType]] = bindings("attempt")

    def __init__(self, attempt: AttemptId, page: str = "Transcript") -> None:
        super().__init__()
        self._attempt = attempt
        self._page = page
        self._detail: AttemptDetail | None = None
        self._session: SessionDetail | None = None
        self._labels: Labels = {}
        self._records: list[Record] = []
        self._fresh: list[Record] = []
        """What came while the rest was being read."""
        self._lines: Sequence[LogLine] = ()
        self._jumped: dict[Stop, int] = {}
        self._reading = Reading(self)

    def compose_body(self) -> ComposeResult:
        yield Static(Content(""), id="pages")
        with Horizontal(id="body"):
            yield LogPane(id="page", follow=False, cap=CAP)
            yield DiffPane(id="past-diff")
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self._transcript = Transcript(self._pane)
        self._pane.focus()
        self._load()

    def on_screen_resume(self) -> None:
        """What came while another screen was on top was not told."""
        if self._runs:
            self._load()

    @property
    def _pane(self) -> LogPane:
        return self.query_one("#page", LogPane)

    @property
    def _runs(self) -> bool:
        return self._detail is not None and running(self._detail.summary)

    # -- reading -------------------------------------------------------------------------------

    def _load(self) -> None:
        archive = self.desk.backend.archive if self.desk.backend else None
        attempt = self._attempt

        def question(history: History) -> _Read:
            detail = history.attempt(attempt)
            session = history.session(detail.summary.session)
            records = all_records(partial(history.attempt_records, attempt))
            labels = archive.labels() if archive is not None else {}
            return _Read(detail=detail, session=session, records=records, labels=labels)

        self._fresh = []
        self._reading.ask("reading…", question, self._take)

    def _take(self, read: _Read) -> None:
        other = self._detail is None or self._detail.summary.id != read.detail.summary.id
        grown = len(read.records) != len(self._records)
        self._session, self._labels = read.session, read.labels
        self._records = list(read.records)
        self._take_detail(read.detail)
        self._jumped.clear()
        if other or grown:
            self._show_page()
        self._add(self._fresh)

    def _take_detail(self, detail: AttemptDetail) -> None:
        before = self._detail.diff if self._detail else None
        self._detail = detail
        if detail.diff is not None and detail.diff != before:
            self.query_one(DiffPane).show(file_diffs(detail.diff.patch, detail.diff.files, {}))

    # -- growing -------------------------------------------------------------------------------

    def _add(self, records: Sequence[Record]) -> None:
        """Take what happened since; streamed pieces are shown and not kept."""
        last = self._records[-1].seq if self._records else 0
        new = [record for record in records if record.attempt == self._attempt and record.seq > last]
        if not new:
            return
        self._records += [record for record in new if not isinstance(record.event, STREAMED)]
        if self._page == "Transcript":
            self._transcript.add(new)
        if any(isinstance(record.event, _FACTS) for record in new):
            attempt = self._attempt
            self._reading.ask("", lambda history: history.attempt(attempt), self._take_facts)

    def _take_facts(self, detail: AttemptDetail) -> None:
        self._take_detail(detail)
        if self._page != "Transcript":
            self._show_page()

    # -- drawing -------------------------------------------------------------------------------

    def _show_page(self) -> None:
        pane, diff = self._pane, self.query_one(DiffPane)
        has_diff = self._detail is not None and self._detail.diff is not None
        diff.display = self._page == "Diff" and has_diff
        pane.display = not diff.display
        pane.border_title = self._page
        pane.border_subtitle = ""
        self._lines = ()
        if self._detail is not None and not diff.display:
            self._fill(self._detail)
        (diff.patch if diff.display else pane).focus()
        self._draw_pages()

    def _fill(self, detail: AttemptDetail) -> None:
        if self._page == "Transcript":
            self._transcript.start(self._records)
            return
        self._pane.clear()
        page, records = self._page, tuple(self._records)

        def make() -> None:
            """In a worker thread: there may be very much of it."""
            lines = page_lines(page, detail, records)
            self.desk.soon(partial(self._show_lines, page, lines))

        self.run_worker(make, thread=True, exit_on_error=False, group="page")

    def _show_lines(self, page: str, lines: Sequence[LogLine]) -> None:
        if self.ready and page == self._page:
            self._lines = lines
            self._pane.clear()
            self._pane.extend(lines)

    def _draw_pages(self) -> None:
        names = [f" [{page}] " if page == self._page else f"  {page}  " for page in PAGES]
        pieces = [
            Content.styled(name, "bold $text-primary" if page == self._page else "$foreground 60%")
            for name, page in zip(names, PAGES, strict=True)
        ]
        self.query_one("#pages", Static).update(Content("").join(pieces))

    def draw(self, records: Sequence[Record]) -> None:
        if self._reading.doing:
            self._fresh += records
        else:
            self._add(records)
        detail, session = self._detail, self._session
        if detail is None or session is None:
            reading, problem = self._reading.doing, self._reading.problem
            self.show_status(
                Part(text="HISTORY", strong=True), Part(text=reading), Part(text=problem, tone=Tone.FAIL, shrinks=True)
            )
            return
        summary = detail.summary
        labels = self._labels.get(summary.session, ())
        pin = f"{PIN} " if PINNED in labels else ""
        narrow = self.size.width < _NARROW
        quality = detail.quality.line if detail.quality else "" if self._runs else "– no gate"
        self.show_status(
            self.rehearsal_part(session.summary.rehearsal),
            Part(text="HISTORY" if narrow else f"HISTORY › {pin}{session.summary.title}", strong=True, shrinks=True),
            Part(text=f"› {summary.task_key} {summary.task_title}", strong=True, shrinks=True),
            Part(text=f"› attempt {summary.number} of {self._tries}", strong=True, urgent=True),
            Part(text="● running" if self._runs else "", tone=Tone.RUN, urgent=True),
            Part(text=quality, urgent=True),
            Part(text="" if self._runs else _decided(detail)),
            Part(text=tagged(labels), tone=Tone.ASK),
            Part(text=str(summary.id), tone=Tone.MUTED),
        )

    @property
    def _tries(self) -> int:
        """How many attempts its task has."""
        task = self._detail.summary.task if self._detail else None
        return sum(attempt.task == task for attempt in self._session.attempts) if self._session else 0

    # -- pages and attempts --------------------------------------------------------------------

    def show_page(self, page: str) -> None:
        self._page = page
        self._jumped.clear()
        self._show_page()

    def action_next_page(self) -> None:
        self.show_page(PAGES[(PAGES.index(self._page) + 1) % len(PAGES)])

    def action_previous_page(self) -> None:
        self.show_page(PAGES[(PAGES.index(self._page) - 1) % len(PAGES)])

    def action_diff(self) -> None:
        self.show_page("Transcript" if self._page == "Diff" else "Diff")

    def action_next_hunk(self) -> None:
        self.query_one(DiffPane).next_hunk()

    def action_previous_hunk(self) -> None:
        self.query_one(DiffPane).previous_hunk()

    def action_next_attempt(self) -> None:
        self._go(1)

    def action_previous_attempt(self) -> None:
        self._go(-1)

    def _neighbour(self, step: int) -> AttemptId | None:
        siblings = [attempt.id for attempt in self._session.attempts] if self._session else []
        at = siblings.index(self._attempt) + step if self._attempt in siblings else -1
        return siblings[at] if 0 <= at < len(siblings) else None

    def _go(self, step: int) -> None:
        """The same page of the attempt before or after."""
        neighbour = self._neighbour(step)
        if neighbour is None:
            self.desk.tell("This is the last attempt." if step > 0 else "This is the first attempt.")
            return
        self._attempt = neighbour
        self._load()

    # -- jumping -------------------------------------------------------------------------------

    def action_next_prompt(self) -> None:
        self._jump("prompt", 1)

    def action_previous_prompt(self) -> None:
        self._jump("prompt", -1)

    def action_next_error(self) -> None:
        self._jump("error", 1)

    def _jump(self, stop: Stop, step: int) -> None:
        """Go to the next place of this kind on this page, from the last to the first."""
        keys = self._transcript.places(stop) if self._page == "Transcript" else ()
        found = len(keys) if self._page == "Transcript" else len(places(self._lines, stop))
        if not found:
            self.desk.tell(f"There is no {stop} on this page.")
            return
        before = self._jumped.get(stop)
        at = (0 if step > 0 else found - 1) if before is None else (before + step) % found
        self._jumped[stop] = at
        if keys:
            self._pane.goto(keys[at], unfold=stop == "error")
        else:
            self._pane.show_index(places(self._lines, stop)[at], context=0)

    def action_find(self) -> None:
        self.query_one(MessageLine).ask("Find", self._find, live=self._find)

    def _find(self, text: str) -> None:
        pane = self.query_one(DiffPane).patch if self.query_one(DiffPane).display else self._pane
        found = pane.find(text)
        self.query_one(MessageLine).tell(f"{found} found" if text else "")

    # -- other screens -------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _LETTERS:
            return not self.query_one(MessageLine).display
        return super().check_action(action, parameters)

    def subject(self) -> Subject | None:
        if self._detail is None:
            return None
        summary = self._detail.summary
        name = f"{summary.task_key} attempt {summary.number}"
        return Subject(session=summary.session, attempt=summary.id, name=name)

    def labels_changed(self, labels: Labels) -> None:
        self._labels = labels
        self.draw(())

    def search_for(self, line: str) -> None:
        """The history searches."""
        from obra_tui.ui.screens.history import HistoryScreen

        def search() -> None:
            if isinstance(self.app.screen, HistoryScreen):
                self.app.screen.search_for(line)

        app = self.app
        self.dismiss(None)
        self.desk.show("history")
        app.call_after_refresh(search)

    def action_replay(self) -> None:
        from obra_tui.ui.screens.replay import ReplayScreen

        if self._detail is not None:
            self.app.push_screen(ReplayScreen(self._detail.summary.session))

    def action_compare(self) -> None:
        """With the attempt before it."""
        from obra_tui.ui.screens.compare import CompareScreen

        before = self._neighbour(-1)
        if before is not None:
            self.app.push_screen(CompareScreen(before, self._attempt))

    def action_leave(self) -> None:
        self.dismiss(None)


def _decided(detail: AttemptDetail) -> str:
    summary = detail.summary
    if summary.decision is None:
        again = summary.gate_decision is GateDecision.RETRY
        return "tried again" if again else TASK[summary.task_state].word
    return f"{DECISION[summary.decision].word} by {person_name(summary.decided_by)}"
