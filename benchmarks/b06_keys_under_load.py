"""No. 6: key presses while four panes get a thousand lines a second each, against stock RichLog with one pane."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import time

from benchmarks.harness import (
    Figure,
    Terminal,
    alternated,
    arguments,
    median,
    median_ratio,
    percentile,
    press_keys,
    python_app,
    report,
)

KEY_EVERY = 0.06
HELD = 1_000_000


def keys_of(seconds: float, *args: str) -> list[float]:
    """Milliseconds from each key press to its effect on screen."""
    with Terminal(python_app(*args)) as terminal:
        terminal.watch("READY")
        terminal.wait("READY", 120)
        terminal.watch("GOING")
        terminal.type("s")
        terminal.wait("GOING", 20)
        time.sleep(0.5)
        end = time.perf_counter() + seconds
        return press_keys(terminal, lambda: time.perf_counter() > end, KEY_EVERY)


def main() -> None:
    """Both in turn; then ours with a thousand and with a million lines held."""
    quick = arguments(__doc__ or "").quick
    pairs, seconds = (2, 2.0) if quick else (5, 4.0)
    ours, peer = alternated(
        pairs,
        lambda: keys_of(seconds, "ours-panes", "--panes", "4", "--rate", "1000"),
        lambda: keys_of(seconds, "stock-panes", "--panes", "1", "--rate", "1000"),
    )
    many, few = alternated(
        2 if quick else 3,
        lambda: keys_of(seconds, "ours-panes", "--preload", str(HELD), "--cap", str(HELD * 2)),
        lambda: keys_of(seconds, "ours-panes", "--preload", "1000", "--cap", str(HELD * 2)),
    )
    mine = [wait for run in ours for wait in run]
    theirs = [wait for run in peer for wait in run]
    ratio = median_ratio([percentile(run, 0.95) for run in ours], [percentile(run, 0.95) for run in peer])
    growth = median_ratio([median(run) for run in many], [median(run) for run in few])
    p95, p99 = percentile(mine, 0.95), percentile(mine, 0.99)
    report(
        Figure(
            name="06 keys under load",
            target="p95 <= 40 ms, p99 <= 50 ms, p95 <= 1/4 of RichLog; a million lines held <= 1.1x a thousand",
            ours={
                "p50_ms": round(median(mine), 1),
                "p95_ms": round(p95, 1),
                "p99_ms": round(p99, 1),
                "keys": len(mine),
                "growth_1M_over_1k": round(growth, 2),
            },
            peer={
                "p50_ms": round(median(theirs), 1),
                "p95_ms": round(percentile(theirs, 0.95), 1),
                "p99_ms": round(percentile(theirs, 0.99), 1),
                "keys": len(theirs),
            },
            ratio=round(ratio, 3),
            met=p95 <= 40 and p99 <= 50 and ratio <= 0.25 and growth <= 1.1,
            how=f"{pairs} alternated pairs of {seconds:.0f} s in a pty;"
            " ours 4 panes x 1,000 lines/s, RichLog 1 pane with stock settings",
        )
    )


if __name__ == "__main__":
    main()
