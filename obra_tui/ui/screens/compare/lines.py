"""A comparison as lines: numbers with what they differ by, findings, and differences of differences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from obra_tui.core.patch import split_patch
from obra_tui.core.records.compare import Comparison, Number, TaskPair, shown, shown_delta
from widgets.diff.patch import FileDiff
from widgets.lines import LogLine, Span

Texts = Mapping[str, tuple[str | None, str | None]]
_LOOKS = {"+": "added", "-": "removed", "@": "hunk"}
_FOUND = (("fixed", "✓"), ("still there", "!"), ("new", "✗"))


def number_lines(made: Comparison) -> Iterator[LogLine]:
    """Yield the table of both sides, the warnings, and what became of the findings."""
    yield LogLine(f"{'':<14}{'A':>9}{'B':>9}  {'Δ'}", style="dim")
    yield from map(_number, made.numbers)
    yield from (LogLine(warning, glyph="!", style="warn") for warning in made.warnings)
    for (name, glyph), findings in zip(_FOUND, (made.fixed, made.still, made.new), strict=True):
        if findings:
            yield LogLine(f"{name} ({len(findings)})", style="heading")
        yield from (LogLine(f"{f.place} {f.message}".strip(), glyph=glyph) for f in findings)


def _number(number: Number) -> LogLine:
    a, b = shown(number, number.a), shown(number, number.b)
    return LogLine(f"{number.name:<14}{a:>9}{b:>9}  {shown_delta(number)}".rstrip())


def difference_lines(made: Comparison) -> Iterator[LogLine]:
    """Yield how A's change differs from B's, file by file, and then the prompts."""
    for file in made.files:
        yield LogLine(file.path, style="heading", aside=file.kind)
        yield from patch_lines(file.diff)
    if not made.files:
        yield LogLine("Neither changed a file.", style="dim")
    if made.prompts:
        yield LogLine("Prompts", style="heading")
        yield from patch_lines(made.prompts)


def patch_lines(text: str) -> Iterator[LogLine]:
    for line in text.splitlines():
        yield LogLine(line, style=_LOOKS.get(line[:1], ""))


def tree_files(patch: str, texts: Texts) -> list[FileDiff]:
    """Return what differs between two trees, file by file; with its texts a file can be shown side by side."""
    return [_file(path, part, texts.get(path, (None, None))) for path, part in split_patch(patch).items()]


def _file(path: str, part: str, texts: tuple[str | None, str | None]) -> FileDiff:
    body = part.splitlines()
    head = body[: next((at for at, line in enumerate(body) if line.startswith("@@")), len(body))]
    status = "A" if _says(head, "new file") else "D" if _says(head, "deleted file") else "M"
    before, after = texts
    known = before is not None or after is not None
    return FileDiff(
        path,
        patch=part,
        before=(before or "") if known else None,
        after=(after or "") if known else None,
        status=status,
        added=sum(line.startswith("+") for line in body[len(head) :]),
        removed=sum(line.startswith("-") for line in body[len(head) :]),
    )


def _says(head: list[str], words: str) -> bool:
    return any(line.startswith(words) for line in head)


def pair_row(pair: TaskPair) -> LogLine:
    """`T001 Write a calculator`, and below it `accepted 0.84 → rejected 0.41 · −0.43 ▼ worse`."""
    sides = [
        state.replace("_", " ") + (f" {shown(pair.score, value)}" if value is not None else "")
        for state, value in zip(pair.states, (pair.score.a, pair.score.b), strict=True)
    ]
    name, moved = f"{pair.key} {pair.title}", shown_delta(pair.score)
    differs = pair.states[0] != pair.states[1]
    text = f"{name}\n{sides[0]} → {sides[1]}{f' · {moved}' if moved else ''}"
    tries = f"{pair.attempts[0]} / {pair.attempts[1]} attempts" if any(pair.attempts) else ""
    return LogLine(
        text, key=pair.key, glyph="!" if differs else "·", aside=tries, spans=(Span(0, len(name), "strong"),), hang=""
    )
