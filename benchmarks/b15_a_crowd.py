"""No. 15: a hundred tasks at work at once: how quick the keys are, what it costs, how soon a killed Obra is back."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import Figure, arguments, median, percentile, report
from benchmarks.support_crowd import work_together


def main() -> None:
    """A few and many, one after the other; there is no peer that runs so many."""
    quick = arguments(__doc__ or "").quick
    many, seconds = (20, 5.0) if quick else (100, 30.0)
    few, crowd = work_together(2, seconds), work_together(many, seconds)
    p99 = percentile(crowd.key_ms, 0.99)
    report(
        Figure(
            name="15 a crowd",
            target="key to screen p99 <= 100 ms; <= 1.5 cores; <= 400 MB; reopened after a kill in <= 3 s",
            ours={
                "at_work": crowd.at_work,
                "key_p50_ms": round(median(crowd.key_ms), 1),
                "key_p99_ms": round(p99, 1),
                "cores": round(crowd.cores, 2),
                "own_mb": round(crowd.own_mb),
                "reopened_s": round(crowd.reopened_s, 2),
            },
            peer={
                "at_work": few.at_work,
                "key_p50_ms": round(median(few.key_ms), 1),
                "key_p99_ms": round(percentile(few.key_ms, 0.99), 1),
                "cores": round(few.cores, 2),
                "own_mb": round(few.own_mb),
            },
            ratio=round(median(crowd.key_ms) / median(few.key_ms), 2),
            met=p99 <= 100 and crowd.cores <= 1.5 and crowd.own_mb <= 400 and crowd.reopened_s <= 3,
            how=f"{crowd.at_work} scripted claudes, each in a copy, two events a second each, on the same cores; the"
            f" whole application in a pty, its own CPU and memory, letters typed for {seconds:.0f} s; then kill -9 and"
            " a start, imports included; against two tasks",
        )
    )


if __name__ == "__main__":
    main()
