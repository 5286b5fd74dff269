"""Which lines of a Markdown plan a reader of Markdown does not show as a list, and which only look like tasks.

markdown-it says what is code, a comment or a quotation; `markdown` makes tasks of the other lines. Every line that
looks like a task and becomes none is named here, with the reason: either the person hid it (`Skipped`), or it was
meant to be one and has to be corrected first (`PlanError`).
"""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import Struct

from obra_tui.core.errors import PlanError
from obra_tui.core.plans.draft import at

_SIGN = "[-*+•–—·◦‣●○▪■→−‐]"  # what people paste for a bullet
_NUMBER = r"\(?(?:\d+(?:\.\d+)*|[A-Za-z](?=[.)]\s))[.):]*(?=[\s\[\\［【])"
_MARKERS = rf"[\s>]*(?:(?>{_SIGN}|{_NUMBER})[\s>]*)++(?:__|~~)?"
_OPEN, _CLOSE = r"\\?[\[［【]", r"\\?[\]］】]"
_BLANK = rf"{_OPEN}(?:\s+|\s*[xX]\s*){_CLOSE}"
_MARKED = re.compile(
    rf"{_MARKERS}(?:{_OPEN}\s+{_CLOSE}(?!\[)|{_OPEN}(?:\s*[xX]?\s*|_|[^\w\s\]^!`@]){_CLOSE}(?![(\[:])|[☐□⬜◻])"
)
_BARE = re.compile(rf"[^\w\[`!@]*{_BLANK}(?:\*\*|__|~~)?\s+\S|[\s>]*[☐□]\s+\S")
_WORDY = re.compile(
    rf"{_MARKERS}\[(?:[a-z]|todo|open|pending|doing|wip|in progress|blocked|done)\](?![(\[:])\s+\S", re.IGNORECASE
)
"""With another mark than `x`: it may be a note with a letter."""
_TABLE_ROW = re.compile(rf"\s*\|.*{_BLANK}")
_LINE_ENDS = re.compile("[\v\f\x85\u2028\u2029]")
"""What ends a line for a person's eyes and not for Markdown."""
TASK = re.compile(r"( *)(?:[-*+]|\d+[.)])[ ]+\[([ xX])\](?:[ ]+(.*))?$")
"""A checkbox as Markdown has it."""


class Skipped(Struct, frozen=True, kw_only=True):
    """A line that looks like a task and is none, as its writer wanted it."""

    line: int
    reason: str


class Blocks(Struct, frozen=True, kw_only=True):
    """By line number, from 1."""

    code: frozenset[int] = frozenset()
    """Fenced or indented code, and HTML: text that stays as it is."""
    comments: frozenset[int] = frozenset()
    skipped: tuple[Skipped, ...] = ()


class _Block(Struct, frozen=True, kw_only=True):
    kind: str
    first: int
    last: int
    closed: bool

    def reason(self) -> str:
        begun = f"begins in line {self.first}"
        match self.kind:
            case "fence":
                return f"in the code block that {begun}"
            case "code_block":
                return "indented by four or more, which makes it code"
            case "comment":
                return f"in the comment that {begun}"
            case _:
                return f"in the HTML that {begun} and ends with an empty line"


def looks_like_task(line: str) -> bool:
    """Whether a person would take the line for a task, well written or not."""
    return any(
        pattern.match(part) for part in _LINE_ENDS.split(line) for pattern in (_MARKED, _BARE, _WORDY, _TABLE_ROW)
    )


