"""A search line as SQL: clauses narrow the attempts, words ask the full-text index.

Newest first and paged by keyset, as everywhere. What a clause asks for is
written once, in `_CLAUSES`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, false, func, not_, or_, select

from obra_tui.core.ids import SessionId
from obra_tui.core.lifecycle import WORKING
from obra_tui.core.model import SessionKind
from obra_tui.core.records.history import AttemptSummary, Page, PageCursor, SearchResult
from obra_tui.core.records.search import Clause, Query
from obra_tui.store import lists, metrics, rows
from obra_tui.store import tables as t
from obra_tui.store.codec import storable
from obra_tui.store.labels import PINNED, Labels
from obra_tui.store.search import index
from obra_tui.store.search.words import Terms, terms_of

_A, _S, _T = t.attempt.c, t.session.c, t.task.c
_taken_in = t.acceptance.alias("taken_in")
_SESSION = (
    t.session.c.title.label("session_title"),
    t.session.c.kind.label("session_kind"),
    t.session.c.rehearsal.label("session_rehearsal"),
)
_NAMES = 200
"""Names of a kind that are offered for completion: the newest ones."""

Condition = ColumnElement[bool]


def find(
    connection: Connection, query: Query, after: PageCursor | None, limit: int, labels: Labels | None
) -> Page[SearchResult]:
    """Return one page of answers."""
    if query.wanted:
        return _hits(connection, query, after, limit, labels)
    return _attempts(connection, query, after, limit, labels)


# --- attempts ------------------------------------------------------------------------------------


def _attempts(
    connection: Connection, query: Query, after: PageCursor | None, limit: int, labels: Labels | None
) -> Page[SearchResult]:
    statement = lists.attempts(after, limit + 1).add_columns(*_SESSION)
    statement = statement.where(*_conditions(query, labels, _A.started_at))
    unwanted = terms_of([word for word in query.words if word.unwanted], wanted=True)
    if unwanted.wanted:
        statement = statement.where(*(~_A.id.in_(_holding(connection, word)) for word in unwanted.wanted))
    found = connection.execute(statement).all()
    ends = [PageCursor(at=row.started_at, id=row.id) for row in found[limit - 1 : limit] if len(found) > limit]
    return Page(rows=tuple(map(_found, found[:limit])), next=next(iter(ends), None))


def _found(row: Any) -> SearchResult:
    return SearchResult(
        at=row.started_at,
        session=SessionId(row.session),
        session_title=row.session_title,
        kind=SessionKind(row.session_kind),
        rehearsal=row.session_rehearsal,
        attempt=rows.attempt_summary(row),
    )


def _holding(connection: Connection, word: str) -> Select[Any]:
    """The attempts with a record that holds the word."""
    query = select(t.event.c.attempt).where(t.event.c.attempt.is_not(None))
    product = index.product(connection)
    if not product:
        return query.where(lists.contains(t.event.c.body, word))
    indexed = index.rows_of_index()
    match = index.matching(Terms((word,), (), frozenset()), product)
    return query.join(indexed, indexed.c.rowid == t.event.c.id).where(match)


# --- records with words --------------------------------------------------------------------------


def _hits(
    connection: Connection, query: Query, after: PageCursor | None, limit: int, labels: Labels | None
) -> Page[SearchResult]:
    product = index.product(connection)
    terms = terms_of(query.words)
    if product == "sqlite":
        terms = index.expand_prefixes(connection, terms)
    statement = index.query(terms, after, limit + 1, indexed=product)
    conditions = list(_conditions(query, labels, t.event.c.at))
    if conditions:
        inner = any(clause.field not in _OF_SESSION for clause in query.clauses)
        join = statement.join if inner else statement.outerjoin
        statement = join(t.attempt, t.attempt.c.id == t.event.c.attempt).where(*conditions)
    found = connection.execute(statement.add_columns(*_SESSION[1:])).all()
    attempts = _summaries(connection, {row.attempt for row in found if row.attempt is not None})
    ends = [PageCursor(at=row.at, id=str(row.id)) for row in found[limit - 1 : limit] if len(found) > limit]
    return Page(rows=tuple(_hit(row, terms, attempts) for row in found[:limit]), next=next(iter(ends), None))


def _hit(row: Any, terms: Terms, attempts: Mapping[str, AttemptSummary]) -> SearchResult:
    return SearchResult(
        at=row.at,
        session=SessionId(row.session),
        session_title=row.session_title,
        kind=SessionKind(row.session_kind),
        rehearsal=row.session_rehearsal,
        attempt=attempts.get(row.attempt or ""),
        hit=index.hit(row, terms),
    )


def _summaries(connection: Connection, ids: set[str]) -> dict[str, AttemptSummary]:
    if not ids:
        return {}
    query = lists.attempts(None, len(ids)).where(_A.id.in_(ids))
    return {row.id: rows.attempt_summary(row) for row in connection.execute(query)}


# --- clauses -------------------------------------------------------------------------------------

_OF_SESSION = frozenset({"project", "session", "tag", "since", "until"})
"""Clauses that a record without an attempt can satisfy too."""


def _conditions(query: Query, labels: Labels | None, at: ColumnElement[float]) -> Iterator[Condition]:
    for clause in query.clauses:
        condition = _condition(clause, labels, at)
        # Unknown is no: `-score:<80` also lists what has no score.
        known = func.coalesce(condition, false())
        yield not_(known) if clause.unwanted else known


def _condition(clause: Clause, labels: Labels | None, at: ColumnElement[float]) -> Condition:
    match clause.field:
        case "since":
            return at >= clause.number
        case "until":
            return at < clause.number
        case "tag":
            return _S.id.in_(labels.having(clause.text) if labels else ())
        case "is" if clause.text == PINNED:
            return _S.id.in_(labels.having(PINNED) if labels else ())
        case field:
            return _CLAUSES[field](clause)


def _is(clause: Clause) -> Condition:
    match clause.text:
        case "open":
            return _S.closed_at.is_(None)
        case "closed":
            return _S.closed_at.is_not(None)
        case "waiting":
            return select(t.gate.c.id).where(t.gate.c.attempt == _A.id, t.gate.c.closed_at.is_(None)).exists()
        case "accepted" | "merged":
            return select(_taken_in.c.task).where(_taken_in.c.attempt == _A.id).exists()
        case "reverted":
            taken_back = (_taken_in.c.attempt == _A.id, _taken_in.c.reverted != "")
            return select(_taken_in.c.task).where(*taken_back).exists()
        case "running":
            return _A.ended_at.is_(None) & _T.state.in_([state.value for state in WORKING])
        case "rehearsal":
            return _S.rehearsal != ""
        case "imported":
            return _S.kind == SessionKind.IMPORTED.value
        case "unjudged":
            return _unjudged(clause)
        case "overridden":
            return select(t.decision.c.seq).where(t.decision.c.attempt == _A.id, t.decision.c.override).exists()
        case state:
            return _T.state == state


def _unjudged(_: Clause) -> Condition:
    return select(t.verdict.c.seq).where(t.verdict.c.attempt == _A.id, t.verdict.c.unjudged != "").exists()


def _verdict(clause: Clause) -> Condition:
    match clause.text:
        case "pass":
            return _A.passes
        case "fail":
            return ~_A.passes
        case "retry" | "ask":
            return _A.gate_decision == clause.text
        case "approved":
            return _A.decision == "approve"
        case "rejected":
            return _A.decision == "reject"
        case "unjudged":
            return _unjudged(clause)
        case "none":
            return _A.score.is_(None)
        case kind:
            return _A.decision == kind


_WHO = {"you": "person", "auto": "policy", "human": "person"}
_STATUS = {"pass": "passed", "fail": "failed", "timeout": "timed_out", "broken": "broken"}
_COMPARED: Mapping[str, Callable[[Any, float], Condition]] = {
    "=": lambda column, number: func.abs(column - number) < 0.005,
    "<": lambda column, number: column < number,
    "<=": lambda column, number: column <= number,
    ">": lambda column, number: column > number,
    ">=": lambda column, number: column >= number,
}


def _number(column: ColumnElement[Any]) -> Callable[[Clause], Condition]:
    return lambda clause: _COMPARED[clause.operator](column, clause.number or 0.0)


def _check(clause: Clause) -> Condition:
    found = select(t.check_result.c.seq).where(
        t.check_result.c.attempt == _A.id, _has(t.check_result.c.name, clause.text)
    )
    if clause.state:
        found = found.where(t.check_result.c.status == _STATUS[clause.state])
    return found.exists()


def _has(column: ColumnElement[str], part: str) -> Condition:
    return lists.contains(column, storable(part))


def _named(column: ColumnElement[str], clause: Clause) -> Condition:
    return column == storable(clause.text) if clause.whole else _has(column, clause.text)


def _rubric(clause: Clause) -> Condition:
    return select(t.verdict.c.seq).where(t.verdict.c.attempt == _A.id, _named(t.verdict.c.rubric, clause)).exists()


_CLAUSES: Mapping[str, Callable[[Clause], Condition]] = {
    "is": _is,
    "verdict": _verdict,
    "check": _check,
    "score": _number(_A.score),
    "cost": _number(_A.cost_usd),
    "attempts": _number(_A.number),
    "task": lambda c: or_(_has(_T.title, c.text), _has(_T.key, c.text), _has(_S.title, c.text), _T.id == c.text),
    "by": lambda c: _has(_A.decided_by, _WHO.get(c.text.lower(), c.text)),
    "model": lambda c: or_(_named(_A.claude_model, c), _named(_A.judge_model, c)),
    "figure": lambda c: _A.id.in_(metrics.cases(c.text, hits=bool(c.state))),
    "policy": lambda c: _named(_S.policy, c),
    "rubric": _rubric,
    "file": lambda c: (
        select(t.file_change.c.seq).where(t.file_change.c.attempt == _A.id, _has(t.file_change.c.path, c.text)).exists()
    ),
    "project": lambda c: _named(_S.project, c),
    "session": lambda c: _S.id.startswith(storable(c.text.lower()), autoescape=True),
}


# --- completing ----------------------------------------------------------------------------------


def known_names(connection: Connection, labels: Labels | None) -> dict[str, tuple[str, ...]]:
    """Return names that occur in the newest rows, by field."""
    newest = select(_A.claude_model, _A.judge_model).order_by(_A.started_at.desc()).limit(_NAMES)
    models = {name for row in connection.execute(newest) for name in row if name}
    return {
        "model": tuple(sorted(models)),
        "project": _distinct(connection, _S.project, _S.opened_at),
        "task": _distinct(connection, _T.key, _T.changed_at),
        "check": _distinct(connection, t.check_result.c.name, t.check_result.c.at),
        "file": _distinct(connection, t.file_change.c.path, t.file_change.c.seq),
        "tag": labels.names() if labels else (),
    }


def _distinct(connection: Connection, name: ColumnElement[str], order: ColumnElement[Any]) -> tuple[str, ...]:
    newest = select(name).order_by(order.desc()).limit(_NAMES)
    return tuple(sorted({found for found in connection.scalars(newest) if found}))
