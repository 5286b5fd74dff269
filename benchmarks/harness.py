"""Measuring from outside: programs in a pseudo terminal, their bytes with times, their CPU, their memory.

A benchmark runs ours and a peer (or the physical limit) in alternation and prints one JSON line. Nothing here
asserts anything: a figure is a figure.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
COLUMNS, ROWS = 120, 36

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One result, as it is printed."""

    name: str
    target: str
    ours: object
    peer: object
    ratio: float | None
    met: bool
    how: str


def arguments(description: str) -> argparse.Namespace:
    """Every benchmark takes `--quick`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="fewer pairs and less data: seconds instead of minutes")
    return parser.parse_args()


def report(figure: Figure) -> None:
    """Print the one line."""
    print(json.dumps(asdict(figure), ensure_ascii=False), flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share does not exceed."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values) if values else float("nan")


def alternated(pairs: int, ours: Callable[[], T], peer: Callable[[], T]) -> tuple[list[T], list[T]]:
    """Run both in turn, beginning with each as often as the other."""
    mine: list[T] = []
    theirs: list[T] = []
    for number in range(pairs):
        for which in ((ours, peer), (peer, ours))[number % 2]:
            (mine if which is ours else theirs).append(which())
    return mine, theirs


def median_ratio(mine: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of pairs."""
    return median([a / b for a, b in zip(mine, theirs, strict=True) if b])


# -- processes -------------------------------------------------------------------------------------


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far: to the nanosecond where the kernel counts it, else in clock ticks."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
    except OSError:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6


def environment(**more: str) -> dict[str, str]:
    """What a measured program sees of ours: no colour switches, a known terminal."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    return {**keep, **terminal, "TEXTUAL_ANIMATIONS": "none", **more}


class Terminal:
    """A program in a pseudo terminal; its output is read all the time and kept with the time it came."""

    def __init__(self, command: Sequence[str], *, columns: int = COLUMNS, rows: int = ROWS, cwd: Path = ROOT) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._master = master
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=environment(), start_new_session=True
        )
        os.close(slave)
        self.pid = self.process.pid
        self.bytes = 0
        self._tail = b""
        self._watched: dict[bytes, float] = {}
        self._condition = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        while self._open:
            ready, _, _ = select.select([self._master], [], [], 0.2)
            if not ready:
                continue
            try:
                data = os.read(self._master, 65536)
            except OSError:
                break
            if not data:
                break
            self._take(data, time.perf_counter())
        with self._condition:
            self._open = False
            self._condition.notify_all()

    def _take(self, data: bytes, now: float) -> None:
        with self._condition:
            self.bytes += len(data)
            text = self._tail + data
            for token, seen in self._watched.items():
                if not seen and token in text:
                    self._watched[token] = now
            self._tail = text[-200:]
            self._condition.notify_all()

    def watch(self, token: str) -> None:
        """Note the time when this text first appears from now on."""
        with self._condition:
            self._watched[token.encode()] = 0.0

    def seen(self, token: str) -> float:
        """When a watched text appeared; 0 when it did not yet."""
        with self._condition:
            return self._watched.get(token.encode(), 0.0)

    def wait(self, token: str, timeout: float = 60.0) -> float:
        """Wait for a watched text; the time when it appeared."""
        end = time.perf_counter() + timeout
        raw = token.encode()
        with self._condition:
            while not self._watched[raw]:
                left = end - time.perf_counter()
                if left <= 0 or not self._open:
                    raise TimeoutError(f"{token!r} did not appear within {timeout:.0f} s")
                self._condition.wait(left)
            return self._watched[raw]

    def type(self, keys: str) -> float:
        """Press keys; returns the time just before."""
        now = time.perf_counter()
        os.write(self._master, keys.encode())
        return now

    def close(self) -> None:
        """End the program and everything it started in its session."""
        self._open = False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        self._thread.join(2)
        with contextlib.suppress(OSError):
            os.close(self._master)


def python_app(*args: str) -> list[str]:
    """The command of the measured application in `benchmarks/panes.py`."""
    return [sys.executable, "-m", "benchmarks.panes", *args]


def press_keys(
    terminal: Terminal, until: Callable[[], bool], every: float, start: int = 1, lost: float = 3.0
) -> list[float]:
    """Press `x` again and again; milliseconds until the counter on screen shows each press."""
    waits: list[float] = []
    number = start
    while not until():
        token = f"K{number:05d}"
        terminal.watch(token)
        pressed = terminal.type("x")
        try:
            waits.append((terminal.wait(token, lost) - pressed) * 1000)
        except TimeoutError:
            waits.append(lost * 1000)
        number += 1
        rest = every - (time.perf_counter() - pressed)
        if rest > 0:
            time.sleep(rest)
    return waits


# -- tmux ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def tmux(command: str) -> Iterator[Terminal]:
    """A command in an attached tmux of its own; what the attached client paints is what is seen."""
    socket = f"bench-{os.getpid()}-{time.monotonic_ns()}"
    base = ["tmux", "-L", socket, "-f", "/dev/null"]
    size = ["-x", str(COLUMNS), "-y", str(ROWS)]
    subprocess.run(
        [
            *base,
            "new-session",
            "-d",
            *size,
            command,
            ";",
            "set",
            "-g",
            "status",
            "off",
            ";",
            "set",
            "-s",
            "escape-time",
            "0",
        ],
        check=True,
        env=environment(),
        cwd=ROOT,
    )
    terminal = Terminal([*base, "attach"])
    try:
        yield terminal
    finally:
        subprocess.run([*base, "kill-server"], check=False, env=environment(), capture_output=True)
        terminal.close()


@contextlib.contextmanager
def log_file(lines: int) -> Iterator[Path]:
    """A file of numbered lines, about 69 bytes each, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "lines.log"
        with path.open("w") as file:
            for start in range(0, lines, 10_000):
                end = min(lines, start + 10_000)
                file.writelines(
                    f"{n:08d} INFO worker handled request {n * 7919 % 1000003:07d} in {n % 97:02d} milliseconds\n"
                    for n in range(start, end)
                )
        yield path
