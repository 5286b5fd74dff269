"""The statements behind the lists: which rows, in which order, from where on."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, case, func, literal, or_, select, union_all

from obra_tui.core.model import SessionKind
from obra_tui.core.records.history import PageCursor, SessionSummary
from obra_tui.store import rows
from obra_tui.store import tables as t

_later = t.attempt.alias("later")

_ATTEMPTS = (
    select(
        t.attempt,
        t.task.c.key.label("task_key"),
        t.task.c.title.label("task_title"),
        t.task.c.state.label("task_state"),
        t.acceptance.c.commit,
        t.acceptance.c.reverted,
        select(func.max(t.gate.c.id))
        .where(t.gate.c.attempt == t.attempt.c.id, t.gate.c.closed_at.is_(None))
        .scalar_subquery()
        .label("waiting"),
    )
    .join(t.task, t.task.c.id == t.attempt.c.task)
    .join(t.session, t.session.c.id == t.attempt.c.session)
    .outerjoin(t.acceptance, t.acceptance.c.attempt == t.attempt.c.id)
)

OPEN_GATES = (
    select(
        t.gate,
        t.session.c.title.label("session_title"),
        t.session.c.project,
        t.task.c.key.label("task_key"),
        t.task.c.title.label("task_title"),
        t.attempt.c.number,
        t.attempt.c.score,
        t.attempt.c.passes,
    )
    .join(t.session, t.session.c.id == t.gate.c.session)
    .join(t.task, t.task.c.id == t.gate.c.task)
    .join(t.attempt, t.attempt.c.id == t.gate.c.attempt)
    .where(t.gate.c.closed_at.is_(None))
    .order_by(t.gate.c.opened_at, t.gate.c.id)
)

_is_last_scored = and_(
    t.attempt.c.score.is_not(None),
    ~select(_later.c.id)
    .where(_later.c.task == t.attempt.c.task, _later.c.number > t.attempt.c.number, _later.c.score.is_not(None))
    .exists(),
)


# --- conditions ----------------------------------------------------------------------------------


def contains(column: ColumnElement[str], part: str) -> ColumnElement[bool]:
    """Part of a text, whatever the case of letters."""
    return column.icontains(part, autoescape=True)


def _older(at: ColumnElement[float], own_id: ColumnElement[str], mark: PageCursor) -> ColumnElement[bool]:
    return or_(at < mark.at, and_(at == mark.at, own_id < mark.id))


# --- sessions ------------------------------------------------------------------------------------


def sessions(project: str, after: PageCursor | None, limit: int) -> Select[Any]:
    """Rows of `session`, newest first; of one project unless `project` is empty."""
    columns = t.session.c
    conditions = [columns.kind != SessionKind.PROBING.value]
    if project:
        conditions.append(columns.project == project)
    if after is not None:
        conditions.append(_older(columns.opened_at, columns.id, after))
    query = select(t.session).where(*conditions)
    return query.order_by(columns.opened_at.desc(), columns.id.desc()).limit(limit)


def summaries(connection: Connection, found: Sequence[Row[Any]]) -> tuple[SessionSummary, ...]:
    """Add to rows of `session` what is counted and summed up over their tasks, attempts and gates."""
    ids = [row.id for row in found]
    states = connection.execute(_states(ids)).all()
    totals = connection.execute(_totals(ids)).all()
    scores = connection.execute(_scores(ids)).all()
    waiting = connection.execute(_waiting(ids)).all()
    return rows.session_summaries(found, states, totals, scores, waiting)


def _states(ids: Sequence[str]) -> Select[Any]:
    """How many tasks are in each state, and of how many the work was taken back."""
    columns = (t.task.c.session, t.task.c.state)
    taken_back = func.sum(case((t.acceptance.c.reverted != "", 1), else_=0))
    query = select(*columns, func.count().label("tasks"), taken_back.label("reverted"))
    query = query.outerjoin(t.acceptance, t.acceptance.c.task == t.task.c.id)
    return query.where(t.task.c.session.in_(ids)).group_by(*columns)


def _totals(ids: Sequence[str]) -> Select[Any]:
    """What the attempts used, and what was booked on the session beside them."""
    parts = union_all(_usage_rows(t.attempt, 1, ids), _usage_rows(t.outside_usage, 0, ids)).subquery()
    sums = (func.sum(parts.c[name]).label(name) for name in ("attempts", *rows.USAGE))
    return select(parts.c.session, *sums).group_by(parts.c.session)


def _usage_rows(table: Table, attempts: int, ids: Sequence[str]) -> Select[Any]:
    columns = (table.c[name] for name in rows.USAGE)
    return select(table.c.session, literal(attempts).label("attempts"), *columns).where(table.c.session.in_(ids))


def _scores(ids: Sequence[str]) -> Select[Any]:
    query = select(t.attempt.c.session, func.avg(t.attempt.c.score).label("score"))
    return query.where(t.attempt.c.session.in_(ids), _is_last_scored).group_by(t.attempt.c.session)


def _waiting(ids: Sequence[str]) -> Select[Any]:
    query = select(t.gate.c.session, func.count().label("waiting"))
    return query.where(t.gate.c.session.in_(ids), t.gate.c.closed_at.is_(None)).group_by(t.gate.c.session)


def versions_of(session: str) -> Select[Any]:
    return (
        select(t.version.c.name, t.version.c.version).where(t.version.c.session == session).order_by(t.version.c.name)
    )


def tasks_of(session: str) -> Select[Any]:
    """Tasks of a session as `rows.task_summary` takes them."""
    of_task = t.attempt.c.task == t.task.c.id
    return (
        select(
            t.task,
            t.acceptance.c.commit,
            t.acceptance.c.reverted,
            select(func.count()).where(of_task).scalar_subquery().label("attempts"),
            select(t.attempt.c.score)
            .where(of_task, t.attempt.c.score.is_not(None))
            .order_by(t.attempt.c.number.desc())
            .limit(1)
            .scalar_subquery()
            .label("score"),
        )
        .outerjoin(t.acceptance, t.acceptance.c.task == t.task.c.id)
        .where(t.task.c.session == session)
        .order_by(t.task.c.position, t.task.c.id)
    )


# --- attempts ------------------------------------------------------------------------------------


def attempts(after: PageCursor | None, limit: int) -> Select[Any]:
    """Attempts of all sessions, newest first."""
    columns = t.attempt.c
    query = _ATTEMPTS if after is None else _ATTEMPTS.where(_older(columns.started_at, columns.id, after))
    return query.order_by(columns.started_at.desc(), columns.id.desc()).limit(limit)


def one_attempt(attempt: str) -> Select[Any]:
    return _ATTEMPTS.where(t.attempt.c.id == attempt)


def attempts_of_session(session: str) -> Select[Any]:
    return _ATTEMPTS.where(t.attempt.c.session == session).order_by(t.attempt.c.started_at, t.attempt.c.id)


def attempts_of_task(task: str) -> Select[Any]:
    return _ATTEMPTS.where(t.attempt.c.task == task).order_by(t.attempt.c.number)


def conversations_of(attempt: str) -> Select[Any]:
    return select(t.claude_session).where(t.claude_session.c.attempt == attempt).order_by(t.claude_session.c.seq)


def permissions_of(attempt: str) -> Select[Any]:
    return select(t.permission).where(t.permission.c.attempt == attempt).order_by(t.permission.c.seq)


def last_gate_of(attempt: str) -> Select[Any]:
    return select(t.gate).where(t.gate.c.attempt == attempt).order_by(t.gate.c.seq.desc()).limit(1)
