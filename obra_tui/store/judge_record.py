"""What became known of every judge, read from the tables: the observations that the ladder is folded from.

A judge is a version: model digest, template, rubric, prompt, schema and options together; each has a record of its own.
A pass is decided by a person who looked, by a score that was given before the judge's was shown, by an audit, or by a
revert or a fault that was found later; what was accepted against the gate, or within three seconds, decides nothing.
Imported sessions never count, rehearsals only among themselves.

The order is that of the journal, not of the clock: a clock that jumps must not put a revert before what it undid.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, text

from obra_tui.core.judging.authority import JudgeRecord
from obra_tui.core.judging.book import CaseBook
from obra_tui.core.judging.exam import Answers, answers_of
from obra_tui.core.judging.standing import (
    LIMIT,
    Acknowledged,
    Asked,
    Decided,
    Drifted,
    Examined,
    Level,
    Observation,
    record_of,
)
from obra_tui.core.model import Trial, Truth
from obra_tui.core.records.metrics import LOOKED_S
from obra_tui.store.judge_cases import case_book

_CLOCK_JUMP_S = 120.0
"""Writes of several sessions may be told out of order by moments; more than this is a clock that was set back."""

_IN_PROJECT = """
  JOIN attempt ON attempt.id = {table}.attempt
  JOIN session ON session.id = attempt.session AND session.kind NOT IN ('imported', 'probing')
    AND (:project = '' OR session.project = :project)
    AND ((:rehearsal = 1) = (session.rehearsal <> ''))
  JOIN event ON event.session = {table}.session AND event.seq = {table}.seq"""

_ASKED = f"""
SELECT event.id AS place, verdict.at, verdict.model, verdict.digest, verdict.rubric, verdict.version,
  verdict.unjudged <> '' AS unjudged, verdict.attempt
FROM verdict {_IN_PROJECT.format(table="verdict")}
WHERE verdict.model <> ''
ORDER BY event.id"""

_REVERTED = "coalesce(acceptance.reverted, '') <> ''"
_LOOKED = f"""decision.by LIKE 'person%' AND (
  decision.own_score IS NOT NULL OR decision.kind <> 'approve'
  OR (NOT decision.override AND decision.open_s >= {LOOKED_S:g}))"""
_DECIDED = f"""
SELECT CASE WHEN {_REVERTED} THEN coalesce((SELECT min(later.id) FROM event AS later
    WHERE later.session = decision.session AND later.type = 'work_reverted' AND later.task = attempt.task), event.id)
  ELSE event.id END AS place,
  decision.at, decision.attempt, verdict.version, quality.passes, quality.overall,
  {_REVERTED} AS reverted,
  ({_REVERTED} OR decision.kind <> 'approve' OR coalesce(decision.own_score < quality.threshold, 1 = 0)) AS bad,
  ({_REVERTED} OR {_LOOKED}) AS known
