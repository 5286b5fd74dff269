"""The judge's number at a gate: hidden until the person read on, or in blind mode until they gave their own."""

from __future__ import annotations

from msgspec.structs import replace

from obra_tui.ui.screens.dialogs.questions import ask_text
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.screens.review.answer_view import AnswerView
from obra_tui.ui.screens.review.state import ReviewState
from obra_tui.ui.view.menus import Writing
from obra_tui.ui.view.scores import ScoreVisibility, own_score


class OwnScore(ScreenPart):
    """Asks for the person's own score where that comes first."""

    def __init__(self, state: ReviewState, view: AnswerView) -> None:
        self._state = state
        self._view = view

    def show_allowed(self) -> None:
        """Show what may be shown now."""
        state, now = self._state, self._state.allowed_visibility()
        if now is not state.visibility and state.shown is not None:
            state.visibility = now
            state.panes.evidence.show_facts(state.shown, now)
            self._view.draw()

    def action_blind(self) -> None:
        """Blind mode on; then the own score; then off again."""
        if not self._state.services.blind:
            self._state.services.blind = True
        elif self._state.draft.own_score is not None:
            self._end_blind()
        self._state.screen.tick()
        self.show_allowed()
        self.asks_first()

    def _end_blind(self) -> None:
        services = self._state.services
        services.blind = False
        services.notify("Blind mode is off: the judge's number is shown at once.")
        self._state.screen.tick()
        self.show_allowed()

    def asks_first(self) -> bool:
        """In blind mode ask for the person's own score, and say that nothing is answered yet."""
        state = self._state
        if state.visibility is not ScoreVisibility.AFTER_OWN_SCORE:
            return False
        ask_text(state.screen.app, _OWN_SCORE, self._take, _refusal_of)
        return True

    def _take(self, text: str) -> None:
        state = self._state
        if not text.strip():
            self._end_blind()
            return
        state.keep(replace(state.draft, own_score=own_score(text)))
        self.show_allowed()
        state.services.notify("The judge's number is shown now; your answer is still to give.")


_OWN_SCORE = Writing(
    title="Your own score",
    explanation="How good is this work, from 0 to 1? Then the judge's number is shown; both are stored. "
    "With nothing written blind mode ends.",
    send_label="Give it",
    placeholder="0.8",
    may_be_empty=True,
)


def _refusal_of(text: str) -> str:
    known = not text.strip() or own_score(text) is not None
    return "" if known else "Write a number from 0 to 1, such as 0.75."
