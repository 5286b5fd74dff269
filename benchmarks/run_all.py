"""Runs the benchmarks one after another and writes docs/reports/benchmarks.md.

    python -m benchmarks                    all of them, some twenty minutes on a quiet machine
    python -m benchmarks --only 04 --only replay
    python -m benchmarks --quick            seconds each, for trying; writes no report

What a run of some of them does not measure anew stays in the report as it was.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import ast
import json
import os
import platform
import re
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version

from benchmarks.harness import ROOT
from benchmarks.support_history import FOLDER as FOLDER_OF_HISTORIES

FOLDER = Path(__file__).parent
REPORT = ROOT / "docs" / "reports" / "benchmarks.md"
FIGURES = ROOT / "docs" / "reports" / "benchmarks.json"
PATIENCE_S = 400.0
SHOWN_VERSIONS = ("textual", "sqlalchemy", "claude-agent-sdk", "pytest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The line that one program printed, or why it printed none."""

    program: str
    took_s: float
    line: Mapping[str, object]
    fault: str = ""


# -- running ---------------------------------------------------------------------------------------


def programs(only: Sequence[str]) -> list[Path]:
    """The programs in order of their numbers; those whose name holds one of the given words."""
    found = sorted(FOLDER.glob("b[0-9][0-9]_*.py"))
    return [path for path in found if not only or any(word in path.stem for word in only)]


