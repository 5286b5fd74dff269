"""No. 9: find in the history: the search line against SQLite's own index asked directly, and how both grow."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import resource
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial

from benchmarks.b08_first_paint import obra
from benchmarks.harness import Figure, alternated, arguments, median, median_ratio, percentile, report
from benchmarks.support_history import WORDS, shared_history
from benchmarks.support_watch import with_home

LINES = ("parser", "soc", '"cache socket"', "retry -margin", "ledger session:s00000", "un", "pa", "p")
RAW = """
    SELECT event.id, session, attempt, seq, at, type, body FROM search JOIN event ON event.id = search.rowid
    WHERE search MATCH ? ORDER BY search.rowid DESC LIMIT 50"""


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1_000


def measure(folder: Path, events: int, pairs: int) -> dict[str, float]:
    """Key to results in the app, and memory while paging through a common word."""
    from obra_tui.core.records.search import parse
    from obra_tui.store.history import SqlHistory

    database = shared_history(folder, events=events, sessions=of_size(events))
    history = SqlHistory(database)
    raw = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    every: list[float] = []

    def find(line: str) -> float:
        took = timed(lambda: history.find(parse(line, time.time()), None, 50))
        every.append(took)
        return took

    def peer(word: str) -> float:
        return timed(lambda: raw.execute(RAW, (f'"{word}" *',)).fetchall())

    find("parser"), peer("parser")
    mine, theirs = alternated(pairs, lambda: find("parser"), lambda: peer("parser"))
    for line in (*LINES, *WORDS[:10]):
        find(line)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mark, pages = None, 0
    while pages < 50:
        page = history.find(parse("parser", time.time()), mark, 100)
        mark, pages = page.next, pages + 1
        if mark is None:
            break
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1_024
    history.close()
    raw.close()
    return {
        "find_ms": round(median(mine), 2),
        "raw_ms": round(median(theirs), 2),
        "over_raw": round(median_ratio(mine, theirs), 2),
        "p95_ms": round(percentile(every, 0.95), 1),
        "paging_grew_mb": round(grown, 1),
    }


def growth(folder: Path, large: int, small: int, pairs: int) -> float:
    """How many times as long the large history takes for the same common word, asked in turn."""
    from obra_tui.core.records.search import parse
    from obra_tui.store.history import SqlHistory

    histories = [SqlHistory(shared_history(folder, events=size, sessions=of_size(size))) for size in (large, small)]

    def ask(history: SqlHistory) -> float:
        return timed(lambda: history.find(parse("parser", time.time()), None, 50))

    ways = [partial(ask, history) for history in histories]
    for way in ways:
        way()
    ratio = median_ratio(*alternated(pairs, *ways))
    for history in histories:
        history.close()
    return ratio


def of_size(events: int) -> int:
    """How many sessions a history of so many events has."""
    return max(20, events // 500)


def whole_process(folder: Path, events: int, runs: int) -> float:
    """Seconds of `obra search parser`, start of the process included."""
    home = shared_history(folder, events=events, sessions=of_size(events)).parent.parent
    (home / "tmp").mkdir(exist_ok=True)
    command = with_home(home, *obra(), "search", "parser")
    return median(
        [timed(lambda: subprocess.run(command, capture_output=True, check=True)) / 1_000 for _ in range(runs)]
    )


def main() -> None:
    """The same at two or three sizes; how the time grows is part of the figure."""
    quick = arguments(__doc__ or "").quick
    sizes = (10_000, 50_000) if quick else (10_000, 100_000, 1_000_000)
    with tempfile.TemporaryDirectory(prefix="obra-bench-") as name:
        found = {size: measure(Path(name), size, 7 if quick else 15) for size in sizes}
        process = whole_process(Path(name), sizes[-1], 3 if quick else 5)
        grown = growth(Path(name), sizes[-1], sizes[0], 7 if quick else 15)
    largest = found[sizes[-1]]
    report(
        Figure(
            name="09 find in history",
            target="in the app p95 <= 50 ms; largest <= 2x smallest for newest-first words; memory flat while paging",
            ours={"by_events": found, "largest_over_smallest": round(grown, 2), "whole_process_s": round(process, 2)},
            peer={"raw_fts5_ms": largest["raw_ms"]},
            ratio=largest["over_raw"],
            met=largest["p95_ms"] <= 50 and grown <= 2.0,
            how=f"a search line to 50 answers with snippets, newest first, {sizes[-1]:,} events; peer: the same words "
            "asked of FTS5 by sqlite3, rows as tuples",
        )
    )


if __name__ == "__main__":
    main()
