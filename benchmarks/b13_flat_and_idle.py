"""Flat and idle: memory from ten thousand to a million lines shown, and CPU when nothing happens."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import json
import tempfile
import time

from benchmarks.harness import (
    Figure,
    Terminal,
    alternated,
    arguments,
    cpu_seconds,
    median,
    python_app,
    report,
)


def grown_mb(kind: str, lines: int) -> float:
    """Megabytes between the first ten thousand lines and the last."""
    with tempfile.NamedTemporaryFile(prefix="bench-", suffix=".json") as file:
        with Terminal(python_app(kind, "--lines", str(lines), "--report", file.name)) as terminal:
            terminal.watch("READY")
            terminal.wait("READY", 60)
            terminal.watch("DONE")
            terminal.type("s")
            terminal.wait("DONE", 300)
        grown: float = json.loads(Path(file.name).read_text())["grown_mb"]
        return grown


def idle_percent(seconds: float, *args: str) -> float:
    """Share of one core while nothing happens."""
    with Terminal(python_app(*args)) as terminal:
        terminal.watch("READY")
        terminal.wait("READY", 60)
        time.sleep(1.0)
        before = cpu_seconds(terminal.pid)
        time.sleep(seconds)
        return (cpu_seconds(terminal.pid) - before) / seconds * 100


def main() -> None:
    """Both in turn."""
    quick = arguments(__doc__ or "").quick
    pairs, lines, stock_lines, seconds = (1, 200_000, 14_000, 3.0) if quick else (5, 1_000_000, 20_000, 8.0)
    ours, peer = alternated(
        pairs, lambda: grown_mb("ours-growth", lines), lambda: grown_mb("stock-growth", stock_lines)
    )
    idle, bare = alternated(
        pairs, lambda: idle_percent(seconds, "ours-panes", "--panes", "4"), lambda: idle_percent(seconds, "bare")
    )
    per_100k = median(peer) / (stock_lines - 10_000) * 100_000
    report(
        Figure(
            name="13 flat and idle",
            target="memory <= 5 MB from 10k to 1M lines; idle CPU <= 0.4 %",
            ours={"grown_mb": round(median(ours), 2), "idle_percent": round(median(idle), 2)},
            peer={"richlog_mb_per_100k": round(per_100k, 1), "bare_app_idle_percent": round(median(bare), 2)},
            ratio=None,
            met=median(ours) <= 5 and median(idle) <= 0.4,
            how=f"{pairs} alternated runs; ours 10k to {lines:,} lines, RichLog 10k to {stock_lines:,} (slow);"
            f" idle for {seconds:.0f} s with 4 panes",
        )
    )


if __name__ == "__main__":
    main()
