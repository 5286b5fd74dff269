"""No. 14: from the key that opens a gate with a large diff to its first screen, against textual-diff-view alone."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual_diff_view import DiffView

from benchmarks.harness import Figure, alternated, arguments, median, report
from obra_tui.core.model import ChangeKind, Diff, FileChange
from tests.ui import stories
from tests.ui.stage import FakeReader, Stage
from widgets.diff.patch_pane import PatchPane

PATH = "generated/table.py"
TARGET_S = 0.150
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Opened:
    """Seconds to the first screen with a line of the diff, and the longest time in which no key was answered."""

    first_s: float
    blocked_s: float


def texts(lines: int) -> tuple[str, str]:
    """A file of which every second line was changed."""
    before = [f"VALUE_{n} = compute({n}, scale=1.0)  # row {n}\n" for n in range(lines // 2)]
    after = [f"VALUE_{n} = compute({n}, scale=2.5)  # row {n}, new\n" for n in range(lines // 2)]
    return "".join(before), "".join(after)


def patch(before: str, after: str) -> str:
    """The same as git writes it."""
    ours, theirs = before.splitlines(keepends=True), after.splitlines(keepends=True)
    hunk = f"@@ -1,{len(ours)} +1,{len(theirs)} @@\n"
    body = "".join(line for pair in zip(ours, theirs, strict=True) for line in (f"-{pair[0]}", f"+{pair[1]}"))
    return f"diff --git a/{PATH} b/{PATH}\nindex 1111111..2222222 100644\n--- a/{PATH}\n+++ b/{PATH}\n{hunk}{body}"


async def watched(shown: Callable[[], bool], begin: Callable[[], Awaitable[object]]) -> Opened:
    """Begin, and wait until it is shown; meanwhile see how long the loop lets nobody else run."""
    longest = 0.0
    began = last = time.perf_counter()
    starting = asyncio.ensure_future(begin())
    while not shown():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        if now - began > PATIENCE_S:
            raise TimeoutError("the diff was never shown")
    first = time.perf_counter() - began
    await starting
    return Opened(first, longest)


async def ours(before: str, after: str, diff_text: str) -> Opened:
    """The gate of the app, opened by its key."""
    lines = diff_text.count("\n")
    change = FileChange(path=PATH, kind=ChangeKind.MODIFIED, added=lines // 2, removed=lines // 2)
    diff = Diff(base_commit="9be21f0c4a7d11", tree="4b82", digest="c0ffee", patch=diff_text, files=(change,))
    kept = stories.DIFF
    stories.DIFF = diff
    try:
        stage = Stage(stories.at_gate(), reader=FakeReader({PATH: (before, after)}))
    finally:
        stories.DIFF = kept
    async with stage.open() as pilot:

        def shown() -> bool:
            panes = list(stage.screen.query("#patch").results(PatchPane))
            return bool(panes) and panes[0].line_count > 1 and panes[0].shown_range.stop > 1

        async def press() -> None:
            await stage.press(pilot, "g")

        return await watched(shown, press)


class Alone(App[None]):
    """Nothing but the peer's view, mounted when it is asked for."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__()
        self._view = DiffView(PATH, PATH, before, after, split=False)

    def compose(self) -> ComposeResult:
        yield VerticalScroll()

    async def open(self) -> None:
        """Prepare in a thread, as its documentation asks, then mount."""
        await self._view.prepare()
        await self.query_one(VerticalScroll).mount(self._view)

    def shown(self) -> bool:
        return self._view.is_attached and self._view.size.height > 1


async def peer(before: str, after: str) -> Opened:
    app = Alone(before, after)
    async with app.run_test(size=(120, 36)):
        return await watched(app.shown, app.open)


def main() -> None:
    """Both in turn, each in a new app."""
    quick = arguments(__doc__ or "").quick
    pairs, lines = (2, 4_000) if quick else (3, 20_000)
    before, after = texts(lines)
    diff_text = patch(before, after)
    mine, theirs = alternated(
        pairs, lambda: asyncio.run(ours(before, after, diff_text)), lambda: asyncio.run(peer(before, after))
    )
    first, blocked = median([run.first_s for run in mine]), median([run.blocked_s for run in mine])
    other = median([run.first_s for run in theirs])
    report(
        Figure(
            name="14 big diff",
            target=f"first screen of a gate with {lines:,} changed lines <= {TARGET_S * 1000:.0f} ms",
            ours={"first_ms": round(first * 1000), "blocked_ms": round(blocked * 1000)},
            peer={"first_ms": round(other * 1000), "blocked_ms": round(median([r.blocked_s for r in theirs]) * 1000)},
            ratio=round(first / other, 3),
            met=first <= TARGET_S,
            how=f"{pairs} alternated pairs in process, 120x36, from the key to the first drawn line; the peer alone,"
            " prepared in a thread",
        )
    )


if __name__ == "__main__":
    main()
