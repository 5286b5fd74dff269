"""No. 2: the CPU of watching a scripted claude that works at a real pace, against claude-conductor."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import Figure, alternated, arguments, median, median_ratio, report
from benchmarks.support_watch import Unavailable, Watched, install_conductor, watch_conductor, watch_obra

PACE = 20.0
FASTER = 25


def main() -> None:
    """Both in turn, or ours alone when the peer cannot be installed."""
    quick = arguments(__doc__ or "").quick
    pairs, seconds, growths, short = (1, 4, 1, 2) if quick else (5, 10, 5, 4)

    def ours(pace: float = PACE, time: int = seconds) -> Watched:
        # A frame is one line; every second event is followed by its result.
        return watch_obra(int(pace * time), pace * 1.5)

    fast, slow = alternated(growths, lambda: ours(PACE * FASTER, short), lambda: ours(PACE, short))
    growth = median_ratio([run.cpu for run in fast], [run.cpu for run in slow])
    try:
        program = install_conductor()
    except Unavailable as error:
        _report([ours() for _ in range(pairs)], [], growth, f"{error}; ours alone")
        return
    mine, theirs = alternated(pairs, ours, lambda: watch_conductor(program, int(PACE * seconds), PACE * 1.5))
    how = f"{PACE:.0f} events/s for {seconds} s, {pairs} alternated pairs, in a pty, the task selected"
    _report(mine, theirs, growth, f"{how}; growth over {short} s each")


def _report(mine: list[Watched], theirs: list[Watched], growth: float, how: str) -> None:
    ratio = median_ratio([run.cpu for run in mine], [run.cpu for run in theirs]) if theirs else None
    report(
        Figure(
            name="02 supervised cpu",
            target="CPU <= 1/10 of claude-conductor's; 25x the rate <= 2.5x the CPU",
            ours={"cpu_s": round(median([run.cpu for run in mine]), 2), "cpu_500_over_20_per_s": round(growth, 2)},
            peer={"cpu_s": round(median([run.cpu for run in theirs]), 2)} if theirs else None,
            ratio=None if ratio is None else round(ratio, 3),
            met=ratio is not None and ratio <= 1 / 10 and growth <= 2.5,
            how=how,
        )
    )


if __name__ == "__main__":
    main()
