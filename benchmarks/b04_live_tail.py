"""No. 4: following a growing file at a thousand lines a second, against toolong 1.5.0."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

from benchmarks.harness import (
    Figure,
    Terminal,
    alternated,
    arguments,
    cpu_seconds,
    environment,
    median,
    median_ratio,
    percentile,
    python_app,
    report,
)

TOOLONG = "toolong==1.5.0"
MARK_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Tail:
    """One run: CPU seconds, and milliseconds from writing a marked line to seeing it."""

    cpu: float
    waits: list[float]
    missed: int
    """Marks that were never painted: at a thousand lines a second a screenful of 34 rows comes and goes in 34 ms, so
    where a frame is late by a millisecond or two a line is above the pane before it. At 700 lines a second none is."""


def install_toolong() -> Path:
    """The peer in an environment of its own, kept between runs; raises when it cannot be installed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "obra-benchmarks" / "toolong-1.5.0"
    program = cache / "bin" / "tl"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(cache)], check=True, capture_output=True)
        install = [str(cache / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", TOOLONG]
        subprocess.run(install, check=True, capture_output=True, timeout=180, env={**os.environ, **environment()})
    return program


class Writer:
    """Appends lines at a rate; now and then one with a mark whose time is noted."""

    def __init__(self, path: Path, rate: int) -> None:
        self._path, self._rate = path, rate
        self.marks: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def start(self, terminal: Terminal) -> None:
        """Begin; the terminal watches for every mark."""
        self._terminal = terminal
        self._thread.start()

    def stop(self) -> None:
        """No more lines."""
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        began = time.perf_counter()
        sent, marked = 0, 0
        with self._path.open("a", buffering=1 << 16) as file:
            while not self._stop.is_set():
                now = time.perf_counter() - began
                due = int(now * self._rate)
                if due > sent:
                    file.writelines(
                        f"{n:08d} INFO worker handled request {n * 7919 % 1000003:07d}\n" for n in range(sent, due)
                    )
                    sent = due
                if now >= marked * MARK_EVERY:
                    marked += 1
                    self._mark(f"MARK{marked:05d}")
                    file.write(f"MARK{marked:05d}\n")
                file.flush()
                time.sleep(0.002)

    def _mark(self, token: str) -> None:
        self._terminal.watch(token)
        self.marks[token] = time.perf_counter()


def tail(command: list[str], path: Path, rate: int, seconds: float, ready: str, begin: str) -> Tail:
    """Follow the file for a while."""
    path.write_text("first line\n" * 50)
    with Terminal(command) as terminal:
        terminal.watch(ready)
        terminal.wait(ready, 60)
        time.sleep(0.5)
        if begin:
            terminal.type(begin)
            time.sleep(0.3)
        writer = Writer(path, rate)
        before = cpu_seconds(terminal.pid)
        writer.start(terminal)
        time.sleep(seconds)
        writer.stop()
        cpu = cpu_seconds(terminal.pid) - before
        time.sleep(0.5)
        seen = {token: terminal.seen(token) for token in writer.marks}
    waits = [(when - writer.marks[token]) * 1000 for token, when in seen.items() if when]
    return Tail(cpu, waits, sum(not when for when in seen.values()))


def main() -> None:
    """Both in turn, or ours alone when the peer cannot be installed."""
    quick = arguments(__doc__ or "").quick
    pairs, seconds = (1, 3.0) if quick else (5, 5.0)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "growing.log"
        ours_command = python_app("ours-tail", "--file", str(path))

        def ours(rate: int = 1000) -> Tail:
            return tail(ours_command, path, rate, seconds, "READY", "s")

        fast, slow = alternated(1 if quick else 3, lambda: ours(100_000), ours)
        growth = median_ratio([run.cpu for run in fast], [run.cpu for run in slow])
        try:
            program = install_toolong()
        except (subprocess.SubprocessError, OSError) as error:
            _report_alone([ours() for _ in range(pairs)], growth, seconds, error)
            return
        mine, theirs = alternated(
            pairs, ours, lambda: tail([str(program), str(path)], path, 1000, seconds, "first line", "")
        )
    _report_both(mine, theirs, growth, pairs, seconds)


def _numbers(runs: list[Tail]) -> dict[str, float]:
    waits = [wait for run in runs for wait in run.waits]
    return {
        "cpu_s": round(median([run.cpu for run in runs]), 2),
        "p50_ms": round(median(waits), 1),
        "p95_ms": round(percentile(waits, 0.95), 1),
        "marks": len(waits),
        "missed": sum(run.missed for run in runs),
    }


def _report_both(mine: list[Tail], theirs: list[Tail], growth: float, pairs: int, seconds: float) -> None:
    ratio = median_ratio([run.cpu for run in mine], [run.cpu for run in theirs])
    ours = _numbers(mine) | {"cpu_100k_over_1k": round(growth, 2)}
    report(
        Figure(
            name="04 live tail",
            target="CPU <= 1/8 of toolong, p95 <= 40 ms; 100k lines/s <= 2.5x the CPU of 1k",
            ours=ours,
            peer=_numbers(theirs),
            ratio=round(ratio, 3),
            met=ratio <= 1 / 8 and ours["p95_ms"] <= 40 and growth <= 2.5,
            how=f"{pairs} alternated pairs of {seconds:.0f} s at 1,000 lines/s in a pty; marks every 0.2 s",
        )
    )


def _report_alone(runs: list[Tail], growth: float, seconds: float, error: Exception) -> None:
    report(
        Figure(
            name="04 live tail",
            target="CPU <= 1/8 of toolong, p95 <= 40 ms; 100k lines/s <= 2.5x the CPU of 1k",
            ours=_numbers(runs) | {"cpu_100k_over_1k": round(growth, 2)},
            peer=None,
            ratio=None,
            met=False,
            how=f"toolong could not be installed ({type(error).__name__}); ours alone for {seconds:.0f} s",
        )
    )


if __name__ == "__main__":
    main()
