"""No. 7: appends of 32 characters to a Markdown answer of 100,000, against Textual's Markdown.append."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import json
import tempfile
from typing import Any

from benchmarks.harness import (
    Figure,
    Terminal,
    alternated,
    arguments,
    median,
    median_ratio,
    percentile,
    python_app,
    report,
)


def answer(kind: str, size: int, appends: int) -> dict[str, Any]:
    """CPU milliseconds of each append with its frame, and the memory the text took."""
    with tempfile.NamedTemporaryFile(prefix="bench-", suffix=".json") as file:
        args = ["--size", str(size), "--appends", str(appends), "--report", file.name]
        with Terminal(python_app(kind, *args)) as terminal:
            terminal.watch("READY")
            terminal.wait("READY", 60)
            terminal.watch("DONE")
            terminal.type("s")
            terminal.wait("DONE", 300)
        found: dict[str, Any] = json.loads(Path(file.name).read_text())
        return found


def main() -> None:
    """Both in turn; then ours with a short and a long answer."""
    quick = arguments(__doc__ or "").quick
    pairs, size, appends = (2, 30_000, 20) if quick else (5, 100_000, 20)
    ours, peer = alternated(
        pairs, lambda: answer("ours-answer", size, appends), lambda: answer("stock-answer", size, appends)
    )
    long, short = alternated(
        2 if quick else 3, lambda: answer("ours-answer", 200_000, 60), lambda: answer("ours-answer", 2_000, 60)
    )
    ratio = median_ratio([median(run["costs"]) for run in ours], [median(run["costs"]) for run in peer])
    tail = median_ratio([percentile(r["costs"], 0.95) for r in ours], [percentile(r["costs"], 0.95) for r in peer])
    size_ratio = median_ratio([run["memory_mb"] for run in ours], [run["memory_mb"] for run in peer])
    growth = median_ratio([median(run["costs"]) for run in long], [median(run["costs"]) for run in short])
    report(
        Figure(
            name="07 long answer",
            target="p50 <= 1/25, p95 <= 1/60 of Markdown.append at 100k; 200k/2k <= 1.3x; memory <= 1/10",
            ours=_summary(ours) | {"growth_200k_over_2k": round(growth, 2)},
            peer=_summary(peer),
            ratio=round(ratio, 4),
            met=ratio <= 1 / 25 and tail <= 1 / 60 and growth <= 1.3 and size_ratio <= 0.1,
            how=f"{pairs} alternated pairs, {appends} appends at 30 frames/s to {size:,} characters in a pty, CPU each;"
            f" p95 ratio {tail:.4f}, memory ratio {size_ratio:.3f}",
        )
    )


def _summary(runs: list[dict[str, Any]]) -> dict[str, float]:
    costs = [cost for run in runs for cost in run["costs"]]
    return {
        "p50_ms": round(median(costs), 2),
        "p95_ms": round(percentile(costs, 0.95), 2),
        "memory_mb": round(median([run["memory_mb"] for run in runs]), 1),
    }


if __name__ == "__main__":
    main()
