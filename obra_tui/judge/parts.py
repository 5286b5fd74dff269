"""The diff as hunks with the line numbers of the new file, cut into parts that fit the model's context. Pure.

Knows nothing of prompts or servers. A hunk that is too long (every new file is one hunk) is cut between lines; a
single line that is too long is refused, because a cut line would not be what was written. Says which hunks go into
which part, or why the change cannot be judged at all.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.model import Diff, FileChange
from obra_tui.core.patch import unquote
from obra_tui.judge.errors import DiffUnreadable, DoesNotFit
from obra_tui.judge.tokens import estimate

if TYPE_CHECKING:
    from unidiff.patch import Hunk as PatchHunk
    from unidiff.patch import PatchedFile, PatchSet

_PICTURES = {code: 0x2400 + code for code in range(32) if code not in (9, 10)} | {0x7F: 0x2421}
_NO_UTF8 = re.compile(r"(?:\\x[89a-f][0-9a-f]|\ufffd)+")
_CONTROL_TOKEN = re.compile(
    r"<[|\uff5c][^<>\s]{1,60}[|\uff5c]?>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|IMG)\]|<</?SYS>>"
    r"|</?(?:s|bos|eos|pad|unk|mask|think|thinking|thought|tool_call|tool_response|start_of_turn|end_of_turn|start_of_image)>"
    r"|<(?:fim_[a-z]{1,9}|file_sep|repo_?name|filename|gh_stars|(?:jupyter|issue|commit)_[a-z_]{1,20}|empty_output)>|<unused\d{1,4}>|<\uff5c[^>\n]{1,60}>",
    re.IGNORECASE,
)
_BROKEN = str.maketrans({"<": "\u2039", ">": "\u203a", "[": "\u27e6", "]": "\u27e7"})
_NO_FILE = "/dev/null"


class Line(Struct, frozen=True, kw_only=True):
    number: int | None
    """In the new file; `None` for removed lines and remarks."""
    sign: str
    text: str

    @property
    def shown(self) -> str:
        number = "" if self.number is None else str(self.number)
        return f"{number:>6} |{self.sign}{self.text}"


class Hunk(Struct, frozen=True, kw_only=True):
    """A hunk, or one piece of it when it had to be cut."""

    index: int
    """1, 2, … in the whole diff."""
    total: int
    file: str
    lines: tuple[Line, ...]
    piece: int = 1
    pieces: int = 1

    @property
    def heading(self) -> str:
        numbers = [line.number for line in self.lines if line.number is not None]
        span = f"new lines {numbers[0]}-{numbers[-1]}" if numbers else "nothing left in the new file"
        piece = f", piece {self.piece} of {self.pieces}" if self.pieces > 1 else ""
        return f"file: {one_line(self.file)}\n@@ hunk {self.index} of {self.total}{piece}, {span}"

    @property
    def shown(self) -> str:
        return "\n".join([self.heading, *(line.shown for line in self.lines)])

    @property
    def changed(self) -> int:
        return sum(line.sign in "+-" for line in self.lines)

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset(line.number for line in self.lines if line.number is not None)


class Part(Struct, frozen=True, kw_only=True):
    """What goes into one prompt."""

    hunks: tuple[Hunk, ...]

    @property
    def shown(self) -> str:
        return "\n\n".join(hunk.shown for hunk in self.hunks)

    @property
    def weight(self) -> int:
        """Changed lines; at least 1, so that no part is without a say."""
        return max(1, sum(hunk.changed for hunk in self.hunks))

    @property
    def finishes(self) -> int:
        """How many hunks end in this part."""
        return sum(hunk.piece == hunk.pieces for hunk in self.hunks)


# --- reading -------------------------------------------------------------------------------------


def visible(text: str) -> str:
    """Return `text` with control characters as visible signs and without what UTF-8 cannot hold.

    Neither are there any control tokens of chat templates: a tokenizer would make the real one of them, and what
    follows would no longer stand inside the message.
    """
    broken = _CONTROL_TOKEN.sub(lambda found: found[0].translate(_BROKEN), text)
    return broken.translate(_PICTURES).encode("utf-8", "replace").decode("utf-8")


def one_line(text: str) -> str:
    """Return a name that cannot break out of its line: file and test names may hold anything."""
    return visible(text).replace("\n", "\u240a").replace("\t", "\u2409")


def read_hunks(diff: Diff) -> tuple[Hunk, ...]:
    """Return every hunk of the diff, or raise `DiffUnreadable`: a diff that is not seen whole is not judged."""
    if diff.truncated:
        raise DiffUnreadable(
            f"The change is too large to be kept whole ({len(diff.files)} files), so Qwen cannot see all of it.",
            fix="Split the task, or decide by hand.",
        )
    known = {_undecided(change.path): change.path for change in diff.files}
    found = [(_path_of(item, known), hunk) for item in _patch(diff.patch) for hunk in item]
    _check_complete(diff, {path for path, _ in found})
    return tuple(
        Hunk(index=index, total=len(found), file=path, lines=tuple(_lines(hunk)))
        for index, (path, hunk) in enumerate(found, start=1)
    )


def _patch(text: str) -> "PatchSet":
    # 30 ms: only where a diff is really judged
    from unidiff.errors import UnidiffParseError
    from unidiff.patch import PatchSet

    try:
        return PatchSet(text)
    except (UnidiffParseError, ValueError, AssertionError) as error:
        raise DiffUnreadable(
            f"The diff could not be taken apart into hunks ({error}), so nobody can prove that Qwen saw all of it.",
            fix="Look at the diff and decide by hand.",
        ) from error


def _lines(hunk: "PatchHunk") -> Iterator[Line]:
    for line in hunk:
        sign = line.line_type.strip() or " "
        yield Line(number=line.target_line_no, sign=sign, text=visible(line.value.removesuffix("\n")))


def _path_of(item: "PatchedFile", known: Mapping[str, str]) -> str:
    """The file's name as the list of changes has it; the patch spells bytes that are no UTF-8 in another way."""
    raw = item.target_file if item.target_file != _NO_FILE else item.source_file
    name = unquote(raw)
    name = name[2:] if name[:2] in ("a/", "b/") else name
    return known.get(_undecided(name), name)


