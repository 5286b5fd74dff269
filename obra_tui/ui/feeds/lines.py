"""What both feeds share: text as detail lines, coloured diffs, and the methods they need of a pane."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, overload

from widgets.lines import LogLine, Span
from widgets.text import without_colours

DETAIL_LINES = 400
"""Lines of a card's detail; what is cut says so and is whole in the history."""


def text_lines(text: str, style: str = "output", cap: int = DETAIL_LINES) -> tuple[LogLine, ...]:
    """Return `text` line by line; the middle is cut, because beginnings and ends say most."""
    rows = without_colours(text).expandtabs(4).rstrip("\n").split("\n") if text.strip() else []
    if len(rows) <= cap:
        return tuple(LogLine(row, style=style) for row in rows)
    half = cap // 2
    cut = LogLine(f"… {len(rows) - cap:,} lines not shown here", style="dim")
    head = (LogLine(row, style=style) for row in rows[:half])
    return (*head, cut, *(LogLine(row, style=style) for row in rows[-half:]))


def patch_lines(patch: str, cap: int = DETAIL_LINES) -> tuple[LogLine, ...]:
    """Return a unified diff with its added and removed lines marked; the sign stays: never colour alone."""
    rows = text_lines(patch, "text", cap)
    return tuple(LogLine(row.text, style=_patch_style(row.text, row.style)) for row in rows)


def _patch_style(text: str, fallback: str) -> str:
    if text.startswith(("+++", "---", "diff ", "index ", "new file", "deleted file", "similarity", "rename ")):
        return "dim"
    if text.startswith("@@"):
        return "hunk"
    return {"+": "added", "-": "removed"}.get(text[:1], fallback)


@dataclass(frozen=True, slots=True)
class CardLines(Sequence[LogLine]):
    """What unfolds below a tool call: what it was given, and what came of it.

    Made when somebody looks: hardly any card is ever unfolded, and their lines took a sixth of the time of a busy
    run and most of its memory.
    """

    given: str = ""
    output: str = ""
    patch: str = ""

    def __bool__(self) -> bool:
        return any(text and not text.isspace() for text in (self.given, self.output, self.patch))

    def __len__(self) -> int:
        return len(self._lines())

    def __iter__(self) -> Iterator[LogLine]:
        return iter(self._lines())

    @overload
    def __getitem__(self, index: int) -> LogLine: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[LogLine, ...]: ...
    def __getitem__(self, index: int | slice) -> LogLine | tuple[LogLine, ...]:
        return self._lines()[index]

    def _lines(self) -> tuple[LogLine, ...]:
        above = text_lines(self.given, "dim")
        below = patch_lines(self.patch) if self.patch else text_lines(self.output)
        between = (LogLine("", style="dim"),) if above and below else ()
        return (*above, *between, *below)


def named(name: str, rest: str, *, width: int = 6, style: str = "tool") -> tuple[str, tuple[Span, ...]]:
    """Return `name  rest` with the name in its own style and of steady width."""
    head = name.ljust(width)
    return f"{head} {rest}".rstrip(), (Span(0, len(name), style),)


def heading(text: str, aside: str = "", time: str = "") -> LogLine:
    return LogLine(text, style="heading", aside=aside, time=time)


def joined(parts: Iterable[str], between: str = " · ") -> str:
    return between.join(part for part in parts if part)


class Pane(Protocol):
    def append(self, line: str | LogLine) -> None: ...
    def extend(self, lines: Sequence[str | LogLine]) -> None: ...
    def append_chunk(self, text: str, style: str = "") -> None: ...
    def replace(self, key: str, line: LogLine) -> bool: ...
    def extend_detail(self, key: str, lines: Iterable[LogLine], cap: int = 1_000) -> bool: ...
    def begin_stream(self, key: str, *, time: str = "", glyph: str = "", style: str = "") -> None: ...
    def append_stream(self, key: str, text: str) -> None: ...
    def end_stream(self, key: str) -> None: ...
    def drop_stream(self, key: str) -> None: ...
    def write_markdown(self, text: str, *, time: str = "", glyph: str = "", style: str = "") -> None: ...
    def clear(self) -> None: ...
