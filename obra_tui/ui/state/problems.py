"""What stands in the way and needs the person; one per code and session."""

from dataclasses import dataclass

from obra_tui.core.events import ProblemRaised
from obra_tui.core.ids import SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView:
    session: SessionId
    code: str
    text: str
    fix: str
    until: float | None
    since: float


def raised_problem(session: SessionId, event: ProblemRaised, at: float) -> ProblemView:
    return ProblemView(session=session, code=event.code, text=event.text, fix=event.fix, until=event.until, since=at)
