"""Markdown tokens to lines: headings, lists, quotes, code, tables, rules, and what stands inside a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markdown_it.token import Token
from rich.cells import cell_len

from widgets.highlight import code_lines
from widgets.lines import LogLine, Run, from_runs, linked_runs
from widgets.segments import clip
from widgets.text import is_web_link

_WIDEST_CELL = 40
_RULE = "─" * 24
_BULLETS = ("•", "◦", "▪")


class Prefix(NamedTuple):
    """What a list item or a quote puts before its first line and before the others."""

    first: str
    rest: str


def lines_of(tokens: Sequence[Token]) -> list[LogLine]:
    """The lines of a run of block tokens, with a blank line between blocks but not around tight items."""
    return _Writer().write(tokens)


def paragraph(text: str) -> LogLine:
    """What `lines_of` makes of a paragraph of one line with nothing in it that means something."""
    return LogLine(text, lead_style="bullet", hang="")


class _Writer:
    """Walks the tokens once; the open lists and quotes are a stack of prefixes."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self._prefixes: list[Prefix] = []
        self._numbers: list[int | None] = []
        self._fresh: list[bool] = []
        self._gap = False

    def write(self, tokens: Sequence[Token]) -> list[LogLine]:
        index = 0
        while index < len(tokens):
            index = self._token(tokens, index)
        return self.lines

    def _token(self, tokens: Sequence[Token], index: int) -> int:
        """Write one token (or one table); returns where to go on."""
        token = tokens[index]
        match token.type:
            case "heading_open":
                self._text(tokens[index + 1], f"{'#' * int(token.tag[1:])} ", "heading")
                return index + 3
            case "paragraph_open":
                self._text(tokens[index + 1], "", "", tight=token.hidden)
                return index + 3
            case "fence" | "code_block":
                self._code(token)
            case "html_block":
                self._block([LogLine(text, style="dim") for text in token.content.rstrip("\n").split("\n")])
            case "hr":
                self._block([LogLine(_RULE, style="rule")])
            case "table_open":
                return self._table(tokens, index)
            case _:
                self._container(token)
        return index + 1

    def _container(self, token: Token) -> None:
        """Open or close a list, an item or a quote."""
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                self._open_list(token)
            case "bullet_list_close" | "ordered_list_close":
                self._numbers.pop()
                self._gap = not self._prefixes
            case "list_item_open":
                self._open(self._item_prefix())
            case "blockquote_open":
                self._open(Prefix("▌ ", "▌ "))
            case "list_item_close" | "blockquote_close":
                self._close()
            case _:
                pass

    def _open_list(self, token: Token) -> None:
        """A list of its own begins after a blank line, a list inside an item does not."""
        if self._gap and not self._prefixes:
            self._emit_blank()
            self._gap = False
        ordered = token.type == "ordered_list_open"
        self._numbers.append(int(token.attrGet("start") or 1) if ordered else None)

    def _item_prefix(self) -> Prefix:
        number = self._numbers[-1] if self._numbers else None
        if number is None:
            mark = _BULLETS[(len(self._numbers) - 1) % len(_BULLETS)] + " "
        else:
            mark = f"{number}. "
            self._numbers[-1] = number + 1
        return Prefix(mark, " " * len(mark))

    def _open(self, prefix: Prefix) -> None:
        self._prefixes.append(prefix)
        self._fresh.append(True)

    def _close(self) -> None:
        if self._fresh[-1]:
            self._emit([LogLine("")])
        self._fresh.pop()
        self._prefixes.pop()

    def _text(self, inline: Token, mark: str, style: str, tight: bool = False) -> None:
        runs = list(inline_runs(inline))
        lines = [from_runs([Run(mark, style), *part] if mark and not i else part) for i, part in enumerate(_rows(runs))]
        self._block([LogLine(line.text, spans=line.spans, style=style) for line in lines], tight=tight)

    def _code(self, token: Token) -> None:
        language = token.info.strip().split(" ")[0] if token.info else ""
        self._block(code_lines(token.content.rstrip("\n"), language))

    def _block(self, lines: list[LogLine], tight: bool = False) -> None:
        """One block: a blank line before it, except at the start, in a tight list and after a bullet."""
        if self._gap and not tight and not (self._fresh and self._fresh[-1] and self._inside_item_start()):
            self._emit_blank()
        self._emit(lines)
        self._gap = not tight

    def _inside_item_start(self) -> bool:
        return not self.lines

    def _emit_blank(self) -> None:
        quote = "".join(p.rest for p, fresh in zip(self._prefixes, self._fresh, strict=True) if not fresh)
        self.lines.append(LogLine("", lead=quote.rstrip() and quote))

    def _emit(self, lines: list[LogLine]) -> None:
        for line in lines:
            lead = "".join(self._leads())
            hang = "".join(prefix.rest for prefix in self._prefixes)
            own = line.lead
            self.lines.append(
                LogLine(
                    line.text,
                    spans=line.spans,
                    style=line.style or ("quote" if "▌" in hang else ""),
                    lead=lead + own,
                    lead_style="bullet",
                    hang=hang + " " * len(own),
                )
            )

    def _leads(self) -> Iterator[str]:
        for index, prefix in enumerate(self._prefixes):
            yield prefix.first if self._fresh[index] else prefix.rest
            self._fresh[index] = False

    def _table(self, tokens: Sequence[Token], index: int) -> int:
        rows: list[list[list[Run]]] = []
        while tokens[index].type != "table_close":
            token = tokens[index]
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline" and rows:
                rows[-1].append([run for run in inline_runs(token) if run.text != "\n"])
            index += 1
            if index >= len(tokens):
                break
        self._block(table_lines(rows))
        return index + 1


