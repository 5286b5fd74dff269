"""A patch as files of coloured lines for a page. Pure; what comes out is escaped by the library that colours it."""

import functools
import re
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape
from msgspec import Struct
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.token import STANDARD_TYPES, Token, _TokenType
from pygments.util import ClassNotFound

from obra_tui.core.model import Diff, FileChange
from obra_tui.web.text import clean

MOST_LINES = 4_000
"""Of all files together: what is beyond them is told and not shown, and needs a reason to be approved unread."""
_LONGEST_LINE = 2_000
_MOST_COLOURED = 200_000
"""Characters of one file that are coloured; more are shown plain."""
_PLAIN = {"n", "p", "w", "o"}
"""Names, signs and space: nothing would be gained by a colour."""
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)", re.DOTALL)


class ShownLine(Struct, frozen=True, kw_only=True):
    kind: str
    """`add`, `del`, `same`, `hunk` or `note`."""
    old: int | None
    new: int | None
    text: Markup


class ShownFile(Struct, frozen=True, kw_only=True):
    number: int
    change: FileChange
    lines: tuple[ShownLine, ...]
    cut: bool = False
    """Lines of it are missing here."""


def files_of(diff: Diff) -> tuple[ShownFile, ...]:
    """Return every changed file, in the order of the list; one that has no lines says why.

    A gate is looked at again and again: the last ones are remembered.
    """
    return _files(_Remembered(diff))


class _Remembered:
    """A diff as a key: what it holds is known by its digest and its list of files."""

    def __init__(self, diff: Diff) -> None:
        self.diff = diff
        self._key = (diff.digest, diff.base_commit, diff.tree, diff.files, diff.patch)

    def __hash__(self) -> int:
        return hash(self._key[:3])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Remembered) and self._key == other._key


@functools.lru_cache(maxsize=16)
def _files(remembered: _Remembered) -> tuple[ShownFile, ...]:
    diff = remembered.diff
    parts = {name: lines for lines in _parts(diff.patch) for name in _names(lines)}
    left = MOST_LINES
    found: list[ShownFile] = []
    for number, change in enumerate(diff.files):
        raw = parts.get(change.path, parts.get(change.old_path, []))
        body = _body(raw)
        shown = body[: max(0, left)]
        left -= len(shown)
        found.append(
            ShownFile(
                number=number,
                change=change,
                lines=tuple(_lines(change, shown)),
                cut=len(shown) < len(body) or (not body and not change.binary and bool(change.added or change.removed)),
            )
        )
    return tuple(found)


def _parts(patch: str) -> Iterator[list[str]]:
    part: list[str] = []
    for line in patch.split("\n"):
        if line.startswith("diff --git ") and part:
            yield part
            part = []
        part.append(line)
    if part:
        yield part


def _names(part: Sequence[str]) -> Iterator[str]:
    """Yield the names of a part as its header has them, unquoted; the header ends at the first hunk."""
    for line in part:
        if line.startswith("@@ "):
            return
        for sign in ("+++ b/", "--- a/", "rename to ", "rename from "):
            if line.startswith(sign):
                yield line.removeprefix(sign).removesuffix("\t").rstrip("\r")
    if part and (found := re.fullmatch(r"diff --git a/(.*) b/\1", part[0])):
        yield found[1]


def _body(part: Sequence[str]) -> list[str]:
    start = next((index for index, line in enumerate(part) if line.startswith("@@ ")), len(part))
    body = list(part[start:])
    return body[:-1] if body and not body[-1] else body


def _lines(change: FileChange, raw: Sequence[str]) -> Iterator[ShownLine]:
    if not raw:
        yield _note(_why_empty(change))
        return
    before = iter(_coloured(change.old_path or change.path, [line[1:] for line in raw if line[:1] in (" ", "-")]))
    after = iter(_coloured(change.path, [line[1:] for line in raw if line[:1] in (" ", "+")]))
    old = new = 0
    for line in raw:
        match line[:1]:
            case "@" if found := _HUNK.match(line):
                old, new = int(found[1]), int(found[2])
                yield ShownLine(kind="hunk", old=None, new=None, text=escape(clean(line)))
            case "+":
                yield ShownLine(kind="add", old=None, new=new, text=next(after))
                new += 1
            case "-":
                yield ShownLine(kind="del", old=old, new=None, text=next(before))
                old += 1
            case " ":
                next(before)
                yield ShownLine(kind="same", old=old, new=new, text=next(after))
                old, new = old + 1, new + 1
            case _:
                yield _note(line.removeprefix("\\ "))


def _note(text: str) -> ShownLine:
    return ShownLine(kind="note", old=None, new=None, text=escape(clean(text)))


def _why_empty(change: FileChange) -> str:
    if change.binary:
        return "A binary file: its content is not shown."
    if change.added or change.removed:
        return "Too long to be shown here."
    return f"No line was changed: {change.kind.value}" + (f" from {change.old_path}" if change.old_path else "") + "."


def _coloured(name: str, lines: list[str]) -> list[Markup]:
    """Return the lines with colours where the language is known, and as many of them as were given."""
    cut = [clean(line[:_LONGEST_LINE]).replace("\n", " ") for line in lines]
    lexer = _lexer(name)
    if lexer is None or sum(map(len, cut)) > _MOST_COLOURED:
        return [escape(line) for line in cut]
    found: list[list[str]] = [[]]
    for kind, text in lexer.get_tokens("\n".join(cut)):
        for index, piece in enumerate(text.split("\n")):
            if index:
                found.append([])
            if piece:
                found[-1].append(_span(kind, piece))
    joined = [Markup("".join(parts)) for parts in found[: len(cut)]]  # every part was escaped
    return [*joined, *(escape(line) for line in cut[len(joined) :])]


def _span(kind: _TokenType, text: str) -> str:
    """Return HTML: the text is escaped, the class is one of Pygments' own names."""
    name = _class_of(kind)
    return f'<span class="c-{name}">{escape(text)}</span>' if name else str(escape(text))


@functools.cache
def _class_of(kind: _TokenType) -> str:
    """Return the short name of a kind of token; names and plain text have no colour."""
    while kind is not Token and kind is not None:
        name = STANDARD_TYPES.get(kind, "")
        if name:
            return "" if name in _PLAIN else str(name)
        kind = kind.parent
    return ""


def _lexer(name: str) -> Lexer | None:
    try:
        return get_lexer_for_filename(name.rpartition("/")[2], stripnl=False, ensurenl=False)
    except (ClassNotFound, ValueError):
        return None
