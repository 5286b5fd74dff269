"""Cases, trials and labels, read from the sessions that hold nothing else; in the order in which they were written.

The order is the journal's, never the clock's: a clock that was set back must not put a revert before what it undid.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, text

from obra_tui.core.events import CaseKept, CaseRetired, JudgeAcknowledged, StandingChanged, TrialDone, WorkLabelled
from obra_tui.core.ids import AttemptId
from obra_tui.core.judging.book import CaseBook, PastWork
from obra_tui.core.records.metrics import LOOKED_S
from obra_tui.store.codec import decode

_EVENTS = """
SELECT event.id, event.at, event.type, event.body, session.project
FROM session JOIN event ON event.session = session.id
WHERE session.kind = 'probing' AND (:project = '' OR session.project = :project)
  AND ((:rehearsal = 1) = (session.rehearsal <> ''))
  AND event.type NOT IN ('session_opened', 'session_closed')
ORDER BY event.id"""


class _Written(Struct, frozen=True, kw_only=True):
    """Something that was written, and its place among all that was."""

    place: int
    at: float
    event: CaseKept | CaseRetired | TrialDone | WorkLabelled | JudgeAcknowledged | StandingChanged


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


def _placed(connection: Connection, values: dict[str, Any]) -> Iterator[_Written]:
    for place, at, kind, body, _ in connection.execute(text(_EVENTS), values):
        event = decode(kind, body)
        if isinstance(event, CaseKept | CaseRetired | TrialDone | WorkLabelled | JudgeAcknowledged | StandingChanged):
            yield _Written(place=int(place), at=float(at), event=event)


_PAST = f"""
SELECT attempt.id, attempt.task, task.title, attempt.passes, attempt.decision,
  (SELECT count(*) FROM check_result WHERE check_result.attempt = attempt.id AND check_result.blocking
    AND check_result.status = 'failed') AS failing,
  coalesce(acceptance.reverted, '') <> '' AS reverted, acceptance.attempt IS NOT NULL AS accepted,
  (SELECT max(CASE WHEN decision.by LIKE 'person%' AND (decision.own_score IS NOT NULL OR decision.kind <> 'approve'
      OR (NOT decision.override AND decision.open_s >= {LOOKED_S:g})) THEN 1 ELSE 0 END)
    FROM decision WHERE decision.attempt = attempt.id) AS known,
  (SELECT max(CASE WHEN decision.own_score IS NOT NULL THEN 1 ELSE 0 END)
    FROM decision WHERE decision.attempt = attempt.id) AS blind,
  (SELECT max(CASE WHEN diff.truncated THEN 1 ELSE 0 END) FROM diff WHERE diff.attempt = attempt.id) AS truncated
FROM attempt
  JOIN session ON session.id = attempt.session AND session.kind NOT IN ('imported', 'probing')
    AND (:project = '' OR session.project = :project)
    AND ((:rehearsal = 1) = (session.rehearsal <> ''))
  JOIN task ON task.id = attempt.task
  LEFT JOIN acceptance ON acceptance.attempt = attempt.id
ORDER BY attempt.started_at, attempt.id"""
_FILES = """
SELECT DISTINCT file_change.attempt, file_change.path FROM file_change
  JOIN attempt ON attempt.id = file_change.attempt
  JOIN session ON session.id = attempt.session AND (:project = '' OR session.project = :project)
ORDER BY file_change.attempt, file_change.path"""


def past_work(connection: Connection, project: str = "", *, rehearsal: bool = False) -> tuple[PastWork, ...]:
    """Return all attempts of a project with what is known of their worth, oldest first."""
    files: dict[str, list[str]] = {}
    for attempt, path in connection.execute(text(_FILES), {"project": project}):
        files.setdefault(attempt, []).append(path)
    return tuple(
        PastWork(
            attempt=AttemptId(row.id),
            task=row.task,
            title=row.title,
            failing=int(row.failing),
            passes=bool(row.passes),
            decision=row.decision or "",
            is_known=bool(row.known),
            is_blind=bool(row.blind),
            is_accepted=bool(row.accepted),
            is_reverted=bool(row.reverted),
            is_truncated=bool(row.truncated),
            files=tuple(files.get(row.id, ())),
        )
        for row in connection.execute(text(_PAST), {"project": project, "rehearsal": int(rehearsal)})
    )


_SECONDS = """
SELECT avg(latest.duration_s) FROM (
  SELECT duration_s FROM verdict WHERE model = :model AND unjudged = '' ORDER BY at DESC LIMIT 50) AS latest"""


def seconds_of(connection: Connection, model: str) -> float | None:
    found = connection.execute(text(_SECONDS), {"model": model}).scalar()
    return None if found is None else float(found)