def run(program: Path, histories: Path, *, quick: bool) -> Outcome:
    """Run one program to its end; a fault is an outcome, too."""
    command = [sys.executable, str(program), *(["--quick"] if quick else [])]
    began = time.perf_counter()
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            cwd=ROOT,
            env=os.environ | {FOLDER_OF_HISTORIES: str(histories)},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(program=program.stem, took_s=PATIENCE_S, line={}, fault=f"not done within {PATIENCE_S:.0f} s")
    took = round(time.perf_counter() - began, 1)
    try:
        return Outcome(program=program.stem, took_s=took, line=json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        words = done.stderr.strip().splitlines() or [f"ended with {done.returncode} and printed nothing"]
        return Outcome(program=program.stem, took_s=took, line={}, fault=words[-1])


def run_each(found: Sequence[Path], histories: Path, *, quick: bool) -> Iterator[Outcome]:
    """Run them in turn, each line shown as it comes; a history that one of them made serves the others."""
    for program in found:
        print(f"{program.stem} …", file=sys.stderr, flush=True)
        outcome = run(program, histories, quick=quick)
        print(outcome.fault or json.dumps(outcome.line, ensure_ascii=False), f" ({outcome.took_s:.0f} s)", flush=True)
        yield outcome


# -- the report ------------------------------------------------------------------------------------


def machine() -> Iterator[str]:
    """What the figures depend on, and nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield f"* {cores} cores, {memory:.0f} GiB of memory, {platform.system()} on {platform.machine()}"
    packages = ", ".join(f"{name} {version(name)}" for name in SHOWN_VERSIONS)
    yield f"* Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}"


def told(program: str) -> tuple[str, str, str]:
    """Number, what is measured and versus what, as the program's first line says it."""
    docstring = ast.get_docstring(ast.parse((FOLDER / f"{program}.py").read_text("utf-8"))) or program
    match = re.match(r"No\. (\d+): (.+), against (.+)\.$", docstring.splitlines()[0])
    return (match[1], match[2], match[3]) if match else (program[1:3], docstring.splitlines()[0], "")


def shown(value: object) -> str:
    """A figure as a cell of the table."""
    match value:
        case None:
            return "–"
        case dict():
            return ", ".join(f"{str(key).replace('_', ' ')} {item}" for key, item in value.items())
        case _:
            return str(value)


def cell(text: str) -> str:
    """Without what would end the cell, and without folders of this machine."""
    return text.replace(str(ROOT), ".").replace(str(Path.home()), "~").replace("|", "\\|").replace("\n", " ")


def row(outcome: Outcome) -> str:
    """One line of the table."""
    number, what, versus = told(outcome.program)
    line = outcome.line
    if outcome.fault:
        cells = [number, what, versus, f"failed: {outcome.fault}", "–", "–", "–", "no"]
    else:
        figures = [shown(line.get(name)) for name in ("ours", "peer", "ratio", "target")]
        cells = [number, what, versus, *figures, "yes" if line.get("met") else "no"]
    return "| " + " | ".join(cell(text) for text in cells) + " |"


def missed(outcome: Outcome) -> str:
    """A sentence about a target that was missed."""
    number, what, _ = told(outcome.program)
    if outcome.fault:
        return f"* **{number}** {what}: could not be measured ({cell(outcome.fault)})."
    line = outcome.line
    far = f"ratio {shown(line.get('ratio'))}, ours {shown(line.get('ours'))}, peer {shown(line.get('peer'))}"
    why = WHY.get(number, "")
    return cell(f"* **{number}** asked for: {line.get('target')}. Measured: {far}.{' ' + why if why else ''}")


WHY: dict[str, str] = {
    "1": "Seen means stored first: what comes is written as soon as it stops coming, and the screen draws at once what "
    "was written. Reading 300 events takes some 15 ms, storing them 20 to 30, drawing them 10; the peer stores none.",
    "2": "What comes is drawn ten times a second and written some 16 times a second, each time with a sync to the "
    "disk. Of 0.55 s of CPU in 10 s the frames take 0.22 (2.2 ms each), the writes some 0.12, reading and "
    "understanding what comes most of the rest. At 25 times the rate an event costs 0.2 ms, with the "
    "frames and writes that come more often then. What is the same at every rate has become cheaper, and so "
    "the growth, which is measured against it, has not. It differs much from run to run: 2.2 to 3.2 on one evening.",
    "3": "Every event is cleaned of secrets, becomes an event, a row or two of other tables and words of the search "
    "index, and is drawn, all in one process; by hand it is one row of one table. SQLite takes 13 us of CPU for a "
    "line, half of them for the index, in a thread beside the one that reads (decision 17); that one takes some 10, "
    "and the screen 4.",
    "5": "The program takes in the flood and answers keys in one process: a key waits for the lines that are being "
    "taken in and for the frame that is being painted, one after the other.",
    "6": "The tail is made by beats at which all four panes are laid out and painted while a key waits; the middle of "
    "the key presses is far below the target.",
    "8": "Beside Textual itself there are the guard of the terminal, the keys and the frame of the screen to load, "
    "and a frame of the whole screen to paint instead of one word.",
    "9": "A search opens a connection of its own, reads fifty whole records and marks the words in each; that is the"
    " same at every size. What grows is the part of the index that is read from the disk.",
}
"""Why a target is missed where it is, told when it is."""


def report(outcomes: Sequence[Outcome]) -> str:
    """The whole page."""
    misses = [missed(outcome) for outcome in outcomes if outcome.fault or not outcome.line.get("met")]
    parts = [
        "# Benchmarks",
        "",
        "Written by `make bench`. How each figure is taken: [guide](../guides/benchmarks.md).",
        "",
        "## Machine",
        "",
        *machine(),
        "",
        "## Figures",
        "",
        "| no. | what | versus | ours | peer | ratio | target | met |",
        "|---|---|---|---|---|---|---|---|",
        *(row(outcome) for outcome in outcomes),
        "",
        "## Missed",
        "",
        *(misses or ["Nothing."]),
        "",
        "## How each was taken",
        "",
        *(f"* **{told(outcome.program)[0]}** {how(outcome)}" for outcome in outcomes),
        "",
    ]
    return "\n".join(parts)


def how(outcome: Outcome) -> str:
    """How a figure was taken, and how long that took if it was the runner that looked at the clock."""
    took = f" ({outcome.took_s:.0f} s)" if outcome.took_s else ""
    return cell(shown(outcome.line.get("how"))) + took


def remembered() -> dict[str, Outcome]:
    """The figures of the last report, for what is not measured anew."""
    if not FIGURES.exists():
        return {}
    return {item["program"]: Outcome(**item) for item in json.loads(FIGURES.read_text("utf-8"))}


def write(outcomes: Sequence[Outcome]) -> None:
    """Write the figures and the page that is made of them."""
    known = remembered() | {outcome.program: outcome for outcome in outcomes}
    kept = [known[path.stem] for path in programs(()) if path.stem in known]
    FIGURES.write_text(json.dumps([asdict(outcome) for outcome in kept], indent=1, ensure_ascii=False) + "\n", "utf-8")
    REPORT.write_text(report(kept), "utf-8")


def main() -> int:
    """Run, show each line as it comes, write the report."""
    parser = argparse.ArgumentParser(description="Run the benchmarks one after another.")
    parser.add_argument("--quick", action="store_true", help="seconds each, for trying; writes no report")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="part of a name; may be repeated")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="obra-bench-") as histories:
        outcomes = list(run_each(programs(options.only), Path(histories), quick=options.quick))
    if outcomes and not options.quick:
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        write(outcomes)
        print(f"written: {REPORT.relative_to(ROOT)}", file=sys.stderr)
    return 1 if not outcomes or any(outcome.fault for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
