"""Markdown that arrives in pieces, as lines of a pane.

Finished blocks become lines once and are never looked at again; only the block being written is parsed anew, so
the cost of a piece does not depend on how long the answer already is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from widgets.highlight import code_lines
from widgets.lines import LogLine, gutter_width
from widgets.log_view.markdown_blocks import lines_of, paragraph
from widgets.text import clean

_LONGEST_TAIL = 8_000
_RELEXED_FENCE = 300

_PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


_PROSE = re.compile(r"[^\W\d_][^\n\r\t\\`*_\[\]<>&~]*")
"""One line that begins with a letter and has nothing in it that means something: it is a paragraph as it stands."""
_FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})([^\n]*)\n")


@dataclass(slots=True)
class _Fence:
    """An open code fence: its lines are taken one by one, without a parser."""

    mark: str
    indent: int
    language: str
    start: int
    code: list[str] = field(default_factory=list)

    def closed_by(self, line: str) -> bool:
        bare = line.strip()
        return len(bare) >= len(self.mark) and not bare.strip(self.mark[0]) and len(line) - len(line.lstrip()) < 4


class MarkdownStream:
    """One streamed Markdown text as a growing entry of a document. A pane holds thousands of them."""

    __slots__ = (
        "_drawn",
        "_fence",
        "_finished",
        "_gap",
        "_head",
        "_lines",
        "_pieces",
        "_settled",
        "_solid",
        "_tail",
        "version",
    )

    def __init__(self, *, time: str = "", glyph: str = "", style: str = "") -> None:
        self.version = 0
        self._head = LogLine("", time=time, glyph=glyph, style=style)
        self._lines: list[LogLine] = [self._head]
        self._solid = 0
        self._settled = 0
        self._pieces: list[str] = []
        self._tail = ""
        self._fence: _Fence | None = None
        self._gap = False
        self._drawn = 0
        self._finished = False

    @property
    def settled(self) -> int:
        """Lines before this one never change again."""
        return self._settled

    @property
    def finished(self) -> bool:
        """No more pieces will come."""
        return self._finished

    @property
    def lines(self) -> list[LogLine]:
        """Every line so far; the same list each time, changed in place."""
        if self._drawn != self.version:
            self._drawn = self.version
            self._advance()
        return self._lines

    def add(self, piece: str) -> None:
        """Append a piece of Markdown; nothing is parsed until somebody looks."""
        if piece and not self._finished:
            self._pieces.append(piece)
            self.version += 1

    def finish(self) -> None:
        """No more pieces will come."""
        self._finished = True
        self.version += 1

    # -- taking pieces in ----------------------------------------------------------------------

    def _advance(self) -> None:
        """Take in the new pieces, keep what is complete and redraw the rest."""
        self._take_pieces()
        del self._lines[self._solid :]
        while self._tail:
            if self._fence is not None:
                if not self._read_fence(self._fence):
                    break
            elif not self._read_blocks():
                break
        if not self._lines:
            self._lines.append(self._head)
        if self._finished:
            self._settled = self._solid = len(self._lines)

    def _take_pieces(self) -> None:
        text = "".join(self._pieces)
        self._pieces.clear()
        if text.endswith("\r") and not self._finished:
            self._pieces.append("\r")
            text = text[:-1]
        self._tail += clean(text)

    def _read_blocks(self) -> bool:
        """Settle every complete block; true when there is more to read in another way."""
        if _PROSE.fullmatch(self._tail) and "://" not in self._tail:
            self._draw([paragraph(self._tail.strip())])
            self._bound()
            return False
        tokens = _PARSER.parse(self._tail)
        if not tokens:
            return False
        cut = self._cut(tokens)
        if cut:
            self._keep(lines_of(_before(tokens, cut)), cut, gap=self._gap_after(tokens, cut))
            return True
        if tokens[0].type == "fence" and self._enter_fence():
            return True
        self._draw(lines_of(tokens))
        self._bound()
        return False

    def _cut(self, tokens: list[Token]) -> int:
        """The source line where what is unfinished begins: a block, or an item of a list.

        A block that begins on a line still being written may yet turn out to belong to the one before it.
        """
        starts = [t.map[0] for t in tokens if t.map and _begins_block(t)]
        open_line = len(self._tail) if self._finished else self._tail.count("\n")
        return max((start for start in starts if start < open_line), default=0)

    def _gap_after(self, tokens: list[Token], cut: int) -> bool:
        """A blank line follows a block, but not an item of a tight list."""
        if any(t.level == 0 and t.map and t.map[0] == cut for t in tokens):
            return True
        return not self._tail.split("\n")[cut - 1].strip()

    def _keep(self, lines: list[LogLine], cut: int, *, gap: bool) -> None:
        """These lines are complete; go on after the first `cut` lines of the source."""
        self._draw(lines)
        self._solid = self._settled = len(self._lines)
        self._tail = self._tail.split("\n", cut)[cut]
        self._gap = gap

    def _bound(self) -> None:
        """An endless block is cut, so that a frame stays cheap."""
        if len(self._tail) <= _LONGEST_TAIL:
            return
        self._solid = self._settled = len(self._lines)
        self._tail, self._gap = "", False

    def _draw(self, lines: list[LogLine]) -> None:
        if lines:
            self._draw_gap()
        for line in lines:
            self._lines.append(self._dressed(line))

    def _draw_gap(self) -> None:
        if self._gap and self._lines:
            self._lines.append(LogLine("", lead=" " * gutter_width(self._head)))

    def _dressed(self, line: LogLine) -> LogLine:
        """The first line carries time and glyph, the others stand below its text."""
        style = line.style or self._head.style
        if not self._lines:
            return replace(line, time=self._head.time, glyph=self._head.glyph, style=style)
        indent = " " * gutter_width(self._head)
        hang = line.hang if line.hang is not None else " " * len(line.lead)
        return replace(line, lead=indent + line.lead, hang=indent + hang, style=style)

    # -- code fences ---------------------------------------------------------------------------

    def _enter_fence(self) -> bool:
        found = _FENCE.match(self._tail)
        if found is None:
            return False
        self._draw_gap()
        self._gap = False
        language = found[3].strip().split(" ")[0]
        self._fence = _Fence(found[2], len(found[1]), language, len(self._lines))
        self._tail = self._tail[found.end() :]
        self._solid = len(self._lines)
        return True

    def _read_fence(self, fence: _Fence) -> bool:
        """Take every complete line of an open fence; true when the fence was closed."""
        *whole, open_line = self._tail.split("\n")
        for index, line in enumerate(whole):
            if fence.closed_by(line):
                self._tail = "\n".join([*whole[index + 1 :], open_line])
                self._leave_fence(fence)
                return True
            self._add_code(fence, line)
        self._tail = open_line
        if fence.closed_by(open_line) and self._finished:
            self._tail = ""
            self._leave_fence(fence)
            return True
        if open_line and not fence.closed_by(open_line):
            self._draw(code_lines(open_line, fence.language))
        return False

    def _add_code(self, fence: _Fence, line: str) -> None:
        text = line[min(fence.indent, len(line) - len(line.lstrip())) :]
        fence.code.append(text)
        self._draw(code_lines(text, fence.language))
        self._solid = len(self._lines)
        if len(fence.code) > _RELEXED_FENCE:
            self._settled = self._solid

    def _leave_fence(self, fence: _Fence) -> None:
        """Colour a whole block at once when it is complete: strings and comments may span lines."""
        if len(fence.code) <= _RELEXED_FENCE:
            del self._lines[fence.start :]
            self._draw(code_lines("\n".join(fence.code), fence.language))
        self._solid = self._settled = len(self._lines)
        self._fence, self._gap = None, True


def _begins_block(token: Token) -> bool:
    return token.level == 0 or (token.level == 1 and token.type == "list_item_open")


def _before(tokens: list[Token], cut: int) -> list[Token]:
    """The tokens of everything that begins before a source line."""
    for index, token in enumerate(tokens):
        if token.map and token.map[0] >= cut and _begins_block(token):
            return tokens[:index]
    return tokens
