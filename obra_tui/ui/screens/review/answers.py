"""The answers to a gate, from the key to the command.

Nothing is sent that is not bound to exactly the content that was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from obra_tui.core.errors import GateDecided, ObraError, StaleDecision
from obra_tui.core.ids import GateId
from obra_tui.core.model import Decision, DecisionKind, Finding
from obra_tui.ui.screens.dialogs.questions import ask_text
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.screens.review.answer_view import AnswerView
from obra_tui.ui.screens.review.own_score import OwnScore
from obra_tui.ui.screens.review.state import ReviewState
from obra_tui.ui.view import review as model
from obra_tui.ui.view.format import clock_time
from obra_tui.ui.view.menus import Writing
from obra_tui.ui.view.review import GateReview
from obra_tui.ui.view.status_words import DECISION

_ALWAYS = frozenset({"stop_run", "later"})
"""Keys that are there whatever became of the gate."""


class GateAnswers(ScreenPart):
    """Asks for what an answer needs, sends it, and takes what became of it."""

    def __init__(
        self,
        state: ReviewState,
        view: AnswerView,
        score: OwnScore,
        on_refused: Callable[[ObraError], None],
        on_done: Callable[[GateId | None], None],
    ) -> None:
        """`on_done` gets the gate that waits next, if one does."""
        self._state = state
        self._view = view
        self._score = score
        self._on_refused = on_refused
        self._on_done = on_done

    # -- keys ----------------------------------------------------------------------------------

    def check_action(self, action: str) -> bool | None:
        return action in _ALWAYS or self._state.takes_answers

    def action_open_copy(self) -> None:
        review, services = self._state.latest, self._state.services
        if review is not None and review.task.copy_path:
            services.takeover.open_copy(review.task, partial(services.commands.hand_back, self._state.gate))

    def action_stop_run(self) -> None:
        if self._state.latest is not None:
            self._state.services.confirm.stop(self._state.latest.session.id, None)

    def action_later(self) -> None:
        """An answer that was begun is taken back first."""
        state = self._state
        if state.asked_twice:
            state.asked_twice = state.refusal = ""
            state.screen.draw(())
        else:
            state.screen.dismiss(None)

    # -- what each needs -----------------------------------------------------------------------

    def action_approve(self) -> None:
        review = self._state.latest
        if review is None or self._score.asks_first():
            return
        against = self._state.override_reasons(review)
        if against:
            self._ask_reason(review, against)
        elif self._view.bar.short and self._state.asked_twice != "approve":
            self._view.preview("approve", "review.approve")
        else:
            self._decide(Decision(kind=DecisionKind.APPROVE, by=self._by))

    def _ask_reason(self, review: GateReview, against: Sequence[str]) -> None:
        lines = "\n".join(f"  ! {line}" for line in against)
        ask_text(
            self._state.screen.app,
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

    def action_request_changes(self) -> None:
        if self._score.asks_first():
            return
        chosen = self._state.chosen()
        ask_text(
            self._state.screen.app,
            Writing(
                title="Request changes",
                explanation=f"Claude gets your note and these findings, word for word:\n{_listed(chosen)}",
                send_label="Send back",
                placeholder="What should be different?",
                may_be_empty=bool(chosen),
            ),
            lambda text: self._decide(Decision(kind=DecisionKind.CHANGES, by=self._by, note=text, chosen=chosen)),
        )

    def action_reject(self) -> None:
        review = self._state.latest
        if review is None or self._score.asks_first():
            return
        ask_text(
            self._state.screen.app,
            Writing(
                title=f"Reject {review.task.spec.key}",
                explanation=f"{model.effects(review, 0).reject}.",
                send_label="Reject",
                placeholder="Why is this the wrong way?",
            ),
            lambda text: self._decide(Decision(kind=DecisionKind.REJECT, by=self._by, note=text)),
        )

    def action_edit_prompt(self) -> None:
        backend, chosen, gate = self._state.services.backend, self._state.chosen(), self._state.gate
        if backend is None:
            return

        def read() -> None:
            try:
                text = backend.reader.next_prompt(gate, "", chosen)
            except ObraError as refused:
                self._state.services.call_soon(partial(self._state.services.notify, str(refused), problem=True))
            else:
                self._state.services.call_soon(partial(self._edit, text, chosen))

        self._state.screen.run_worker(read, thread=True, exit_on_error=False, group="prompt", exclusive=True)

    def _edit(self, text: str, chosen: tuple[Finding, ...]) -> None:
        if not self._state.screen.is_current:
            return
        ask_text(
            self._state.screen.app,
            Writing(
                title="The next prompt",
                explanation="Claude gets exactly this in the same conversation.",
                send_label="Send back with this prompt",
                text=text,
                tall=True,
            ),
            lambda prompt: self._decide(Decision(kind=DecisionKind.CHANGES, by=self._by, chosen=chosen, prompt=prompt)),
        )

    # -- sending -------------------------------------------------------------------------------

    @property
    def _by(self) -> str:
        return self._state.services.launch.person

    def _decide(self, decision: Decision) -> None:
        state = self._state
        shown = state.shown
        if shown is None or state.is_sending:
            return
        state.is_sending = True
        command = model.decision(shown, decision, state.inspection())
        state.services.commands.send(command, partial(self._decided, shown, decision.kind), self._refused)

    def _decided(self, shown: GateReview, kind: DecisionKind, _: object) -> None:
        """One gate after the other; each is armed anew."""
        state, services = self._state, self._state.services
        held = next((gate.held for gate in services.view.held_gates if gate.id == state.gate), None)
        undo = f" {services.key_label('app.undo')} undoes it until {clock_time(held.until)}." if held else ""
        left = held.until - services.clock.now() if held else None
        services.notify(f"{shown.task.spec.key}: {DECISION[kind].word}.{undo}", for_s=left)
        state.drop_draft()
        self._on_done(next((gate.id for gate in services.view.waiting_gates if gate.id != state.gate), None))

    def _refused(self, refused: ObraError) -> None:
        """Somebody was first, or the content is not what was shown: nothing was decided."""
        state = self._state
        state.is_sending = False
        state.asked_twice = ""
        state.refusal = str(refused)
        if isinstance(refused, StaleDecision | GateDecided):
            state.shown = None
        self._on_refused(refused)
        state.screen.draw(())
        state.screen.refresh_bindings()


def _listed(chosen: Sequence[Finding]) -> str:
    if not chosen:
        return "  no finding is ticked"
    return "\n".join(f"  [x] {finding.place} {finding.message}{_said(finding)}" for finding in chosen)


def _said(finding: Finding) -> str:
    return f"\n      » {finding.note}" if finding.note else ""
