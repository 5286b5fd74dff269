"""The measured applications: our panes or a stock widget, with the same key counter on top.

`x` counts a key press on screen; `s` starts the work; `DONE` appears when it is done. A report file, if asked
for, gets what only the program itself can know.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static


class Counter(Static):
    """Shows how many keys were pressed; a fixed place and size, so that it never asks for a layout."""

    DEFAULT_CSS = "Counter { height: 1; width: 1fr; }"


class Measured(App[None]):
    """A counter on top and something below."""

    CSS = "Horizontal { height: 1fr; } RichLog { width: 1fr; }"
    BINDINGS = [("x", "count", "Count"), ("s", "begin", "Begin"), ("q", "quit", "Quit")]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__()
        self.options = options
        self.pressed = 0

    def get_default_screen(self) -> Screen[Any]:
        """Ours: the screen that our panes stand on in the application."""
        from widgets.fast_compositor import FastScreen

        ours = self.options.kind.startswith("ours") and not self.options.plain_screen
        return FastScreen(id="_default") if ours else super().get_default_screen()

    def compose(self) -> ComposeResult:
        """The counter and the work."""
        yield Counter(Content("K00000"))
        yield from self.body()

    def body(self) -> ComposeResult:
        """What is measured."""
        return iter(())

    def on_mount(self) -> None:
        """Settle memory as a long-running program does, then say that we are ready."""
        self.set_timer(0.3, self.settle)

    def settle(self) -> None:
        """Ours: everything made so far lives as long as the app, so the collector need not look at it again."""
        if self.options.kind.startswith("ours"):
            gc.collect()
            gc.freeze()
            gc.set_threshold(100_000, 50, 1000)
            sys.setswitchinterval(0.001)
        self.say("READY")

    def say(self, word: str) -> None:
        """Show a word beside the counter."""
        self.word = word
        self.query_one(Counter).update(Content(f"K{self.pressed:05d} {word}"), layout=False)

    def action_count(self) -> None:
        """One key press."""
        self.pressed += 1
        self.say(self.word)

    def action_begin(self) -> None:
        """Start the work in a thread."""
        self.say("GOING")
        threading.Thread(target=self.work, daemon=True).start()

    def work(self) -> None:
        """In a thread: what is measured."""

    def finish(self, **facts: Any) -> None:
        """Write the report and say that it is done."""
        if self.options.report:
            Path(self.options.report).write_text(json.dumps(facts))
        self.say("DONE")


class ProductQueue:
    """From any thread to the panes by the queue of the application: its bridge, and its wake-up with its pace.

    Lines travel as the output of a check, which is what floods; `take` gets the name of the pane and its lines.
    """

    def __init__(self, take: Callable[[str, list[str]], None]) -> None:
        """On the loop of the screen."""
        from obra_tui.core.events import CheckPrinted, Record
        from obra_tui.core.ids import SessionId
        from obra_tui.ui.connection.bridge import Bridge
        from obra_tui.ui.connection.wakeup import Wakeup

        self._take_lines = take
        self._event = CheckPrinted
        self._record = partial(Record, seq=1, session=SessionId("bench"), task=None, attempt=None)
        self._wakeup = Wakeup(self._take, self._waiting)
        self._bridge = Bridge(self._wakeup.poke)
        self.dropped_chars = 0

    def put(self, name: str, lines: list[str]) -> None:
        """From any thread."""
        text = "\n".join(lines) + "\n"
        self._bridge.listen((self._record(at=time.time(), event=self._event(name=name, text=text)),))

    def _waiting(self) -> int:
        return 0 if self._bridge.flooded else len(self._bridge)

    def _take(self) -> None:
        batch = self._bridge.take()
        self.dropped_chars += batch.dropped_chars
        for record in batch.records:
            self._take_lines(record.event.name, record.event.text.removesuffix("\n").split("\n"))
        if batch.more:
            self._wakeup.poke()


class OursFlood(Measured):
    """A whole file through the queue into one pane, as fast as it is read; what the queue drops is counted."""

    LAST = "the end"

    def body(self) -> ComposeResult:
        """One pane."""
        from widgets.log_view.view import LogPane

        yield LogPane(cap=self.options.cap)

    def on_mount(self) -> None:
        """Listen."""
        super().on_mount()
        from widgets.log_view.view import LogPane

        self.pane = self.query_one(LogPane)
        self.taken = 0
        self.queue = ProductQueue(self.take)

    def take(self, name: str, lines: list[str]) -> None:
        """On the UI thread."""
        self.taken += len(lines)
        self.pane.extend(lines)
        if lines[-1] == self.LAST:
            self.finish(lines=self.taken, dropped_chars=self.queue.dropped_chars)

    def work(self) -> None:
        """Read, split, put in."""
        for lines in file_lines(Path(self.options.file)):
            self.queue.put("flood", lines)
        self.queue.put("flood", [self.LAST])


class OursTail(OursFlood):
    """Follow a growing file."""

    def work(self) -> None:
        """Look for new bytes every few milliseconds."""
        with Path(self.options.file).open("rb") as file:
            file.seek(0, 2)
            rest = b""
            while True:
                data = file.read(1 << 20)
                if not data:
                    time.sleep(0.01)
                    continue
                *lines, rest = (rest + data).split(b"\n")
                if lines:
                    self.queue.put("tail", [line.decode(errors="replace") for line in lines])


class OursPanes(Measured):
    """Several panes behind one queue, each fed at a steady rate from a thread of its own."""

    def body(self) -> ComposeResult:
        """The panes, side by side."""
        from widgets.log_view.view import LogPane

        with Horizontal():
            for _ in range(self.options.panes):
                yield LogPane(cap=self.options.cap)

    def on_mount(self) -> None:
        """Fill what is wanted, then settle."""
        from widgets.log_view.view import LogPane

        self.panes = list(self.query(LogPane))
        for start in range(0, self.options.preload, 50_000):
            end = min(start + 50_000, self.options.preload)
            self.panes[0].extend([f"{n:08d} preloaded line of some length" for n in range(start, end)])
        self.queue = ProductQueue(lambda name, lines: self.panes[int(name)].extend(lines))
        super().on_mount()

    def work(self) -> None:
        """One producer for each pane."""
        for index in range(len(self.panes)):
            put = partial(self.queue.put, str(index))
            threading.Thread(target=steady, args=(put, self.options), daemon=True).start()


class StockPanes(Measured):
    """The same with RichLog, drained by a timer thirty times a second."""

    def body(self) -> ComposeResult:
        """The panes, side by side."""
        from textual.widgets import RichLog

        with Horizontal():
            for _ in range(self.options.panes):
                yield RichLog(max_lines=self.options.cap)

    def on_mount(self) -> None:
        """Remember the panes."""
        from textual.widgets import RichLog

        self.panes = list(self.query(RichLog))
        self.waiting: list[list[str]] = [[] for _ in self.panes]
        super().on_mount()

    def wait_for_timer(self, index: int, lines: list[str]) -> None:
        """From a producer: lines that the timer will write."""
        self.waiting[index].extend(lines)

    def action_begin(self) -> None:
        """Start the timer too."""
        super().action_begin()
        self.set_interval(1 / 30, self.drain)

    def drain(self) -> None:
        """Write what came."""
        for index, pane in enumerate(self.panes):
            lines, self.waiting[index] = self.waiting[index], []
            for line in lines:
                pane.write(line)

    def work(self) -> None:
        """One producer for each pane."""
        for index in range(len(self.panes)):
            put = partial(self.wait_for_timer, index)
            threading.Thread(target=steady, args=(put, self.options), daemon=True).start()


class Answer(Measured):
    """Appends of 32 characters to a long Markdown text, one each frame; the CPU of each is noted."""

    def work(self) -> None:
        """Hand over to the loop."""
        self.call_from_thread(lambda: self.run_worker(self.write_answer()))

    async def write_answer(self) -> None:
        """First the long text, then the measured appends."""
        text = answer_text(self.options.size)
        base = memory()
        await self.start(text)
        await asyncio.sleep(1.0)
        grown = memory() - base
        costs: list[float] = []
        more = answer_text(32 * self.options.appends + 200)
        for number in range(self.options.appends):
            before = time.process_time()
            await self.add(more[number * 32 : number * 32 + 32])
            await asyncio.sleep(1 / 30)
            costs.append((time.process_time() - before) * 1000)
        self.finish(costs=costs, memory_mb=grown)

    async def start(self, text: str) -> None:
        """Show the long text."""

    async def add(self, piece: str) -> None:
        """Append a piece."""


class OursAnswer(Answer):
    """In a pane."""

    def body(self) -> ComposeResult:
        """One pane."""
        from widgets.log_view.view import LogPane

        yield LogPane()

    async def start(self, text: str) -> None:
        """The long text arrived in pieces too."""
        from widgets.log_view.view import LogPane

        self.pane = self.query_one(LogPane)
        for start in range(0, len(text), 4000):
            self.pane.append_stream("a", text[start : start + 4000])
            await asyncio.sleep(0.005)

    async def add(self, piece: str) -> None:
        """A piece."""
        self.pane.append_stream("a", piece)


class StockAnswer(Answer):
    """In Textual's Markdown widget."""

    def body(self) -> ComposeResult:
        """As a chat application does it: anchored to the end."""
        from textual.containers import VerticalScroll
        from textual.widgets import Markdown

        with VerticalScroll():
            yield Markdown()

    async def start(self, text: str) -> None:
        """The text so far."""
        from textual.containers import VerticalScroll
        from textual.widgets import Markdown

        self.markdown = self.query_one(Markdown)
        self.query_one(VerticalScroll).anchor()
        await self.markdown.update(text)

    async def add(self, piece: str) -> None:
        """A piece."""
        await self.markdown.append(piece)


