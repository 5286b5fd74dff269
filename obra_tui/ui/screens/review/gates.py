"""Gates: what waits for a person, oldest first, and what was decided in the open sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from obra_tui.core.events import Record
from obra_tui.core.model import DecisionKind
from obra_tui.core.records.attempt_words import person_name
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.state import GateView, ViewState
from obra_tui.ui.view.format import ago, clock_time, plural
from obra_tui.ui.view.status_words import DECISION, REVERTED, Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList


class GatesScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("gates")

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[LogLine, ...] | None = None

    def compose_body(self) -> ComposeResult:
        yield ChoiceList(id="list")

    def on_mount(self) -> None:
        self.query_one("#list").border_title = "Gates"
        self.query_one("#list").focus()

    def draw(self, records: Sequence[Record]) -> None:
        view, now = self.services.view, self.services.clock.now()
        waiting = view.waiting_gates
        decided = sorted((g for g in view.gates.values() if not g.waiting), key=lambda g: -(g.decided_at or 0))
        self.show_status(
            StatusPart(text="GATES", strong=True),
            StatusPart(text=f"{plural(len(waiting), 'gate')} waiting", tone=Tone.ASK if waiting else Tone.PLAIN),
            StatusPart(text=f"{len(decided)} answered" if decided else ""),
        )
        blind = self.services.blind
        rows = tuple(gate_row(view, gate, now, blind=blind) for gate in (*waiting, *decided))
        if rows != self._rows:
            self._rows = rows
            self.query_one("#list", ChoiceList).set_rows(rows or [LogLine(text, style="dim") for text in _EMPTY])

    def tick(self) -> None:
        self.draw(())

    def on_choice_list_highlighted(self, message: ChoiceList.Highlighted) -> None:
        self.refresh_bindings()

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self.action_open_gate()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "open_gate":
            return self.ready and self._gate is not None
        return True

    @property
    def _gate(self) -> GateView | None:
        key = self.query_one("#list", ChoiceList).highlighted
        return next((gate for gate in self.services.view.gates.values() if gate.id == key), None)

    def action_open_gate(self) -> None:
        if self._gate is not None:
            self.services.navigator.review(self._gate.id)

    def action_go_back(self) -> None:
        self.services.navigator.show("live")


_EMPTY = ("No gate is waiting.", "A gate opens here when the policy wants a person to decide; 1 goes back to Live.")


def gate_row(view: ViewState, gate: GateView, now: float, *, blind: bool = False) -> LogLine:
    """Return one gate; in blind mode, what waits shows neither its score nor why it is asked about."""
    task, attempt = view.tasks.get(gate.task), view.attempts.get(gate.attempt)
    name = f"{task.spec.key} {task.spec.title}" if task else str(gate.task)
    quality = attempt.quality.line if attempt and attempt.quality else "no score"
    hidden = (blind or (attempt is not None and attempt.is_audited)) and gate.waiting
    quality = "score hidden" if hidden else quality
    number = f"attempt {attempt.number}" if attempt else ""
    head = f"{name}  "
    text = f"{head}{number}  {quality}"
    if gate.decision is not None:
        reverted = task is not None and task.reverted is not None and task.acceptance is not None
        approved = gate.decision.kind is DecisionKind.APPROVE
        status = REVERTED if reverted and approved else DECISION[gate.decision.kind]
        aside = f"{status.word} by {person_name(gate.decision.by)} {clock_time(gate.decided_at or 0)}"
        return LogLine(text, key=gate.id, glyph=status.glyph, aside=aside, aside_style=status.tone.value, style="dim")
    reasons = "" if hidden else "\n".join(gate.reasons)
    spans = (Span(0, len(name), "strong"), Span(len(text), len(text) + 1 + len(reasons), "dim"))
    return LogLine(
        f"{text}\n{reasons}" if reasons else text,
        key=gate.id,
        glyph="?",
        spans=spans,
        aside=ago(now - gate.opened_at),
        aside_style="gate",
    )
