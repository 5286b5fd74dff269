"""Gates: which wait for a person, and how the others were answered."""

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.events import DecisionHeld, DecisionMade, DecisionUndone, GateOpened
from obra_tui.core.ids import AttemptId, GateId, SessionId, TaskId
from obra_tui.core.model import Binding, Decision


class GateView(Struct, frozen=True, kw_only=True):
    id: GateId
    session: SessionId
    task: TaskId
    attempt: AttemptId
    binding: Binding
    reasons: tuple[str, ...]
    opened_at: float
    decision: Decision | None = None
    decided_at: float | None = None
    held: DecisionHeld | None = None
    """An answer that can still be undone."""
    undone: DecisionUndone | None = None
    """The last answer was taken back; the gate waits again."""

    @property
    def waiting(self) -> bool:
        return self.decision is None and self.held is None


def opened_gate(session: SessionId, task: TaskId, event: GateOpened, at: float) -> GateView:
    return GateView(
        id=event.gate,
        session=session,
        task=task,
        attempt=event.binding.attempt,
        binding=event.binding,
        reasons=event.reasons,
        opened_at=at,
    )


def decided_gate(gate: GateView, event: DecisionMade, at: float) -> GateView:
    """The first answer stands."""
    if gate.decision is not None:
        return gate
    return replace(gate, decision=event.decision, decided_at=at, held=None, undone=None)


def held_gate(gate: GateView, event: DecisionHeld | DecisionUndone) -> GateView:
    """An answer is held, or the one that was held is taken back."""
    if isinstance(event, DecisionHeld):
        return replace(gate, held=event, undone=None)
    return replace(gate, held=None, undone=event)