FROM decision {_IN_PROJECT.format(table="decision")}
  LEFT JOIN acceptance ON acceptance.attempt = attempt.id
  JOIN quality ON quality.attempt = attempt.id AND quality.seq = (
    SELECT max(last.seq) FROM quality AS last WHERE last.attempt = attempt.id AND last.seq < decision.seq)
  JOIN verdict ON verdict.attempt = attempt.id AND verdict.seq = (
    SELECT max(last.seq) FROM verdict AS last WHERE last.attempt = attempt.id AND last.seq < decision.seq)"""


class _Decision(Struct, frozen=True, kw_only=True):
    place: int
    attempt: str
    version: str
    passes: bool
    score: float
    reverted: bool
    bad: bool
    known: bool
    """Somebody found out what the work was worth."""


class _Judge(Struct, kw_only=True):
    """What is gathered of one version."""

    model: str = ""
    digest: str = ""
    rubric: str = ""
    seen: list[tuple[int, Observation]]
    trials: list[tuple[int, Trial]]
    curve: list[tuple[float, bool]]
    asked: int = 0
    unjudged: int = 0
    last_place: int = 0
    last_at: float = 0.0


def judge_records(
    connection: Connection,
    project: str = "",
    *,
    rehearsal: bool = False,
    limit: float = LIMIT,
    acknowledged: Sequence[float] = (),
) -> tuple[JudgeRecord, ...]:
    """Return the record of each judge of a project, or of all projects; the one that was asked last comes first.

    `acknowledged` are the times at which a person saw why authority was lost, as an earlier version noted them.
    """
    values = {"project": project, "rehearsal": int(rehearsal)}
    book = case_book(connection, project, rehearsal=rehearsal)
    judges: dict[str, _Judge] = defaultdict(lambda: _Judge(seen=[], trials=[], curve=[]))
    remark = _take_verdicts(connection, values, judges)
    decisions = tuple(_decisions(connection, values))
    _take_decisions(decisions, book, judges)
    for place, trial in book.trials:
        one = judges[trial.version]
        one.model, one.digest, one.rubric = trial.model, trial.digest, trial.rubric
        one.trials.append((place, trial))
        one.last_place = max(one.last_place, place)
    seen_by_person = [*book.acknowledged, *_places_of(connection, values, acknowledged)]
    share = _bad_share(decisions)
    found = [
        replace(
            _record(version, one, book, share, seen_by_person, limit, remark),
            told=book.told.get(version, int(Level.ADVISES)),
        )
        for version, one in judges.items()
        if one.model
    ]
    return tuple(sorted(found, key=lambda item: -item.last_place))


def _take_verdicts(connection: Connection, values: dict[str, Any], judges: dict[str, _Judge]) -> str:
    """Note who was asked; returns a remark where the clock went back."""
    latest, back = 0.0, 0.0
    for place, at, model, digest, rubric, version, unjudged, _ in connection.execute(text(_ASKED), values):
        one = judges[version or f"{model} {digest} {rubric}"]
        one.model, one.digest, one.rubric = model, digest, rubric
        # a server that was never reached did not tell its digest: that is no fault of another judge
        one.seen.append((int(place), Asked(unjudged=bool(unjudged))))
        one.asked, one.unjudged = one.asked + 1, one.unjudged + bool(unjudged)
        one.last_place, one.last_at = int(place), float(at)
        back, latest = max(back, latest - float(at)), max(latest, float(at))
    if back < _CLOCK_JUMP_S:
        return ""
    return f"the clock was set back by {back / 60:.0f} minutes in between: the order of the journal counts"


def _decisions(connection: Connection, values: dict[str, Any]) -> Iterator[_Decision]:
    for row in connection.execute(text(_DECIDED), values):
        yield _Decision(
            place=int(row.place),
            attempt=row.attempt,
            version=row.version,
            passes=bool(row.passes),
            score=float(row.overall),
            reverted=bool(row.reverted),
            bad=bool(row.bad),
            known=bool(row.known),
        )


def _take_decisions(decisions: Sequence[_Decision], book: CaseBook, judges: dict[str, _Judge]) -> None:
    """A label that says bad stands, whatever else is said of the same work; one that says good adds to the record."""
    last = {item.attempt: item for item in decisions}
    misses = {label.of: (place, label) for place, label in book.labels if label.truth is Truth.BAD}
    praised = {label.of: (place, label) for place, label in book.labels if label.truth is Truth.GOOD}
    for item in decisions:
        if item.known and item.attempt not in misses and item.version in judges:
            if item.passes:
                judges[item.version].seen.append((item.place, Decided(bad=item.bad, reverted=item.reverted)))
            judges[item.version].curve.append((item.score, not item.bad))
    for attempt, (place, label) in {**praised, **misses}.items():
        of = last.get(attempt)
        bad = label.truth is Truth.BAD
        if of is None or of.version not in judges or (of.known and not bad):
            continue
        judges[of.version].curve.append((of.score, not bad))
        if of.passes:
            # an audit only says that it was bad; a fault found in accepted work takes authority, as a revert does
            judges[of.version].seen.append((place, Decided(bad=bad, reverted=bad and not label.blind)))


def _bad_share(decisions: Sequence[_Decision]) -> tuple[int, int]:
    """Of the attempts whose worth is known, how many were bad."""
    known = [item for item in decisions if item.known]
    return sum(item.bad for item in known), len(known)


def _places_of(connection: Connection, values: dict[str, Any], times: Sequence[float]) -> Iterator[int]:
    """Where a time lies in the journal: after everything that had been decided by then."""
    for at in times:
        found = connection.execute(text("SELECT max(id) FROM event WHERE at <= :at"), {"at": at}).scalar()
        yield int(found or 0)


def _record(
    version: str,
    one: _Judge,
    book: CaseBook,
    share: tuple[int, int],
    acknowledged: Sequence[int],
    limit: float,
    remark: str,
) -> JudgeRecord:
    answers = answers_of(book.counting, [trial for _, trial in one.trials])
    seen = [*one.seen, *((place, Acknowledged()) for place in acknowledged)]
    if one.trials:
        seen.append((one.trials[-1][0], _examined(answers, share)))
    return JudgeRecord(
        version=version,
        model=one.model,
        digest=one.digest,
        rubric=one.rubric,
        record=record_of((item for _, item in sorted(seen, key=lambda item: item[0])), limit),
        answers=answers,
        curve=tuple(one.curve),
        asked=one.asked,
        unjudged=one.unjudged,
        last_at=one.last_at,
        last_place=one.last_place,
        remark=remark,
    )


def _examined(answers: Answers, share: tuple[int, int]) -> Observation:
    if answers.has_drifted:
        return Drifted(flips=answers.flips, repeats=answers.repeats)
    return Examined(exam=answers.exam, bad_share=share)
