"""No. 5: a million lines while keys are pressed, against `cat` of the same bytes in the same terminal."""

from __future__ import annotations

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import (
    Figure,
    alternated,
    arguments,
    log_file,
    median,
    median_ratio,
    percentile,
    press_keys,
    python_app,
    report,
    tmux,
)

LINES, QUICK_LINES = 1_000_000, 200_000
KEY_EVERY = 0.04


def cat(path: Path, lines: int) -> float:
    """Lines a second until the last one is painted."""
    with tmux(f"sh -c 'read _; cat {path}; echo; echo DO\"\"NE; read _'") as terminal:
        time.sleep(0.5)
        terminal.watch("DONE")
        began = terminal.type("\r")
        return lines / (terminal.wait("DONE", 120) - began)


def flood(path: Path, lines: int, keys: list[float]) -> float:
    """The same through a feed into a pane, with keys pressed all the time."""
    with tmux(" ".join(python_app("ours-flood", "--file", str(path)))) as terminal:
        terminal.watch("READY")
        terminal.wait("READY", 60)
        terminal.watch("DONE")
        began = terminal.type("s")
        keys.extend(press_keys(terminal, lambda: bool(terminal.seen("DONE")), KEY_EVERY))
        return lines / (terminal.wait("DONE", 120) - began)


def main() -> None:
    """Both in turn."""
    quick = arguments(__doc__ or "").quick
    lines, pairs = (QUICK_LINES, 2) if quick else (LINES, 5)
    keys: list[float] = []
    with log_file(lines) as path:
        ours, peer = alternated(pairs, lambda: flood(path, lines, keys), lambda: cat(path, lines))
    ratio = median_ratio(ours, peer)
    p95, p99 = percentile(keys, 0.95), percentile(keys, 0.99)
    report(
        Figure(
            name="05 flood",
            target=">= 1.0x cat in tmux, key p95 <= 40 ms, p99 <= 50 ms",
            ours={
                "lines_per_s": round(median(ours)),
                "key_p95_ms": round(p95, 1),
                "key_p99_ms": round(p99, 1),
                "keys": len(keys),
            },
            peer={"lines_per_s": round(median(peer))},
            ratio=round(ratio, 2),
            met=ratio >= 1.0 and p95 <= 40 and p99 <= 50,
            how=f"{lines:,} lines, {pairs} alternated pairs, attached tmux, a key every {KEY_EVERY * 1000:.0f} ms",
        )
    )


if __name__ == "__main__":
    main()
