"""No. 8: from the command to the first paint on a project with a long history, against a minimal Textual app."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tempfile

from benchmarks.harness import Figure, Terminal, alternated, arguments, median, median_ratio, report
from benchmarks.support_history import write_history
from benchmarks.support_watch import make_repository, with_home

MINIMAL = Path(__file__).with_name("support_minimal.py")
LAST_TITLE = "validator"
"""Stands in the frame of the second pane; a frame is painted as one."""


def first_paint(command: list[str], token: str) -> float:
    """Seconds from the start of the process until its first screen stood."""
    with Terminal(command) as terminal:
        terminal.watch(token)
        return terminal.wait(token, 30) - terminal.started


def obra() -> list[str]:
    """The command as it is installed, or as a module."""
    script = Path(sys.executable).with_name("obra")
    return [str(script)] if script.exists() else [sys.executable, "-m", "obra_tui"]


def main() -> None:
    """Ours with the long history and with none, and the minimal app, in turn."""
    quick = arguments(__doc__ or "").quick
    pairs, events = (3, 20_000) if quick else (9, 200_000)
    with tempfile.TemporaryDirectory(prefix="obra-bench-") as name:
        home = Path(name)
        for folder in ("tmp", "empty/tmp"):
            (home / folder).mkdir(parents=True)
        project = home / "project"
        make_repository(project)
        write_history(home / "data" / "obra.db", project, events=events, sessions=events // 100)
        long = with_home(home, *obra(), "--project", str(project))
        none = with_home(home / "empty", *obra(), "--project", str(project))
        minimal = with_home(home, sys.executable, str(MINIMAL))
        first_paint(long, LAST_TITLE)
        first_paint(minimal, "MINIMAL")
        mine, theirs = alternated(pairs, lambda: first_paint(long, LAST_TITLE), lambda: first_paint(minimal, "MINIMAL"))
        again, empty = alternated(
            3 if quick else 5, lambda: first_paint(long, LAST_TITLE), lambda: first_paint(none, LAST_TITLE)
        )
    ratio, growth = median_ratio(mine, theirs), median_ratio(again, empty)
    report(
        Figure(
            name="08 first paint",
            target="<= 1.15x a minimal Textual app; a long history <= 1.1x none",
            ours={"seconds": round(median(mine), 3), "long_over_no_history": round(growth, 2)},
            peer={"seconds": round(median(theirs), 3)},
            ratio=round(ratio, 2),
            met=ratio <= 1.15 and growth <= 1.1,
            how=f"`obra` in a pty on {events:,} events in {events // 100:,} sessions, {pairs} alternated pairs,"
            " files warm",
        )
    )


if __name__ == "__main__":
    main()
