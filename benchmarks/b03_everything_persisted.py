"""No. 3: a hundred thousand events through the whole application until they are committed, against raw SQLite.

And what a kill in the middle costs: how old the oldest event is that came and is not stored.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import random

from benchmarks.harness import Figure, alternated, arguments, median, median_ratio, report
from benchmarks.support_persist import kill_obra, persist_by_hand, persist_with_obra

EVENTS, SMALL = 100_000, 10_000


def main() -> None:
    """Both in turn, the smaller size for the growth, then kills at random instants."""
    quick = arguments(__doc__ or "").quick
    pairs, events, small, kills = (1, 10_000, 2_000, 2) if quick else (5, EVENTS, SMALL, 10)
    mine, theirs = alternated(pairs, lambda: persist_with_obra(events), lambda: persist_by_hand(events))
    fewer = [persist_with_obra(small) for _ in range(pairs)]
    chance = random.Random(3)
    lost = [kill_obra(chance.uniform(0.5, 2.5)) for _ in range(kills)]
    seconds, floor = [run.seconds for run in mine], [run.seconds for run in theirs]
    ratio = median_ratio(seconds, floor)
    growth = median(seconds) / median([run.seconds for run in fewer]) * small / events
    grown = median([run.grown_mb for run in mine])
    report(
        Figure(
            name="03 everything persisted",
            target="<= 2.5x raw SQLite; an event <= 1.2x from 10k to 100k; + <= 30 MB; a kill loses <= 50 ms",
            ours={
                "seconds": round(median(seconds), 2),
                "growth_per_event": round(growth, 2),
                "grown_mb": round(grown, 1),
                "lost_ms_median": round(median(lost), 1),
                "lost_ms_most": round(max(lost), 1),
            },
            peer={"seconds": round(median(floor), 2)},
            ratio=round(ratio, 2),
            met=ratio <= 2.5 and growth <= 1.2 and grown <= 30 and max(lost) <= 50,
            how=f"{events:,} events at once from a scripted claude into a pipe, {pairs} alternated pairs; Obra whole,"
            " in a pty, its task on screen, commits with synchronous=FULL, search index and tables included; by hand:"
            " pipe, json.loads, one table of sqlite3 with FULL, a commit every 50 ms, no screen and no index."
            f" {kills} kills -9 at random instants of 1,000 events/s: the age of the oldest one lost",
        )
    )


if __name__ == "__main__":
    main()