class Growth(Measured):
    """Lines into one pane of either kind; memory after the first ten thousand and at the end."""

    def body(self) -> ComposeResult:
        """One pane."""
        if self.options.kind == "stock-growth":
            from textual.widgets import RichLog

            yield RichLog(id="pane")
        else:
            from widgets.log_view.view import LogPane

            yield LogPane(id="pane", cap=self.options.cap)

    def work(self) -> None:
        """Hand over to the loop."""
        self.call_from_thread(lambda: self.run_worker(self.grow()))

    async def grow(self) -> None:
        """Every line is different, as real ones are."""
        pane: Any = self.query_one("#pane")
        start = 0.0
        for first in range(0, self.options.lines, 1000):
            lines = [f"{n:08d} a line like any other {n * 7919 % 1000003}" for n in range(first, first + 1000)]
            if self.options.kind == "stock-growth":
                for line in lines:
                    pane.write(line)
            else:
                pane.extend(lines)
            await asyncio.sleep(0.001)
            if first + 1000 == 10_000:
                await asyncio.sleep(0.3)
                start = memory()
        await asyncio.sleep(0.3)
        self.finish(grown_mb=memory() - start)


def steady(put: Any, options: argparse.Namespace) -> None:
    """So many lines a second, in small portions, for ever."""
    began = time.perf_counter()
    sent = 0
    for _ in count():
        due = int((time.perf_counter() - began) * options.rate)
        if due > sent:
            put([f"{n:08d} INFO worker handled request {n * 7919 % 1000003:07d}" for n in range(sent, due)])
            sent = due
        time.sleep(0.002)