def _undecided(name: str) -> str:
    return _NO_UTF8.sub("\ufffd", name)


def _check_complete(diff: Diff, seen: set[str]) -> None:
    missing = [change.path for change in diff.files if _has_text(change) and change.path not in seen]
    if missing:
        raise DiffUnreadable(
            f"The diff holds no hunk of {missing[0]}, though it counts changed lines there.",
            fix="Look at the diff and decide by hand.",
        )


def _has_text(change: FileChange) -> bool:
    return not change.binary and change.added + change.removed > 0


# --- packing -------------------------------------------------------------------------------------


def cost(hunk: Hunk) -> int:
    """Token estimate of a hunk inside a prompt."""
    return estimate(hunk.heading) + 4 + sum(estimate(line.shown) + 1 for line in hunk.lines)


def pack(hunks: tuple[Hunk, ...], room: int) -> tuple[Part, ...]:
    """Return parts of at most `room` tokens each, in the order of the diff."""
    parts: list[tuple[Hunk, ...]] = []
    current: list[Hunk] = []
    used = 0
    for piece in (piece for hunk in hunks for piece in _cut(hunk, room)):
        price = cost(piece)
        if current and used + price > room:
            parts.append(tuple(current))
            current, used = [], 0
        current.append(piece)
        used += price
    if current:
        parts.append(tuple(current))
    return tuple(Part(hunks=part) for part in parts)


def _cut(hunk: Hunk, room: int) -> tuple[Hunk, ...]:
    if cost(hunk) <= room:
        return (hunk,)
    groups = list(_groups(hunk, room - estimate(hunk.heading) - 24))
    return tuple(
        replace(hunk, lines=tuple(group), piece=number, pieces=len(groups))
        for number, group in enumerate(groups, start=1)
    )


def _groups(hunk: Hunk, room: int) -> Iterator[list[Line]]:
    group: list[Line] = []
    used = 0
    for line in hunk.lines:
        price = estimate(line.shown) + 1
        if price > room:
            raise _too_long(hunk, line, price, room)
        if group and used + price > room:
            yield group
            group, used = [], 0
        group.append(line)
        used += price
    yield group


def _too_long(hunk: Hunk, line: Line, price: int, room: int) -> DoesNotFit:
    place = hunk.file if line.number is None else f"{hunk.file}:{line.number}"
    return DoesNotFit(
        f"One line of the change ({place}, about {price} tokens) does not fit beside the task into the model's context "
        f"(about {max(room, 0)} tokens are left).",
        fix="Raise judge.num_ctx, or decide by hand.",
    )