def table_lines(rows: list[list[list[Run]]]) -> list[LogLine]:
    """A table with columns aligned; cells are cut, not wrapped."""
    columns = max((len(row) for row in rows), default=0)
    widths = [
        min(_WIDEST_CELL, max((cell_len(_plain(row[i])) for row in rows if i < len(row)), default=0))
        for i in range(columns)
    ]
    lines: list[LogLine] = []
    for number, row in enumerate(rows):
        runs: list[Run] = []
        for column, width in enumerate(widths):
            cell = row[column] if column < len(row) else []
            runs.extend(_cell(cell, width, bold=not number))
            runs.append(Run(" │ ", "rule") if column + 1 < columns else Run(""))
        made = from_runs(runs)
        lines.append(LogLine(made.text.rstrip(), spans=made.spans))
        if not number:
            lines.append(LogLine("─┼─".join("─" * width for width in widths), style="rule"))
    return lines


def _cell(runs: list[Run], width: int, bold: bool) -> list[Run]:
    text = _plain(runs)
    size = cell_len(text)
    if size > width:
        return [Run(clip(text, width), "strong" if bold else "")]
    shown = [Run(run.text, f"strong {run.style}".strip(), run.link) for run in runs] if bold else list(runs)
    return [*shown, Run(" " * (width - size))]


def _plain(runs: list[Run]) -> str:
    return "".join(run.text for run in runs)


def _rows(runs: list[Run]) -> Iterator[list[Run]]:
    """Runs cut at line breaks."""
    row: list[Run] = []
    for run in runs:
        if run.text == "\n":
            yield row
            row = []
        else:
            row.append(run)
    yield row


def inline_runs(token: Token) -> Iterator[Run]:
    """What stands inside a line: emphasis, code, links with their target, line breaks as newline runs."""
    marks: list[str] = []
    target, label = "", ""
    for child in token.children or ():
        match child.type:
            case "strong_open" | "em_open" | "s_open":
                marks.append({"strong_open": "strong", "em_open": "emph", "s_open": "strike"}[child.type])
            case "strong_close" | "em_close" | "s_close":
                marks.pop()
            case "link_open":
                target, label = str(child.attrGet("href") or ""), ""
            case "link_close":
                yield from _target(target, label)
                target = ""
            case "softbreak" | "hardbreak":
                yield Run("\n")
            case "image":
                yield Run(f"[image: {child.content}]", "dim")
                yield from _target(str(child.attrGet("src") or ""), "")
            case _:
                label += child.content
                yield from _leaf(child, marks, target)


def _leaf(child: Token, marks: list[str], target: str) -> Iterator[Run]:
    style = " ".join([*marks, "code"] if child.type == "code_inline" else marks)
    if target:
        link = target if is_web_link(target) else ""
        yield Run(child.content, f"{style} link".strip() if link else style, link)
    elif child.type == "text":
        for run in linked_runs(child.content):
            yield Run(run.text, f"{style} {run.style}".strip(), run.link)
    else:
        yield Run(child.content, style)


def _target(target: str, label: str) -> Iterator[Run]:
    if target and target != label:
        yield Run(f" <{target}>", "dim", target if is_web_link(target) else "")
