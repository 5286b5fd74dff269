"""No. 18: the web view: a page, news after the journal's commit, and what twenty open pages cost during a run."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import contextlib
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator

import httpx
import psutil

from benchmarks.harness import ROOT, Figure, arguments, median, percentile, report

PAGES = 20
SESSIONS = 40
LINES = 400
PAGE_MS, NEWS_MS, CORES = 150.0, 300.0, 0.3


def written(data: Path) -> tuple[object, object]:
    """Make a history with gates that wait; returns the journal and the writer of a session that goes on."""
    from msgspec.structs import replace

    from obra_tui.core import events as e
    from obra_tui.store.journal import SqlJournal
    from tests.store.story import DIFF, Writer

    body = "".join(f"+def function_{number}(value): return value * {number}\n" for number in range(LINES))
    head = "diff --git a/calculator.py b/calculator.py\n--- /dev/null\n+++ b/calculator.py\n"
    diff = replace(DIFF, patch=f"{head}@@ -0,0 +1,{LINES} @@\n{body}")
    journal = SqlJournal(data / "obra.db")
    for number in range(SESSIONS):
        writer = Writer(f"s{number:03}", start=1_700_000_000.0 + number * 1_000)
        writer.opened()
        writer.task_added(f"t{number}")
        binding = writer.worked(f"t{number}", f"a{number}")
        writer.gate_opened(f"t{number}", f"a{number}", f"g{number}", binding)
        writer.records[:] = [
            replace(record, event=e.DiffTaken(diff=diff)) if isinstance(record.event, e.DiffTaken) else record
            for record in writer.records
        ]
        if number < SESSIONS - 5:
            writer.closed()
        journal.append(writer.records)
    live = Writer("s999", start=time.time())
    live.opened()
    live.task_added("t999")
    journal.append(live.records)
    return journal, live


@contextlib.contextmanager
def served(home: Path, data: Path) -> Iterator[tuple[psutil.Process, str, dict[str, str]]]:
    """Start `obra web` and pair; returns the process, its address and the cookie."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "OBRA_DATA_DIR": str(data), "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "obra_tui", "web", "--port", "0"]
    with subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("It is good for"):
                break
        found, link = re.search(r"served at (\S+)", said), re.search(r"code=(\S+)", said)
        assert found, said
        assert link, said
        url = found[1]
        answer = httpx.post(f"{url}/pair", data={"code": link[1], "name": "b18"}, headers={"origin": url})
        try:
            yield psutil.Process(process.pid), url, dict(answer.cookies)
        finally:
            process.terminate()


def page_ms(client: httpx.Client, path: str, times: int) -> float:
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        assert client.get(path).status_code == 200
        took.append((time.perf_counter() - begun) * 1_000)
    return median(took)


class OpenPage(threading.Thread):
    """A browser with a page open: hears of news and takes its page anew when it is told to."""

    def __init__(self, url: str, cookies: dict[str, str], *, reloads: bool) -> None:
        super().__init__(daemon=True)
        self._client = httpx.Client(base_url=url, cookies=cookies, timeout=60.0)
        self._reloads = reloads
        self.heard: list[float] = []
        self.ready = threading.Event()

    def run(self) -> None:
        with contextlib.suppress(httpx.HTTPError), self._client.stream("GET", "/news?session=s999") as news:
            for line in news.iter_lines():
                self.ready.set()
                if line.startswith("data: ") and line != "data: {}":
                    self.heard.append(time.perf_counter())
                    if self._reloads and "session:s999" in line:
                        httpx.get(f"{self._client.base_url}/sessions/s999", cookies=self._client.cookies, timeout=60.0)


def news_ms(url: str, cookies: dict[str, str], journal: object, live: object, times: int) -> list[float]:
    from obra_tui.core import events as e

    page = OpenPage(url, cookies, reloads=False)
    page.start()
    page.ready.wait(30)
    took = []
    for number in range(times):
        before = len(page.heard)
        record = live.add(e.TextFinished(block=f"b{number}", text="Something was said."), "t999", None)  # type: ignore[attr-defined]
        journal.append([record])  # type: ignore[attr-defined]
        committed = time.perf_counter()
        while len(page.heard) == before and time.perf_counter() - committed < 10:
            time.sleep(0.001)
        if len(page.heard) > before:
            took.append((page.heard[-1] - committed) * 1_000)
        time.sleep(0.037 * (number % 5))
    return took


def cores_of_pages(
    process: psutil.Process, url: str, cookies: dict[str, str], journal: object, live: object, seconds: float
) -> float:
    """CPU of the server, in cores, while twenty pages show a run that says ten lines a second."""
    from obra_tui.core import events as e

    pages = [OpenPage(url, cookies, reloads=True) for _ in range(PAGES)]
    for page in pages:
        page.start()
    for page in pages:
        page.ready.wait(30)
    before, begun, number = process.cpu_times(), time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        number += 1
        event = e.TextFinished(block=f"c{number}", text="Something was said.")
        if number % 50 == 0:
            event = e.ProblemCleared(code="limited")
        record = live.add(event, "t999", None)  # type: ignore[attr-defined]
        journal.append([record])  # type: ignore[attr-defined]
        time.sleep(0.1)
    after, took = process.cpu_times(), time.perf_counter() - begun
    return (after.user + after.system - before.user - before.system) / took


def main() -> None:
    quick = arguments(__doc__ or "").quick
    times = 10 if quick else 50
    with tempfile.TemporaryDirectory(prefix="obra-b18-") as folder:
        home, data = Path(folder), Path(folder) / "data"
        data.mkdir(mode=0o700)
        journal, live = written(data)
        with served(home, data) as (process, url, cookies):
            client = httpx.Client(base_url=url, cookies=cookies, timeout=60.0)
            for path in ("/", "/gates/g39", "/static/obra.css"):
                page_ms(client, path, 3)
            home_ms, gate_ms = page_ms(client, "/", times), page_ms(client, "/gates/g39", times)
            floor_ms = page_ms(client, "/static/obra.css", times)
            news = news_ms(url, cookies, journal, live, times)
            cores = cores_of_pages(process, url, cookies, journal, live, 5.0 if quick else 20.0)
        journal.close()  # type: ignore[attr-defined]
    heard = median(news)
    report(
        Figure(
            name="18 web view",
            target=f"page ≤ {PAGE_MS:.0f} ms, news ≤ {NEWS_MS:.0f} ms after the commit, {PAGES} pages ≤ {CORES} core",
            ours={
                "what_waits_ms": round(home_ms, 1),
                f"gate_of_{LINES}_lines_ms": round(gate_ms, 1),
                "news_ms": round(heard, 1),
                "news_p95_ms": round(percentile(news, 0.95), 1),
                f"cores_of_{PAGES}_pages": round(cores, 3),
            },
            peer={"a_file_of_the_same_server_ms": round(floor_ms, 1)},
            ratio=round(home_ms / floor_ms, 1),
            met=max(home_ms, gate_ms) <= PAGE_MS and heard <= NEWS_MS and cores <= CORES,
            how=f"medians of {times}; {SESSIONS} sessions, {PAGES} pages on a run of ten lines a second, each taken "
            "anew every five seconds",
        )
    )


if __name__ == "__main__":
    main()
