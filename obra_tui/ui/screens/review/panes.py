"""The two panes of a gate, what they tell each other, and which of them has its turn where there is room for one only.

Knows the work that is shown, and nothing of the answer to it.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from obra_tui.core.ids import AttemptId
from obra_tui.core.model import CheckStatus
from obra_tui.ui.screens.base import is_small
from obra_tui.ui.screens.dialogs.output import OutputDialog
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.screens.review.diff import ReviewDiff
from obra_tui.ui.screens.review.evidence import EvidencePane
from obra_tui.ui.services import services_of
from obra_tui.ui.view.format import plural
from obra_tui.ui.view.review import GateReview
from obra_tui.ui.view.review_draft import FileMark
from widgets.bars.tab_strip import TabStrip
from widgets.diff.file_list import FileList
from widgets.lists.checklist import Checklist
from widgets.log_view.view import LogPane

PANES = ("#diff", "#checks", "#findings", "#files")
"""In the order of `tab`."""


class ReviewPanes(Horizontal):
    """Evidence on the left, the diff on the right."""

    _review: GateReview | None = None
    _turn = ""
    """The pane that the person went to; empty before they went to any."""

    def compose(self) -> ComposeResult:
        yield EvidencePane(id="evidence")
        yield ReviewDiff(id="diff")

    @property
    def diff(self) -> ReviewDiff:
        return self.query_one(ReviewDiff)

    @property
    def evidence(self) -> EvidencePane:
        return self.query_one(EvidencePane)

    @property
    def is_there(self) -> bool:
        """The panes are taken away before the screen: their last messages may come after them."""
        return self.is_attached and bool(self.query(ReviewDiff)) and bool(self.query(EvidencePane))

    def show_work(self, review: GateReview, marks: frozenset[FileMark]) -> None:
        """Show the diff and its files; `marks` say what of it was looked at."""
        self._review = review
        self.diff.show_review(review, marks)
        self.show_files()
        self.fit()

    def show_files(self) -> None:
        self.evidence.show_files(self.diff.changes, self.diff.seen, narrow=self.screen.has_class("-narrow"))

    # -- what one pane tells the other ---------------------------------------------------------

    def on_review_diff_base_changed(self) -> None:
        if self.is_there:
            self.show_files()
            self.fit()

    def on_diff_pane_shown(self, message: ReviewDiff.Shown) -> None:
        if self.is_there:
            self.query_one(FileList).highlight(message.path)

    def on_file_list_chosen(self, message: FileList.Chosen) -> None:
        self.diff.read_on()
        self.diff.show_file(message.path)

    def on_checklist_jump(self, message: Checklist.Jump) -> None:
        self.diff.read_on()
        if message.path and not self.diff.jump(message.path, message.line):
            services_of(self.app).notify(f"{message.path} is not in the diff that is shown.")

    def on_evidence_pane_check_opened(self, message: EvidencePane.CheckOpened) -> None:
        checks = self._review.attempt.checks if self._review else ()
        result = next((check.result for check in checks if check.name == message.name), None)
        if result is not None:
            self.app.push_screen(OutputDialog(result))

    def on_evidence_pane_attempt_opened(self, message: EvidencePane.AttemptOpened) -> None:
        services_of(self.app).navigator.open_attempt(AttemptId(message.attempt), "Diff")

    # -- whose turn it is ----------------------------------------------------------------------

    @property
    def _there(self) -> list[str]:
        return [name for name in PANES if name != "#findings" or not self.query_one(name).has_class("-empty")]

    def fit(self) -> None:
        """The size is another one, or what the panes are named after: where lines are few, code comes first."""
        self.turn_to(self._turn or ("#diff" if is_small(self.app.size) else "#checks"), by_person=False)
        self.evidence.draw_facts()

    def turn_to(self, name: str, *, by_person: bool = True) -> None:
        """Give a pane its turn where there is room for one only."""
        if by_person:
            self._turn = name
        for other in PANES:
            self.query_one(other).set_class(other == name, "-turn")
        self.screen.set_class(name == "#diff", "-reading")
        self.query_one(TabStrip).show([(pane, self._label(pane)) for pane in self._there], name)

    def _label(self, pane: str) -> str:
        attempt = self._review.attempt if self._review else None
        match pane:
            case "#diff":
                return self.diff.comparison.title if self.diff.comparison.has_other_base else "Diff"
            case "#findings":
                return plural(self.query_one(Checklist).count, "finding")
            case "#files":
                return plural(len(self.diff.changes), "file")
            case _:
                results = [check.result for check in attempt.checks if check.result is not None] if attempt else []
                failed = sum(result.status is not CheckStatus.PASSED for result in results)
                return f"Checks ({failed} failed)" if failed else "Checks"

    def on_tab_strip_pressed(self, message: TabStrip.Pressed) -> None:
        self._go_to(message.name)

    def step(self, step: int) -> None:
        """Go to the pane after or before."""
        panes = self._there
        here = next((i for i, name in enumerate(panes) if self.query_one(name).has_focus_within), 0)
        self._go_to(panes[(here + step) % len(panes)])

    def _go_to(self, name: str) -> None:
        self.turn_to(name)
        target = self.query_one(name)
        if target.focusable:
            self.screen.set_focus(target)  # at once: the next key may have been typed already
        else:
            self.call_after_refresh(self._focus_inside, name)

    def _focus_inside(self, name: str) -> None:
        for node in self.query_one(name).query("*"):
            if node.focusable:
                self.screen.set_focus(node)
                return


class PaneKeys(ScreenPart):
    """Moves through the panes, from whichever of them the focus is in."""

    def __init__(self, panes: ReviewPanes) -> None:
        self._panes = panes

    def action_all_facts(self) -> None:
        self._panes.evidence.toggle_facts()

    def action_base(self) -> None:
        self._panes.diff.comparison.switch(services_of(self._panes.app))

    def action_next_file(self) -> None:
        self._panes.diff.action_file(1)

    def action_previous_file(self) -> None:
        self._panes.diff.action_file(-1)

    def action_next_hunk(self) -> None:
        self._panes.diff.action_hunk(1)

    def action_previous_hunk(self) -> None:
        self._panes.diff.action_hunk(-1)

    def action_split(self) -> None:
        self._panes.diff.action_split()

    def action_wrap(self) -> None:
        for pane in self._panes.query(LogPane):
            if pane.has_focus:
                pane.scroller.toggle_wrap()

    def action_next_pane(self) -> None:
        self._panes.step(1)

    def action_previous_pane(self) -> None:
        self._panes.step(-1)
