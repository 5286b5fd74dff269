"""How far each source was imported: told by the last record of its session, so that it is as sure as the import."""

import json
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from obra_tui.core.events import ClaudeNoticed
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.model import SessionKind
from obra_tui.store import tables as t
from obra_tui.store.codec import decode
from obra_tui.store.target import target_of


class Imported(Struct, frozen=True, kw_only=True):
    """A session that was made from a source, and what to know to go on reading it."""

    session: SessionId
    task: TaskId
    attempt: AttemptId
    last_seq: int
    state: dict[str, Any]


def imported(target: str | Path, source: str) -> Imported | None:
    """Return what is known of the newest import of `source`, None if it was never imported."""
    database = target_of(target)
    engine = database.reader()
    newest = (
        select(t.session.c.id)
        .where(t.session.c.kind == SessionKind.IMPORTED.value, t.session.c.plan_source == source)
        .order_by(t.session.c.id.desc())
        .limit(1)
    )
    event = t.event.c
    notice = select(event.type, event.body, event.task, event.attempt).where(event.type == "claude_noticed")
    last = select(event.seq).order_by(event.seq.desc()).limit(1)
    try:
        with engine.connect() as connection:
            session = connection.scalar(newest)
            if session is None:
                return None
            row = connection.execute(notice.where(event.session == session).order_by(event.seq.desc()).limit(1)).first()
            last_seq = connection.scalar(last.where(event.session == session)) or 0
    except DBAPIError as error:
        raise database.plain(error) from error
    finally:
        engine.dispose()
    told = decode(row.type, row.body) if row is not None else None
    if row is None or not isinstance(told, ClaudeNoticed):
        return None
    return Imported(
        session=SessionId(session),
        task=TaskId(row.task),
        attempt=AttemptId(row.attempt),
        last_seq=int(last_seq),
        state=json.loads(told.raw_json or "{}"),
    )