def file_lines(path: Path) -> Iterator[list[str]]:
    """Lines of a file, a block at a time."""
    with path.open("rb") as file:
        rest = b""
        while data := file.read(1 << 18):
            whole, end, rest = (rest + data).rpartition(b"\n")
            if end:
                yield whole.decode(errors="replace").split("\n")
    if rest:
        yield [rest.decode(errors="replace")]


_PROSE = (
    "The client opens **one** connection and keeps it; when the server closes it, `connect()` is called again after "
    "a pause that doubles each time, up to a minute. Nothing that was sent is sent twice, because every request "
    "carries a number of its own and the server answers a number it has seen with *the answer it gave before*.\n\n"
)


def answer_text(size: int) -> str:
    """Markdown of about that size, as an answer is: mostly prose, now and then a heading, a list, code."""
    from widgets.samples import MARKDOWN

    part = _PROSE * 6 + MARKDOWN + "\n" + _PROSE * 4
    return (part * (size // len(part) + 1))[:size]


def memory() -> float:
    """Our resident memory in MB."""
    import os

    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


KINDS = {
    "ours-flood": OursFlood,
    "ours-tail": OursTail,
    "ours-panes": OursPanes,
    "stock-panes": StockPanes,
    "ours-answer": OursAnswer,
    "stock-answer": StockAnswer,
    "ours-growth": Growth,
    "stock-growth": Growth,
    "bare": Measured,
}


def main() -> None:
    """Run one of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--file", default="")
    parser.add_argument("--report", default="")
    parser.add_argument("--plain-screen", action="store_true", help="our panes on a screen of Textual's own")
    for name, default in (("cap", 10_000), ("panes", 1), ("rate", 1000), ("preload", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, default in (("size", 100_000), ("appends", 60), ("lines", 100_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    KINDS[options.kind](options).run()


if __name__ == "__main__":
    main()
