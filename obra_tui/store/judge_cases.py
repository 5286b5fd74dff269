"""Cases, trials and labels, read from the sessions that hold nothing else; in the order in which they were written.

The order is the journal's, never the clock's: a clock that was set back must not put a revert before what it undid.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, text

from obra_tui.core.events import CaseKept, CaseRetired, JudgeAcknowledged, StandingChanged, TrialDone, WorkLabelled
from obra_tui.core.model import JudgeCase, Trial
from obra_tui.store.codec import decode

_EVENTS = """
SELECT event.id, event.at, event.type, event.body, session.project
FROM session JOIN event ON event.session = session.id
WHERE session.kind = 'probing' AND (:project = '' OR session.project = :project)
  AND ((:rehearsal = 1) = (session.rehearsal <> ''))
  AND event.type NOT IN ('session_opened', 'session_closed')
ORDER BY event.id"""


class Placed(Struct, frozen=True, kw_only=True):
    """Something that was written, and its place among all that was."""

    place: int
    at: float
    event: CaseKept | CaseRetired | TrialDone | WorkLabelled | JudgeAcknowledged | StandingChanged


class CaseBook(Struct, frozen=True, kw_only=True):
    """All cases of a project, and everything that was answered to them."""

    cases: dict[str, JudgeCase]
    retired: dict[str, str]
    """Ids of cases that no longer count, with the reason."""
    trials: tuple[tuple[int, Trial], ...]
    labels: tuple[tuple[int, WorkLabelled], ...]
    acknowledged: tuple[int, ...]
    changes: tuple[tuple[float, StandingChanged], ...] = ()
    """When a judge was allowed more or less, oldest first."""

    @property
    def told(self) -> dict[str, int]:
        """The level of each version that was told last."""
        return {change.version: change.after for _, change in self.changes}

    @property
    def counting(self) -> dict[str, JudgeCase]:
        return {name: case for name, case in self.cases.items() if name not in self.retired}


def case_book(connection: Connection, project: str = "", *, rehearsal: bool = False) -> CaseBook:
    found = tuple(_placed(connection, {"project": project, "rehearsal": int(rehearsal)}))
    kept = [item.event.case for item in found if isinstance(item.event, CaseKept)]
    return CaseBook(
        cases={case.id: case for case in reversed(kept)},
        retired={item.event.case: item.event.reason for item in found if isinstance(item.event, CaseRetired)},
        trials=tuple((item.place, item.event.trial) for item in found if isinstance(item.event, TrialDone)),
        labels=tuple((item.place, item.event) for item in found if isinstance(item.event, WorkLabelled)),
        changes=tuple((item.at, item.event) for item in found if isinstance(item.event, StandingChanged)),
        acknowledged=tuple(item.place for item in found if isinstance(item.event, JudgeAcknowledged)),
    )


def _placed(connection: Connection, values: dict[str, Any]) -> Iterator[Placed]:
    for place, at, kind, body, _ in connection.execute(text(_EVENTS), values):
        event = decode(kind, body)
        if isinstance(event, CaseKept | CaseRetired | TrialDone | WorkLabelled | JudgeAcknowledged | StandingChanged):
            yield Placed(place=int(place), at=float(at), event=event)
