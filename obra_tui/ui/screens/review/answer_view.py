"""How the answers to a gate are shown: each with its consequence, and what became of one that was given."""

from __future__ import annotations

from obra_tui.ui.screens.base import SHORT
from obra_tui.ui.screens.review.state import ReviewState
from obra_tui.ui.view.review import GateReview, answer_note, answered_rows, effects
from obra_tui.ui.view.scores import ScoreVisibility
from widgets.bars.decision_bar import AnswerOption, DecisionBar
from widgets.bars.status_line import Banner


class AnswerView:
    """Draws the legend and the banner of the screen."""

    def __init__(self, state: ReviewState) -> None:
        self._state = state

    @property
    def bar(self) -> DecisionBar:
        return self._state.screen.query_one(DecisionBar)

    def draw(self) -> None:
        """The legend; where rows are few it has no room, and the first press of an answer shows what it does."""
        bar, review = self.bar, self._state.latest
        bar.short = self._state.screen.size.height < SHORT
        bar.display = not bar.short or bool(self._state.asked_twice)
        if review is not None:
            bar.show(self._options(review))
        self.draw_note()

    def draw_note(self) -> None:
        """Show what became of an answer."""
        state, banner = self._state, self._state.screen.query_one(Banner)
        text = state.refusal or (answer_note(state.latest, state.services.key_label) if state.latest else "")
        if text:
            banner.show(text, state="warn" if state.refusal else "held")
        else:
            banner.clear()

    def preview(self, name: str, key_id: str) -> None:
        """Where the legend is hidden, the first press shows what the second one does."""
        state = self._state
        state.asked_twice = name
        self.bar.display = True
        key = state.services.key_label(key_id)
        self.bar.preview(key)
        state.refusal = f"Press {key} again to approve, {state.services.key_label('review.later')} not to."
        self.draw_note()

    def _options(self, review: GateReview) -> list[AnswerOption]:
        state = self._state
        of = effects(review, len(state.chosen()))
        against = state.override_reasons(review) if state.visibility is ScoreVisibility.SHOWN else ()
        approve = f"{of.approve} (asks for a reason: {len(against)} against it)" if against else of.approve
        rows: tuple[tuple[str, str, str], ...] = (
            ("review.approve", "Approve", approve),
            ("review.request_changes", "Request changes", of.changes),
            ("review.reject", "Reject", of.reject),
            ("review.later", "Later", of.later),
        )
        rows = rows if review.open else answered_rows(review)
        return [AnswerOption(state.services.key_label(key_id), label, effect) for key_id, label, effect in rows]