def read_blocks(lines: Sequence[str], source: str) -> Blocks:
    """Look through a plan without tabs. Raises `PlanError` for a line that was meant to be a task and is none."""
    blocks = list(_blocks(MarkdownIt("commonmark").parse("\n".join(lines)), lines))
    hidden = {number: block for block in blocks for number in range(block.first, block.last + 1)}
    skipped: list[Skipped] = []
    wrong: list[_Mistake] = []
    for number, line in enumerate(lines, start=1):
        if not looks_like_task(line):
            continue
        block = hidden.get(number)
        if block is None and (reason := _hidden_by_its_form(line)):
            skipped.append(Skipped(line=number, reason=reason))
        elif block is None:
            wrong += _malformed(number, line)
        elif block.closed:
            skipped.append(Skipped(line=number, reason=block.reason()))
        else:
            wrong.append(_unclosed(number, block))
    if wrong:
        raise _refusal(wrong, source)
    return Blocks(
        code=frozenset(number for number, block in hidden.items() if block.kind != "comment"),
        comments=frozenset(number for number, block in hidden.items() if block.kind == "comment"),
        skipped=tuple(skipped),
    )


def hidden_lines(lines: Sequence[str]) -> frozenset[int]:
    """Return the numbers of the lines in which no task can stand: code, comments, HTML."""
    found = _blocks(MarkdownIt("commonmark").parse("\n".join(lines)), lines)
    return frozenset(number for block in found for number in range(block.first, block.last + 1))


def _blocks(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[_Block]:
    for token in tokens:
        if token.map is None or token.type not in ("fence", "code_block", "html_block"):
            continue
        first, last = token.map[0] + 1, token.map[1]
        kind, closed = token.type, True
        if kind == "fence":
            ending = lines[last - 1].strip(" >")
            closed = last > first and not ending.strip(token.markup[0]) and len(ending) >= len(token.markup)
        elif token.content.lstrip().startswith("<!--"):
            kind, closed = "comment", "-->" in token.content
        yield _Block(kind=kind, first=first, last=last, closed=closed)


class _Mistake(Struct, frozen=True, kw_only=True):
    line: int
    reason: str
    fix: str


def _unclosed(number: int, block: _Block) -> _Mistake:
    end = "`-->`" if block.kind == "comment" else "the same marks"
    return _Mistake(
        line=number,
        reason=f"it is {block.reason()} and is never closed",
        fix=f"End it with {end} before this line if it is a task, or behind it if it is none.",
    )


def _hidden_by_its_form(line: str) -> str:
    """Say why a line that may well be meant as something else is no task; empty for all others."""
    if _TABLE_ROW.match(line):
        return "in a table"
    if _WORDY.match(line) and not _MARKED.match(line):
        return "behind a box that is neither `- [ ]` nor `- [x]`"
    return ""


_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (_LINE_ENDS, "a character that is no line end for Markdown parts it from what stands before"),
    (re.compile(r"[^\[［【]*\\"), "its box is escaped by a backslash"),
    (re.compile(r"\s*#"), "it is a heading"),
    (re.compile(rf"\s*{_SIGN}\s+(?:{_SIGN}|\d+[.)])\s"), "it has two bullets"),
)


def _malformed(number: int, line: str) -> Iterator[_Mistake]:
    what = line.strip()
    fix = "Write `- [ ] title`, or put it into a code block."
    if TASK.match(line) and not _LINE_ENDS.search(line):
        return
    form = next((reason for pattern, reason in _FORMS if pattern.search(line)), "")
    if ">" in re.split(r"[\[［【☐□⬜◻]", what)[0]:
        yield _Mistake(line=number, reason="it stands in a quotation", fix="Take the `>` away, or make it code.")
    elif form:
        yield _Mistake(line=number, reason=f"{form}: {what[:60]!r}", fix=fix)
    elif _BARE.match(line) and not _MARKED.match(line):
        yield _Mistake(line=number, reason=f"it has no bullet: {what[:60]!r}", fix=fix)
    else:
        yield _Mistake(line=number, reason=f"its box is neither `- [ ]` nor `- [x]`: {what[:60]!r}", fix=fix)


def _refusal(wrong: Sequence[_Mistake], source: str) -> PlanError:
    first, *others = wrong
    more = "".join(f"\nalso {at(source, other.line)}: {other.reason}." for other in others)
    return PlanError(f"This looks like a task, but {first.reason}.", where=at(source, first.line), fix=first.fix + more)
