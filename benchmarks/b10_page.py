"""No. 10: a page of 100 records, at any depth of a session and of the whole history, against raw sqlite3 keyset."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import sqlite3
import tempfile
import time
from collections.abc import Callable

from benchmarks.harness import Figure, alternated, arguments, median, median_ratio, report
from benchmarks.support_history import shared_history

PAGE = 100
RAW = "SELECT seq, at, session, task, attempt, type, body FROM event WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?"


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1_000


def measure(folder: Path, events: int, sessions: int, pairs: int) -> dict[str, float]:
    """Pages of one database: first and deepest of a session, sessions list at both ends."""
    from sqlalchemy import select

    from obra_tui.core.ids import SessionId
    from obra_tui.core.records.history import PageCursor
    from obra_tui.store import tables as t
    from obra_tui.store.database import reader_engine
    from obra_tui.store.history import SqlHistory

    database = shared_history(folder, events=events, sessions=sessions)
    history = SqlHistory(database)
    raw = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    session, deep = SessionId("s000000001"), events // sessions - PAGE

    def ours(after: int) -> Callable[[], float]:
        return lambda: timed(lambda: history.records(session, after, PAGE))

    def peer() -> float:
        return timed(lambda: raw.execute(RAW, (session, deep, PAGE)).fetchall())

    core = reader_engine(database).connect()
    columns = [t.event.c[column] for column in ("seq", "at", "session", "task", "attempt", "type", "body")]
    query = select(*columns).where(t.event.c.session == session, t.event.c.seq > deep)
    query = query.order_by(t.event.c.seq).limit(PAGE)

    def by_core() -> float:
        return timed(lambda: core.execute(query).all())

    last = history.sessions(None, 1).rows[0]
    oldest = PageCursor(at=last.opened_at - (sessions - 200) * 3_600, id="s")
    for warm in (ours(0), ours(deep), peer, by_core):
        warm()
    mine, theirs = alternated(pairs, by_core, peer)
    whole, _ = alternated(pairs, ours(deep), peer)
    first, deepest = alternated(pairs, ours(0), ours(deep))
    newest, far = alternated(
        pairs,
        lambda: timed(lambda: history.sessions(None, 50)),
        lambda: timed(lambda: history.sessions(oldest, 50)),
    )
    history.close()
    core.close()
    raw.close()
    return {
        "whole_page_ms": round(median(whole), 3),
        "rows_ms": round(median(mine), 3),
        "raw_ms": round(median(theirs), 3),
        "over_raw": round(median_ratio(mine, theirs), 2),
        "deepest_over_first": round(median_ratio(deepest, first), 2),
        "sessions_ms": round(median(newest), 3),
        "oldest_over_newest_sessions": round(median_ratio(far, newest), 2),
    }


def main() -> None:
    """The same at two or three sizes; how the time grows is the figure."""
    quick = arguments(__doc__ or "").quick
    sizes = (10_000, 50_000) if quick else (10_000, 100_000, 1_000_000)
    with tempfile.TemporaryDirectory(prefix="obra-bench-") as name:
        found = {size: measure(Path(name), size, max(20, size // 500), 7 if quick else 15) for size in sizes}
    largest, smallest = found[sizes[-1]], found[sizes[0]]
    growth = largest["rows_ms"] / smallest["rows_ms"]
    report(
        Figure(
            name="10 open any page",
            target="<= 1.6x raw sqlite3; deepest <= 1.2x first; largest <= 1.3x smallest",
            ours={"by_events": found, "largest_over_smallest": round(growth, 2)},
            peer={"raw_ms": largest["raw_ms"]},
            ratio=largest["over_raw"],
            met=largest["over_raw"] <= 1.6 and largest["deepest_over_first"] <= 1.2 and growth <= 1.3,
            how=f"100 rows at the end of a session of 500, {sizes[-1]:,} events, by SQLAlchemy Core against sqlite3, "
            "both on an open connection; whole_page_ms adds a connection of its own and the decoding of every record",
        )
    )


if __name__ == "__main__":
    main()
