"""No. 1: a burst of events from a scripted claude until the last one is seen and stored, against claude-conductor."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import Figure, alternated, arguments, median, median_ratio, report
from benchmarks.support_watch import Unavailable, Watched, install_conductor, watch_conductor, watch_obra

EVENTS = 300
SMALL = 3_000


def main() -> None:
    """Both in turn, or ours alone when the peer cannot be installed."""
    quick = arguments(__doc__ or "").quick
    pairs, events, large = (1, 60, 9_000) if quick else (5, EVENTS, 30_000)
    big, small = alternated(1, lambda: watch_obra(large), lambda: watch_obra(SMALL))
    growth = median_ratio([run.seconds for run in big], [run.seconds for run in small]) * SMALL / large
    try:
        program = install_conductor()
    except Unavailable as error:
        _report([watch_obra(events) for _ in range(pairs)], [], growth, f"{error}; ours alone, {events} events")
        return
    mine, theirs = alternated(pairs, lambda: watch_obra(events), lambda: watch_conductor(program, events))
    how = f"{events} events at once, {pairs} alternated pairs; each application whole, in a pty, its task selected"
    _report(mine, theirs, growth, f"{how}; growth {SMALL:,} to {large:,} events")


def _report(mine: list[Watched], theirs: list[Watched], growth: float, how: str) -> None:
    ratio = median_ratio([run.seconds for run in mine], [run.seconds for run in theirs]) if theirs else None
    report(
        Figure(
            name="01 supervised replay",
            target="seen and stored <= 1/200 of claude-conductor's seen; an event <= 1.5x from 3k to 30k or 100k",
            ours={**numbers(mine), "growth_per_event": round(growth, 2)},
            peer=numbers(theirs) if theirs else None,
            ratio=None if ratio is None else round(ratio, 5),
            met=ratio is not None and ratio <= 1 / 200 and growth <= 1.5,
            how=how,
        )
    )


def numbers(runs: list[Watched]) -> dict[str, float]:
    """Medians of seconds and CPU."""
    return {
        "seconds": round(median([run.seconds for run in runs]), 3),
        "cpu_s": round(median([run.cpu for run in runs]), 2),
    }


if __name__ == "__main__":
    main()
