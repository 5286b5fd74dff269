"""One attempt of the past, drawn by the same feeds as the live one, with its diff."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.core.history import AttemptDetail, History
from obra_tui.core.ids import AttemptId
from obra_tui.ui import scores
from obra_tui.ui.feeds.claude import ClaudeFeed
from obra_tui.ui.feeds.validation import ValidationFeed
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.review import file_diffs
from obra_tui.ui.state import ViewState, apply_all
from obra_tui.ui.statusline import Part
from obra_tui.ui.words import DECISION, TASK, person_name
from widgets.diff_pane import DiffPane
from widgets.log_pane import LogPane
from widgets.score_bars import ScoreBars

PAGE = 1_000
MOST_RECORDS = 20_000


class TranscriptScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "toggle_diff", "Diff", id="transcript.diff"),
        Binding("tab", "next_pane", "Next pane", show=False, id="transcript.next_pane"),
        Binding("shift+tab", "previous_pane", "Previous pane", show=False, id="transcript.previous_pane"),
        Binding("slash", "find", "Find", id="transcript.find"),
        Binding("escape,backspace", "leave", "Back", id="transcript.leave"),
    ]

    def __init__(self, attempt: AttemptId) -> None:
        super().__init__()
        self._attempt = attempt
        self._detail: AttemptDetail | None = None
        self._note = "reading…"

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="body"):
            yield LogPane(id="claude", follow=False)
            with Vertical(id="right"):
                yield LogPane(id="validation", follow=False)
                with Vertical(id="quality"):
                    yield ScoreBars(id="scores")
            yield DiffPane(id="past-diff")
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self.query_one("#claude").border_title = "Claude Code · transcript"
        self.query_one("#validation").border_title = "Evidence"
        self.query_one("#quality").border_title = "Quality"
        self.query_one("#past-diff").display = False
        self.query_one("#claude").focus()
        backend = self.desk.backend
        if backend is not None:
            self.run_worker(partial(self._read, backend.history), thread=True, exit_on_error=False)

    def _read(self, history: History) -> None:
        """In a worker thread."""
        try:
            detail = history.attempt(self._attempt)
            records = list(all_records(partial(history.attempt_records, self._attempt)))
        except ObraError as refused:
            self.desk.soon(partial(self._refused, refused))
        else:
            self.desk.soon(partial(self._take, detail, records))

    def _refused(self, refused: ObraError) -> None:
        self._note = str(refused)
        if self.ready:
            self.draw(())

    def _take(self, detail: AttemptDetail, records: Sequence[Record]) -> None:
        if not self.ready:
            return
        self._detail, self._note = detail, ""
        ClaudeFeed(self.query_one("#claude", LogPane)).add(records)
        ValidationFeed(self.query_one("#validation", LogPane)).add(records)
        attempt = apply_all(ViewState(), records).attempts.get(self._attempt)
        self.query_one("#scores", ScoreBars).show(scores.stage_scores(attempt, None), scores.overall(attempt, None))
        if detail.diff is not None:
            self.query_one(DiffPane).show(file_diffs(detail.diff.patch, detail.diff.files, {}))
        self.draw(())

    def draw(self, records: Sequence[Record]) -> None:
        detail = self._detail
        if detail is None:
            self.show_status(Part(text="HISTORY", strong=True), Part(text=self._note))
            return
        summary = detail.summary
        decided = ""
        if summary.decision is not None:
            decided = f"{DECISION[summary.decision].word} by {person_name(summary.decided_by)}"
        self.show_status(
            Part(text="HISTORY", strong=True),
            Part(text=f"{summary.task_key} {summary.task_title}", strong=True),
            Part(text=f"attempt {summary.number}"),
            Part(text=decided or TASK[summary.task_state].word),
            Part(text=detail.quality.line if detail.quality else ""),
            Part(text=str(summary.id)),
        )

    # -- keys ----------------------------------------------------------------------------------

    def action_toggle_diff(self) -> None:
        diff, right = self.query_one("#past-diff"), self.query_one("#right")
        diff.display = not diff.display
        right.display = not diff.display

    def action_next_pane(self) -> None:
        self.focus_next("LogPane")

    def action_previous_pane(self) -> None:
        self.focus_previous("LogPane")

    def action_find(self) -> None:
        self.query_one(MessageLine).ask("Find", self._find, live=self._find)

    def _find(self, text: str) -> None:
        found = self.query_one("#claude", LogPane).find(text)
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
