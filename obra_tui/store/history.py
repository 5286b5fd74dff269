"""Queries: what the engine rebuilds itself from, and what the screens show.

Connections are read-only and opened per call, so that the reader can be used from any thread, by any number of
programs, and never blocks the writer. Lists are paged by keyset: a page costs the same however deep it lies. A running
search can be cancelled from another thread when its line changes.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select
from sqlalchemy.exc import DBAPIError

from obra_tui.core.errors import StoreError, UnknownId
from obra_tui.core.events import GateOpened, Record, TaskAdded, TaskEdited
from obra_tui.core.ids import AttemptId, GateId, SessionId, TaskId
from obra_tui.core.judging.authority import JudgeRecord
from obra_tui.core.judging.book import CaseBook, PastWork
from obra_tui.core.judging.standing import LIMIT
from obra_tui.core.model import SessionKind, TaskSpec
from obra_tui.core.records.history import (
    AttemptDetail,
    AttemptSummary,
    GateDetail,
    GateSummary,
    IdKind,
    Page,
    PageCursor,
    SearchResult,
    SessionDetail,
    SessionSummary,
    StoredGate,
)
from obra_tui.core.records.metrics import MetricsReport, Scope
from obra_tui.core.records.search import Query
from obra_tui.store import judge_cases, judge_record, lists, metrics, rows
from obra_tui.store import tables as t
from obra_tui.store.codec import decode, storable
from obra_tui.store.labels import LABELS, Labels
from obra_tui.store.rows import DETAIL_TYPES, fold_attempt
from obra_tui.store.search.query import find, known_names
from obra_tui.store.target import target_of


class CancellableQueries:
    def __init__(self) -> None:
        self._lock = Lock()
        self._running: list[Any] = []

    @contextmanager
    def of(self, connection: Connection) -> Iterator[None]:
        """Let `stop` end what this connection does inside the block."""
        driver: Any = connection.connection.driver_connection
        with self._lock:
            self._running.append(driver)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(driver)

    def stop(self) -> None:
        """End all of them; each raises in its own thread. SQLite says `interrupt`, PostgreSQL `cancel`."""
        with self._lock:
            for driver in self._running:
                (getattr(driver, "interrupt", None) or driver.cancel)()


_RECORD = tuple(t.event.c[name] for name in ("seq", "at", "session", "task", "attempt", "type", "body"))
_ID_TABLES: dict[IdKind, Any] = {"session": t.session, "task": t.task, "attempt": t.attempt, "gate": t.gate}
_SHOWN_MATCHES = 5


class SqlHistory:
    """The ports `Ledger` and `History` on SQL. Raises `StoreError` when there is no database to read."""

    def __init__(self, target: str | Path, *, labels: Path | None = None) -> None:
        """`labels` is the file of pins and tags; without it, the one beside a database that is a file."""
        self._target = target_of(target)
        self._engine = self._target.reader()
        file = self._target.file
        beside = labels or (file.with_name(LABELS) if file is not None else None)
        self._labels = Labels(beside) if beside is not None else None
        self._finding = CancellableQueries()

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise self._target.plain(error) from error

    # --- Ledger

    def open_sessions(self, project: str = "") -> tuple[tuple[SessionId, SessionKind], ...]:
        """Those of one project, or all."""
        query = select(t.session.c.id, t.session.c.kind).where(t.session.c.closed_at.is_(None)).order_by(t.session.c.id)
        if project:
            query = query.where(t.session.c.project == project)
        with self._reading() as connection:
            return tuple((SessionId(row.id), SessionKind(row.kind)) for row in connection.execute(query))

    def session_records(self, session: SessionId, without: Collection[str] = ()) -> tuple[Record, ...]:
        """All records of a session but the streamed ones and those of these types, in order."""
        wanted = (t.event.c.session == session, ~t.event.c.streamed, t.event.c.type.not_in(without))
        query = select(*_RECORD).where(*wanted).order_by(t.event.c.seq)
        with self._reading() as connection:
            return _records(connection, query)

    def ended_records(self, types: Collection[str]) -> tuple[Record, ...]:
        """All records of these types in sessions that are closed, session by session."""
        closed = select(t.session.c.id).where(t.session.c.closed_at.is_not(None))
        wanted = (t.event.c.type.in_(types), ~t.event.c.streamed, t.event.c.session.in_(closed))
        query = select(*_RECORD).where(*wanted).order_by(t.event.c.session, t.event.c.seq)
        with self._reading() as connection:
            return _records(connection, query)

    # --- History: lists

    def sessions(self, after: PageCursor | None = None, limit: int = 50, *, project: str = "") -> Page[SessionSummary]:
        with self._reading() as connection:
            found = connection.execute(lists.sessions(project, after, limit + 1)).all()
            summaries = lists.summaries(connection, found[:limit])
        ends = [PageCursor(at=row.opened_at, id=row.id) for row in summaries[-1:] if len(found) > limit]
        return Page(rows=summaries, next=next(iter(ends), None))

    def attempts(self, after: PageCursor | None = None, limit: int = 50) -> Page[AttemptSummary]:
        with self._reading() as connection:
            found = connection.execute(lists.attempts(after, limit + 1)).all()
        summaries = tuple(map(rows.attempt_summary, found[:limit]))
        ends = [PageCursor(at=row.started_at, id=row.id) for row in summaries[-1:] if len(found) > limit]
        return Page(rows=summaries, next=next(iter(ends), None))

    def gates(self) -> tuple[GateSummary, ...]:
        """Gates that wait for a person, oldest first."""
        with self._reading() as connection:
            return tuple(map(rows.gate_summary, connection.execute(lists.OPEN_GATES)))

    def find(self, query: Query, after: PageCursor | None = None, limit: int = 50) -> Page[SearchResult]:
        """Answer a search line, newest first."""
        with self._reading() as connection, self._finding.of(connection):
            return find(connection, query, after, limit, self._labels)

    def stop_finding(self) -> None:
        """End the searches that are under way; from any thread."""
        self._finding.stop()

    def known_names(self) -> dict[str, tuple[str, ...]]:
        with self._reading() as connection:
            return known_names(connection, self._labels)

    def measure(self, scope: Scope) -> MetricsReport:
        with self._reading() as connection:
            return metrics.measure(connection, scope)

    def judge_records(
        self, project: str = "", *, rehearsal: bool = False, limit: float = LIMIT
    ) -> tuple[JudgeRecord, ...]:
        with self._reading() as connection:
            seen = self._labels.judge_acknowledgements(project) if self._labels else ()
            return judge_record.judge_records(connection, project, rehearsal=rehearsal, limit=limit, acknowledged=seen)

    def judge_book(self, project: str = "", *, rehearsal: bool = False) -> CaseBook:
        with self._reading() as connection:
            return judge_cases.case_book(connection, project, rehearsal=rehearsal)

    def judge_seconds(self, model: str) -> float | None:
        """How long a verdict of this model took lately, in the mean; None when it gave none."""
        with self._reading() as connection:
            return judge_cases.seconds_of(connection, model)

    def past_work(self, project: str = "", *, rehearsal: bool = False) -> tuple[PastWork, ...]:
        with self._reading() as connection:
            return judge_cases.past_work(connection, project, rehearsal=rehearsal)

    # --- History: details

    def session(self, session: SessionId) -> SessionDetail:
        with self._reading() as connection:
            row = self._one(connection, select(t.session).where(t.session.c.id == session), "session", session)
            (summary,) = lists.summaries(connection, [row])
            versions = connection.execute(lists.versions_of(session))
            tasks = connection.execute(lists.tasks_of(session))
            attempts = connection.execute(lists.attempts_of_session(session))
            return rows.session_detail(row, summary, versions, tasks, attempts)

    def attempt(self, attempt: AttemptId) -> AttemptDetail:
        with self._reading() as connection:
            return self._attempt(connection, attempt)

    def gate(self, gate: GateId) -> GateDetail:
        """A gate, open or answered, with all of its evidence."""
        with self._reading() as connection:
            row = self._one(connection, select(t.gate).where(t.gate.c.id == gate), "gate", gate)
            session = connection.execute(select(t.session).where(t.session.c.id == row.session)).one()
            attempt = self._attempt(connection, AttemptId(row.attempt))
            siblings = map(rows.attempt_summary, connection.execute(lists.attempts_of_task(row.task)))
            return GateDetail(
                gate=_gate_view(connection, row),
                session=lists.summaries(connection, [session])[0],
                attempt=attempt,
                earlier=tuple(other for other in siblings if other.number < attempt.summary.number),
            )

    def _attempt(self, connection: Connection, attempt: AttemptId) -> AttemptDetail:
        summary = rows.attempt_summary(self._one(connection, lists.one_attempt(attempt), "attempt", attempt))
        query = select(*_RECORD).where(
            t.event.c.attempt == attempt, ~t.event.c.streamed, t.event.c.type.in_(DETAIL_TYPES)
        )
        gate = connection.execute(lists.last_gate_of(attempt)).first()
        return fold_attempt(
            AttemptDetail(
                summary=summary,
                spec=_spec(connection, summary.task),
                conversations=tuple(map(rows.conversation, connection.execute(lists.conversations_of(attempt)))),
                permissions=tuple(map(rows.permission, connection.execute(lists.permissions_of(attempt)))),
                gate=None if gate is None else _gate_view(connection, gate),
            ),
            _records(connection, query.order_by(t.event.c.seq)),
        )

    # --- History: records

    def records(self, session: SessionId, after: int = 0, limit: int = 500) -> tuple[Record, ...]:
        """The records that follow number `after`, streamed ones included, in order."""
        query = select(*_RECORD).where(t.event.c.session == session, t.event.c.seq > after)
        with self._reading() as connection:
            return _records(connection, query.order_by(t.event.c.seq).limit(limit))

    def attempt_records(self, attempt: AttemptId, after: int = 0, limit: int = 500) -> tuple[Record, ...]:
        """Records of one attempt without the streamed ones, in order."""
        query = select(*_RECORD).where(t.event.c.attempt == attempt, ~t.event.c.streamed, t.event.c.seq > after)
        with self._reading() as connection:
            return _records(connection, query.order_by(t.event.c.seq).limit(limit))

    def last_seq(self, session: SessionId) -> int:
        query = select(func.coalesce(func.max(t.event.c.seq), 0)).where(t.event.c.session == session)
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    # --- ids

    def resolve(self, prefix: str, *kinds: IdKind) -> tuple[IdKind, str]:
        """Return the one id that begins with `prefix`; raises `UnknownId` when there is none or more than one."""
        wanted = kinds or tuple(_ID_TABLES)
        found: list[tuple[IdKind, str]] = []
        with self._reading() as connection:
            for kind in wanted:
                ids = connection.scalars(_beginning_with(_ID_TABLES[kind], storable(prefix.strip().lower())))
                found += [(kind, found_id) for found_id in ids]
        exact = [match for match in found if match[1] == prefix]
        if len(exact or found) != 1:
            raise _not_one(prefix, wanted, found)
        return (exact or found)[0]

    def _one(self, connection: Connection, query: Select[Any], kind: str, wanted: str) -> Row[Any]:
        row = connection.execute(query).first()
        if row is None:
            raise UnknownId(
                f"There is no {kind} {wanted}.", where=self._target.name, fix="List them with `obra history`."
            )
        return row


def record_of(row: Row[Any]) -> Record:
    """Return the record of a row of `event`."""
    return Record(
        seq=row.seq,
        at=row.at,
        session=SessionId(row.session),
        task=None if row.task is None else TaskId(row.task),
        attempt=None if row.attempt is None else AttemptId(row.attempt),
        event=decode(row.type, row.body),
    )


def _records(connection: Connection, query: Select[Any]) -> tuple[Record, ...]:
    return tuple(map(record_of, connection.execute(query)))


def _record_at(connection: Connection, session: str, seq: int) -> Record:
    query = select(*_RECORD).where(t.event.c.session == session, t.event.c.seq == seq)
    return record_of(connection.execute(query).one())


def _gate_view(connection: Connection, row: Row[Any]) -> StoredGate:
    event = _opening(_record_at(connection, row.session, row.seq))
    return StoredGate(
        id=event.gate,
        binding=event.binding,
        reasons=event.reasons,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )


def _opening(record: Record) -> GateOpened:
    if not isinstance(record.event, GateOpened):
        raise StoreError(f"Record {record.seq} of session {record.session} is not the opening of a gate.")
    return record.event


def _spec(connection: Connection, task: TaskId) -> TaskSpec:
    row = connection.execute(select(t.task.c.session, t.task.c.seq).where(t.task.c.id == task)).one()
    event = _record_at(connection, row.session, row.seq).event
    if not isinstance(event, TaskAdded | TaskEdited):
        raise StoreError(f"Record {row.seq} of session {row.session} does not say what task {task} is.")
    return event.spec


def _beginning_with(table: Any, prefix: str) -> Select[Any]:
    query = select(table.c.id).where(table.c.id.startswith(prefix, autoescape=True))
    return query.order_by(table.c.id.desc()).limit(_SHOWN_MATCHES + 1)


def _not_one(prefix: str, kinds: Sequence[IdKind], found: list[tuple[IdKind, str]]) -> UnknownId:
    if not found:
        names = " or ".join(kinds)
        return UnknownId(f"No {names} has an id that begins with '{prefix}'.", fix="List them with `obra history`.")
    shown = ", ".join(match for _, match in found[:_SHOWN_MATCHES])
    more = ", …" if len(found) > _SHOWN_MATCHES else ""
    return UnknownId(f"'{prefix}' could be more than one: {shown}{more}.", fix="Give more of the id.")
