"""One gate on screen: what the view says of it, what the person sees, and what they have prepared for the answer.

The parts of the screen share it. It draws nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from obra_tui.core.ids import GateId
from obra_tui.core.model import Finding
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.review.panes import ReviewPanes
from obra_tui.ui.services import AppServices
from obra_tui.ui.view.review import GateReview, Inspection, overridden, review_of
from obra_tui.ui.view.review_draft import ReviewDraft
from obra_tui.ui.view.scores import ScoreVisibility, hurried, score_visibility
from widgets.lists.checklist import Checklist


class ReviewState:
    def __init__(self, screen: ObraScreen, gate: GateId) -> None:
        self.screen = screen
        self.gate = gate
        self.latest: GateReview | None = None
        """What the view says now."""
        self.shown: GateReview | None = None
        """What the person sees."""
        self.draft = ReviewDraft()
        self.visibility = ScoreVisibility.SHOWN
        self.asked_twice = ""
        """The answer that needs its key once more."""
        self.is_sending = False
        self.refusal = ""
        """Why the last answer was not taken."""
        self.panes = ReviewPanes(id="review")
        self._opened_at = 0.0
        self._hurried = False

    @property
    def services(self) -> AppServices:
        return self.screen.services

    @property
    def is_there(self) -> bool:
        """Its panes can be drawn."""
        return self.screen.ready and self.panes.is_there

    @property
    def takes_answers(self) -> bool:
        """The gate is open, and no answer to it is on its way."""
        return self.latest is not None and self.latest.open and not self.is_sending

    def open(self) -> None:
        """Take up what was prepared for this gate before; the time at it counts from now."""
        services = self.services
        self._opened_at = services.clock.now()
        self.draft = services.drafts.get(self.gate, ReviewDraft())
        friction = services.backend is None or services.backend.friction
        self._hurried = friction and hurried(services.view, services.launch.person)
        self.load()

    def load(self) -> None:
        self.latest = review_of(self.services.view, self.gate)

    def forget_shown(self) -> None:
        """Have everything drawn anew."""
        self.shown, self.refusal = None, ""

    # -- what the person prepares --------------------------------------------------------------

    def keep(self, draft: ReviewDraft) -> None:
        """Keep the draft also when they leave."""
        self.draft = draft
        self.services.drafts[self.gate] = draft

    def keep_time(self) -> None:
        """Add the time at this gate to a draft that waits."""
        if self.gate in self.services.drafts:
            self.keep(replace(self.draft, open_s=self._open_s))

    def drop_draft(self) -> None:
        """The answer was taken: what was prepared for it is done with."""
        self.services.drafts.pop(self.gate, None)

    def chosen(self) -> tuple[Finding, ...]:
        """The ticked findings with their notes, as the list shows them now.

        Word of a tick may still be on its way when the next key is pressed.
        """
        ticked = frozenset(self.panes.query_one(Checklist).checked)
        found = self.draft.findings(self.latest.findings) if self.latest else {}
        return tuple(item for key, item in found.items() if key in ticked)

    # -- how they looked at the work -----------------------------------------------------------

    def inspection(self) -> Inspection:
        """How the person looked at the work so far."""
        files = tuple(sorted(self.panes.diff.looked_at.read))
        return Inspection(open_s=self._open_s, files=files, own_score=self.draft.own_score)

    def override_reasons(self, review: GateReview) -> tuple[str, ...]:
        """What an approval would override."""
        return overridden(review, self.panes.diff.looked_at.opened)

    def allowed_visibility(self) -> ScoreVisibility:
        """How much of the judge's number may be shown now."""
        blind = self.services.blind and self.latest is not None and self.latest.open
        read_on = self.screen.ready and self.panes.diff.has_read_on
        audit = self.latest is not None and self.latest.is_blind_audit
        own = self.draft.own_score
        return score_visibility(blind=blind, own_score=own, hurried=self._hurried, read_on=read_on, is_audit=audit)

    @property
    def _open_s(self) -> float:
        return self.draft.open_s + self.services.clock.now() - self._opened_at
