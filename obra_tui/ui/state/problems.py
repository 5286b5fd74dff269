"""What stands in the way and needs the person; one per code and session."""

from msgspec import Struct

from obra_tui.core.events import ProblemRaised
from obra_tui.core.ids import SessionId


class ProblemView(Struct, frozen=True, kw_only=True):
    session: SessionId
    code: str
    text: str
    fix: str
    until: float | None
    since: float


def raised_problem(session: SessionId, event: ProblemRaised, at: float) -> ProblemView:
    return ProblemView(session=session, code=event.code, text=event.text, fix=event.fix, until=event.until, since=at)
