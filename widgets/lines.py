"""The value a pane draws: one logical line, with its spans, its gutter and what unfolds below it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

from widgets.text import clean, clean_line, is_web_link

FOLDED, UNFOLDED = "▸", "▾"


class Span(NamedTuple):
    """A styled piece of a line. Spans of a line are sorted and never overlap.

    `style` is one or more style names of the pane (``"strong link"``), or a rich Style.
    `link` is an http(s) address that a click reports.
    """

    start: int
    end: int
    style: str | Style
    link: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a pane.

    `glyph` and `time` fill the gutter; `aside` is set at the right edge of the first row (an outcome);
    `lead` stands before the text (a bullet), `hang` before the rows it wraps to; `key` names the line so that
    it can be replaced, opened or found again; `detail` unfolds below it.
    """

    text: str
    _: KW_ONLY
    spans: tuple[Span, ...] = ()
    style: str = ""
    glyph: str = ""
    time: str = ""
    aside: str = ""
    aside_style: str = "dim"
    lead: str = ""
    lead_style: str = "dim"
    hang: str | None = None
    key: str = ""
    detail: Sequence[LogLine] = ()
    unfolded: bool = False

    @classmethod
    def of(cls, text: Text, **fields: object) -> LogLine:
        """A line from a rich Text (its spans flattened)."""
        runs = [Run(s.text, s.style or "") for s in text.render(_FLATTENER) if s.text]
        return replace(from_runs(runs), **fields)  # type: ignore[arg-type]


class Run(NamedTuple):
    """A piece of text with its style and link; lines are built from runs and cut into runs."""

    text: str
    style: str | Style = ""
    link: str = ""


_FLATTENER = Console(width=10_000, color_system="truecolor", force_terminal=False, legacy_windows=False)


def from_runs(runs: Iterable[Run]) -> LogLine:
    """A line from its runs."""
    parts: list[str] = []
    spans: list[Span] = []
    position = 0
    for text, style, link in runs:
        if style or link:
            spans.append(Span(position, position + len(text), style, link))
        parts.append(text)
        position += len(text)
    return LogLine("".join(parts), spans=tuple(spans))


def gutter_width(line: LogLine) -> int:
    """Cells that time and glyph take before the text."""
    return (len(line.time) + 1 if line.time else 0) + (2 if line.glyph or line.detail else 0)


def lead_width(line: LogLine, start: int) -> int:
    """Cells before the text of the row that begins at character `start`."""
    lead = line.lead if not start or line.hang is None else line.hang
    return gutter_width(line) + cell_len(lead)


def display_lines(line: LogLine, unfolded: bool) -> list[LogLine]:
    """What is drawn for one line: itself made safe, split at newlines, and its detail when unfolded."""
    if _is_plain(line):
        return [line]
    shown = split_lines(with_links(cleaned(_with_fold_mark(line, unfolded))))
    if not (unfolded and line.detail):
        return shown
    indent = " " * gutter_width(line) + "│ "
    for child in line.detail:
        for part in split_lines(cleaned(child)):
            shown.append(_indented(part, indent))
    return shown


def _is_plain(line: LogLine) -> bool:
    """Most lines are a text and a style: there is nothing to do for them."""
    text = line.text
    return (
        text.isascii()
        and text.isprintable()
        and not (line.time or line.glyph or line.lead or line.aside or line.hang or line.detail)
        and (bool(line.spans) or "://" not in text)
    )


def _with_fold_mark(line: LogLine, unfolded: bool) -> LogLine:
    if not line.detail or line.glyph not in ("", FOLDED, UNFOLDED):
        return line
    return replace(line, glyph=UNFOLDED if unfolded else FOLDED)


def _indented(line: LogLine, indent: str) -> LogLine:
    hang = line.hang if line.hang is not None else " " * len(line.lead)
    return replace(line, lead=indent + line.lead, hang=indent + hang)


def cleaned(line: LogLine) -> LogLine:
    """The same line without a harmful character; spans move with their text."""
    gutter = (line.glyph, line.time, line.aside, line.lead, line.hang or "")
    if all(part.isprintable() for part in gutter):
        if line.text.isascii() and line.text.isprintable():
            return line
    else:
        line = _clean_gutter(line)
    text = clean(line.text)
    if text == line.text or not line.spans:
        return replace(line, text=text)
    runs = [Run(clean(piece), style, link) for piece, style, link in runs_of(line, 0, len(line.text))]
    safe = from_runs(runs)
    return replace(line, text=safe.text, spans=safe.spans)


def _clean_gutter(line: LogLine) -> LogLine:
    return replace(
        line,
        glyph=clean_line(line.glyph),
        time=clean_line(line.time),
        aside=clean_line(line.aside),
        lead=clean_line(line.lead),
        hang=None if line.hang is None else clean_line(line.hang),
    )


def runs_of(line: LogLine, start: int, end: int) -> list[Run]:
    """The runs of line.text[start:end]."""
    runs: list[Run] = []
    position = start
    for span_start, span_end, style, link in line.spans:
        if span_end <= position or span_end <= span_start:
            continue
        if span_start >= end:
            break
        if span_start > position:
            runs.append(Run(line.text[position:span_start]))
            position = span_start
        stop = min(span_end, end)
        runs.append(Run(line.text[position:stop], style, link))
        position = stop
    if position < end:
        runs.append(Run(line.text[position:end]))
    return runs


def split_lines(line: LogLine) -> list[LogLine]:
    """A line whose text holds newlines becomes several; only the first keeps the gutter."""
    if "\n" not in line.text:
        return [line]
    rest_lead = " " * gutter_width(line) + (line.hang if line.hang is not None else " " * len(line.lead))
    parts: list[LogLine] = []
    start = 0
    for index, text in enumerate(line.text.split("\n")):
        part = replace(_slice(line, start, start + len(text)), detail=(), hang=line.hang)
        if index:
            part = replace(part, time="", glyph="", aside="", lead=rest_lead, hang=rest_lead)
        parts.append(part)
        start += len(text) + 1
    return parts


def _slice(line: LogLine, start: int, end: int) -> LogLine:
    part = from_runs(runs_of(line, start, end))
    return replace(line, text=part.text, spans=part.spans)


_URL = re.compile(r"https?://[^\s<>\"'`|]+")


def linked_runs(text: str) -> list[Run]:
    """A text with its bare web addresses as links."""
    if "://" not in text:
        return [Run(text)]
    runs: list[Run] = []
    position = 0
    for match in _URL.finditer(text):
        url = match.group().rstrip(".,;:!?)]}*_")
        if not is_web_link(url):
            continue
        if match.start() > position:
            runs.append(Run(text[position : match.start()]))
        runs.append(Run(url, "link", url))
        position = match.start() + len(url)
    if position < len(text):
        runs.append(Run(text[position:]))
    return runs


def with_links(line: LogLine) -> LogLine:
    """The same line with its bare web addresses as links; a line with spans of its own stays as it is."""
    if line.spans or "://" not in line.text:
        return line
    return replace(line, spans=from_runs(linked_runs(line.text)).spans)


def plain_text(lines: Sequence[LogLine]) -> str:
    """The text a person copies."""
    return "\n".join(line.text for line in lines)
