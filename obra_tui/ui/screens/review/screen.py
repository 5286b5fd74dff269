"""Gate review: the evidence, the diff, and three answers with their consequences.

Opens only because a person asked for it, takes no key before there was silence,
and sends a decision bound to exactly the content it showed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize

from obra_tui.core.errors import GateDecided, ObraError, StaleDecision
from obra_tui.core.events import Record
from obra_tui.core.ids import GateId
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.review.answer_view import AnswerView
from obra_tui.ui.screens.review.answers import GateAnswers
from obra_tui.ui.screens.review.comment_line import CommentLine
from obra_tui.ui.screens.review.draft import DraftKeys
from obra_tui.ui.screens.review.own_score import OwnScore
from obra_tui.ui.screens.review.panes import PaneKeys
from obra_tui.ui.screens.review.state import ReviewState
from obra_tui.ui.view.review import GateReview, waiting_for
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.bars.decision_bar import DecisionBar
from widgets.bars.status_line import Banner
from widgets.key_guard import ArmedScreen, Arming
from widgets.lists.checklist import Checklist


class ReviewScreen(ArmedScreen, ObraScreen):
    """Lays out the gate, and draws what changed of it; keys are answered by its parts."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("review")
    ARMED_FOCUS = "#checks, #patch"
    """Where there is room for one pane only, that is the patch."""
    tab = "gates"

    def __init__(self, gate: GateId) -> None:
        super().__init__()
        self.gate_shown = gate
        self.state = ReviewState(self, gate)
        self._answer_view = AnswerView(self.state)
        self._score = OwnScore(self.state, self._answer_view)
        self._draft = DraftKeys(self.state, self._answer_view)
        answers = GateAnswers(self.state, self._answer_view, self._score, self._refused, self._next_or_leave)
        for part in (answers, self._draft, self._score, PaneKeys(self.state.panes)):
            self.add_part(part)

    def make_arming(self) -> Arming:
        return Arming(self.services.launch.review_grace_s, self.services.clock.monotonic)

    def compose_body(self) -> ComposeResult:
        yield Banner(id="banner")
        yield self.state.panes
        yield CommentLine(id="message")
        yield DecisionBar(id="answers")

    def on_mount(self) -> None:
        self.state.open()

    def on_unmount(self) -> None:
        self.state.keep_time()

    # -- drawing -------------------------------------------------------------------------------

    def draw(self, records: Sequence[Record]) -> None:
        state = self.state
        state.load()
        review = state.latest
        if review is None:
            self.show_status(StatusPart(text="GATE"), StatusPart(text="this gate is no longer waiting"))
            return
        if state.shown is None or _changed(state.shown, review):
            state.visibility = state.allowed_visibility()
            state.panes.evidence.show_facts(review, state.visibility)
            self._draft.draw_findings(review)
            state.panes.show_work(review, state.draft.marks)
        state.shown = review
        self._answer_view.draw()
        self.tick()

    def tick(self) -> None:
        review = self.state.latest
        if review is None:
            return
        session = review.session
        of = f" of {session.max_attempts}" if review.attempt.number <= session.max_attempts else ""
        place = f"gate {review.number} of {review.waiting}" if review.open else "answered"
        self.show_status(
            StatusPart(text="GATE", tone=Tone.ASK, strong=True),
            StatusPart(text=f"{review.task.spec.key} {review.task.spec.title}", strong=True, shrinks=True),
            StatusPart(text=f"attempt {review.attempt.number}{of}"),
            StatusPart(text=place),
            StatusPart(text=f"waiting {waiting_for(review, self.services.clock.now())}" if review.open else ""),
            StatusPart(text="blind" if self.services.blind else "", tone=Tone.WARN),
        )

    def on_armed_changed(self, armed: bool) -> None:
        if self.ready:
            self.query_one(DecisionBar).armed = armed

    def on_resize(self, event: Resize) -> None:
        if self.ready:
            self.state.panes.fit()
            self._answer_view.draw()

    def action_reload(self) -> None:
        self.state.forget_shown()
        self.draw(())

    # -- what the panes tell -------------------------------------------------------------------

    def on_review_diff_looked(self) -> None:
        state = self.state
        if not state.is_there:
            return
        state.keep(replace(state.draft, marks=state.panes.diff.looked_at.present))
        self._score.show_allowed()
        state.panes.show_files()
        if state.shown is not None:
            self._answer_view.draw()

    def on_checklist_chosen(self, message: Checklist.Chosen) -> None:
        if self.state.is_there:
            self._draft.take_ticks(message.keys)

    def on_comment_line_written(self, message: CommentLine.Written) -> None:
        self._draft.take_comment(message.path, message.line, message.text)

    # -- what became of an answer --------------------------------------------------------------

    def _refused(self, refused: ObraError) -> None:
        """What is asked about has changed: keys are swallowed until there was silence, and the legend says so."""
        if isinstance(refused, StaleDecision | GateDecided):
            self.guard.start()

    def _next_or_leave(self, following: GateId | None) -> None:
        if following is not None:
            self.app.switch_screen(type(self)(following))
        else:
            self.dismiss(None)


def _changed(before: GateReview, after: GateReview) -> bool:
    return (before.gate.binding, before.attempt.diff, before.attempt.quality) != (
        after.gate.binding,
        after.attempt.diff,
        after.attempt.quality,
    )
