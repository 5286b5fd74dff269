"""The answers to a gate, from the key to the command; what they are about is the screen's that inherits from this.

Nothing is sent that is not bound to exactly the content that was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from obra_tui.core.errors import GateDecided, ObraError, StaleDecision
from obra_tui.core.ids import GateId
from obra_tui.core.model import Decision, DecisionKind, Finding
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.dialogs.questions import WriteDialog
from obra_tui.ui.view import review as model
from obra_tui.ui.view.format import clock_time
from obra_tui.ui.view.menus import Writing
from obra_tui.ui.view.review import GateReview, Inspection
from obra_tui.ui.view.status_words import DECISION
from widgets.bars.decision_bar import DecisionBar
from widgets.key_guard import ArmedScreen

Check = Callable[[str], str]
_ANSWERS = (
    "approve",
    "request_changes",
    "reject",
    "edit_prompt",
    "open_copy",
    "note_finding",
    "add_finding",
    "comment",
    "open_file",
)


class AnsweringScreen(ArmedScreen, ObraScreen):
    """Asks for what an answer needs, sends it, and takes what became of it."""

    def __init__(self, gate: GateId) -> None:
        super().__init__()
        self._gate = gate
        self._review: GateReview | None = None
        """What the view says now."""
        self._drawn: GateReview | None = None
        """What the person sees."""
        self._asked_twice = ""
        self._sending = False
        self._refusal = ""

    # -- what the heir says --------------------------------------------------------------------

    def chosen(self) -> tuple[Finding, ...]:
        """The ticked findings with their notes."""
        raise NotImplementedError

    def looked(self) -> Inspection:
        """How the person looked at the work so far."""
        raise NotImplementedError

    def against(self, review: GateReview) -> tuple[str, ...]:
        """What an approval would override."""
        raise NotImplementedError

    def with_own_score(self, then: Callable[[], None]) -> None:
        """Go on; in blind mode ask for the person's own score instead, and answer nothing."""
        then()

    def draw_note(self) -> None:
        """Show what became of an answer."""

    def answered(self) -> None:
        """The answer was taken: what was prepared for it is done with."""

    # -- keys ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _ANSWERS and (self._review is None or not self._review.open or self._sending):
            return False
        return super().check_action(action, parameters)

    def action_approve(self) -> None:
        self.with_own_score(self._approve)

    def action_request_changes(self) -> None:
        self.with_own_score(self._request_changes)

    def action_reject(self) -> None:
        self.with_own_score(self._reject)

    def action_open_copy(self) -> None:
        review = self._review
        if review is not None and review.task.copy_path:
            self.services.takeover.open_copy(review.task, partial(self.services.commands.hand_back, self._gate))

    def action_stop_run(self) -> None:
        if self._review is not None:
            self.services.confirm.stop(self._review.session.id, None)

    def action_later(self) -> None:
        """An answer that was begun is taken back first."""
        if self._asked_twice:
            self._asked_twice = self._refusal = ""
            self.draw(())
        else:
            self.dismiss(None)

    # -- what each needs -----------------------------------------------------------------------

    def _approve(self) -> None:
        review = self._review
        if review is None:
            return
        against = self.against(review)
        if against:
            self._ask_reason(review, against)
        elif self.query_one(DecisionBar).short and self._asked_twice != "approve":
            self._preview("approve", "review.approve")
        else:
            self._decide(Decision(kind=DecisionKind.APPROVE, by=self._by))

    def _preview(self, name: str, key_id: str) -> None:
        """Where the legend is hidden, the first press shows what the second one does."""
        self._asked_twice = name
        self.query_one(DecisionBar).display = True
        key = self.services.key_label(key_id)
        self.query_one(DecisionBar).preview(key)
        self._refusal = f"Press {key} again to approve, {self.services.key_label('review.later')} not to."
        self.draw_note()

    def _ask_reason(self, review: GateReview, against: Sequence[str]) -> None:
        lines = "\n".join(f"  ! {line}" for line in against)
        self.write(
            Writing(
                title=f"Approve {review.task.spec.key} although",
                explanation=f"{lines}\n\nYour reason is stored with the decision as an override.",
                send_label="Approve",
                placeholder="Why is it right all the same?",
            ),
            lambda text: self._decide(
                Decision(kind=DecisionKind.APPROVE, by=self._by, note=text, overridden=tuple(against))
            ),
        )

    def _request_changes(self) -> None:
        chosen = self.chosen()
        self.write(
            Writing(
                title="Request changes",
                explanation=f"Claude gets your note and these findings, word for word:\n{_listed(chosen)}",
                send_label="Send back",
                placeholder="What should be different?",
                may_be_empty=bool(chosen),
            ),
            lambda text: self._decide(Decision(kind=DecisionKind.CHANGES, by=self._by, note=text, chosen=chosen)),
        )

    def _reject(self) -> None:
        review = self._review
        if review is None:
            return
        self.write(
            Writing(
                title=f"Reject {review.task.spec.key}",
                explanation=f"{model.effects(review, 0).reject}.",
                send_label="Reject",
                placeholder="Why is this the wrong way?",
            ),
            lambda text: self._decide(Decision(kind=DecisionKind.REJECT, by=self._by, note=text)),
        )

    def action_edit_prompt(self) -> None:
        backend, chosen, gate = self.services.backend, self.chosen(), self._gate
        if backend is None:
            return

        def read() -> None:
            try:
                text = backend.reader.next_prompt(gate, "", chosen)
            except ObraError as refused:
                self.services.call_soon(partial(self.services.notify, str(refused), problem=True))
            else:
                self.services.call_soon(partial(self._edit, text, chosen))

        self.run_worker(read, thread=True, exit_on_error=False, group="prompt", exclusive=True)

    def _edit(self, text: str, chosen: tuple[Finding, ...]) -> None:
        if not self.is_current:
            return
        self.write(
            Writing(
                title="The next prompt",
                explanation="Claude gets exactly this in the same conversation.",
                send_label="Send back with this prompt",
                text=text,
                tall=True,
            ),
            lambda prompt: self._decide(Decision(kind=DecisionKind.CHANGES, by=self._by, chosen=chosen, prompt=prompt)),
        )

    def write(self, writing: Writing, then: Callable[[str], None], check: Check = lambda text: "") -> None:
        """Let the person write; `check` says why a text is not enough."""

        def written(text: str | None) -> None:
            if text is not None:
                then(text)

        self.app.push_screen(WriteDialog(writing, check), written)

    # -- sending -------------------------------------------------------------------------------

    @property
    def _by(self) -> str:
        return self.services.launch.person

    def _decide(self, decision: Decision) -> None:
        shown = self._drawn
        if shown is None or self._sending:
            return
        self._sending = True
        command = model.decision(shown, decision, self.looked())
        self.services.commands.send(command, partial(self._decided, shown, decision.kind), self._refused)

    def _decided(self, shown: GateReview, kind: DecisionKind, _: object) -> None:
        held = next((gate.held for gate in self.services.view.held_gates if gate.id == self._gate), None)
        key = self.services.key_label("app.undo")
        undo = f" {key} undoes it until {clock_time(held.until)}." if held else ""
        self.services.notify(f"{shown.task.spec.key}: {DECISION[kind].word}.{undo}")
        self.answered()
        self._next_or_leave()

    def _refused(self, refused: ObraError) -> None:
        """Somebody was first, or the content is not what was shown: nothing was decided."""
        self._sending = False
        self._asked_twice = ""
        self._refusal = str(refused)
        if isinstance(refused, StaleDecision | GateDecided):
            self._drawn = None
            self.arm_again()
        self.draw(())
        self.refresh_bindings()

    def _next_or_leave(self) -> None:
        """One gate after the other; each is armed anew."""
        others = [gate for gate in self.services.view.waiting_gates if gate.id != self._gate]
        if others:
            self.app.switch_screen(type(self)(others[0].id))
        else:
            self.dismiss(None)


def _listed(chosen: Sequence[Finding]) -> str:
    if not chosen:
        return "  no finding is ticked"
    return "\n".join(f"  [x] {finding.place} {finding.message}{_said(finding)}" for finding in chosen)


def _said(finding: Finding) -> str:
    return f"\n      » {finding.note}" if finding.note else ""
