"""What became known of every judge's passes, read from the tables: the observations that the ladder is folded from.

A judge is its model's digest and its rubric; each has a record of its own. A pass is decided by a person who looked, by
a score that was given before the judge's was shown, or by a revert; what was accepted against the gate, or within three
seconds, decides nothing. Imported sessions never count, rehearsals only among themselves.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from obra_tui.core.judging.authority import JudgeRecord
from obra_tui.core.judging.standing import LIMIT, Acknowledged, Asked, Decided, Observation, record_of
from obra_tui.core.records.metrics import LOOKED_S

_IN_PROJECT = """
  JOIN attempt ON attempt.id = {table}.attempt
  JOIN session ON session.id = attempt.session AND session.kind <> 'imported'
    AND (:project = '' OR session.project = :project)
    AND ((:rehearsal = 1) = (session.rehearsal <> ''))"""

_ASKED = f"""
SELECT verdict.at, verdict.model, verdict.digest, verdict.rubric, verdict.unjudged <> '' AS unjudged
FROM verdict {_IN_PROJECT.format(table="verdict")}
WHERE verdict.model <> ''"""

_REVERTED = "coalesce(acceptance.reverted, '') <> ''"
_DECIDED = f"""
SELECT coalesce(
    (SELECT min(event.at) FROM event WHERE event.type = 'work_reverted' AND event.task = attempt.task), decision.at
  ) AS at, verdict.model, verdict.digest, verdict.rubric,
  {_REVERTED} AS reverted,
  ({_REVERTED} OR decision.kind <> 'approve' OR coalesce(decision.own_score < quality.threshold, 1 = 0)) AS bad
FROM decision {_IN_PROJECT.format(table="decision")}
  LEFT JOIN acceptance ON acceptance.attempt = attempt.id
  JOIN quality ON quality.attempt = attempt.id AND quality.passes AND quality.seq = (
    SELECT max(last.seq) FROM quality AS last WHERE last.attempt = attempt.id AND last.seq < decision.seq)
  JOIN verdict ON verdict.attempt = attempt.id AND verdict.seq = (
    SELECT max(last.seq) FROM verdict AS last WHERE last.attempt = attempt.id AND last.seq < decision.seq)
WHERE {_REVERTED} OR decision.by LIKE 'person%' AND (
  decision.own_score IS NOT NULL OR decision.kind <> 'approve'
  OR (NOT decision.override AND decision.open_s >= {LOOKED_S:g}))"""

_Judge = tuple[str, str, str]


def judge_records(
    connection: Connection,
    project: str = "",
    *,
    rehearsal: bool = False,
    limit: float = LIMIT,
    acknowledged: Sequence[float] = (),
) -> tuple[JudgeRecord, ...]:
    """Return the record of each judge of a project, or of all projects; the one that was asked last comes first.

    `acknowledged` are the times at which a person saw why authority was lost.
    """
    values = {"project": project, "rehearsal": int(rehearsal)}
    seen: dict[_Judge, list[tuple[float, Observation]]] = defaultdict(list)
    for at, judge, observation in (*_asked(connection, values), *_decided(connection, values)):
        seen[judge].append((at, observation))
    for items in seen.values():
        items.extend((at, Acknowledged()) for at in acknowledged)
    found = [_record(judge, sorted(items, key=lambda item: item[0]), limit) for judge, items in seen.items()]
    return tuple(sorted(found, key=lambda item: -item.last_at))


def _asked(connection: Connection, values: dict[str, Any]) -> Iterator[tuple[float, _Judge, Observation]]:
    for at, model, digest, rubric, unjudged in connection.execute(text(_ASKED), values):
        # a server that was never reached did not tell its digest: that is no fault of another judge
        yield float(at), (model, digest, rubric), Asked(unjudged=bool(unjudged))


def _decided(connection: Connection, values: dict[str, Any]) -> Iterator[tuple[float, _Judge, Observation]]:
    for at, model, digest, rubric, reverted, bad in connection.execute(text(_DECIDED), values):
        yield float(at), (model, digest, rubric), Decided(bad=bool(bad), reverted=bool(reverted))


def _record(judge: _Judge, items: list[tuple[float, Observation]], limit: float) -> JudgeRecord:
    model, digest, rubric = judge
    asked = [item for _, item in items if isinstance(item, Asked)]
    return JudgeRecord(
        model=model,
        digest=digest,
        rubric=rubric,
        record=record_of((item for _, item in items), limit),
        asked=len(asked),
        unjudged=sum(item.unjudged for item in asked),
        last_at=max(at for at, item in items if not isinstance(item, Acknowledged)),
    )
