"""Plans as Markdown checklists, line by line: which tasks there are and what belongs to each of them.

What is code, a comment or a mistake is known before from `blocks`.
"""

import re
import textwrap
from collections.abc import Sequence

from msgspec import Struct, field

from obra_tui.core.errors import PlanError
from obra_tui.core.plans.blocks import TASK, Blocks, Skipped, read_blocks
from obra_tui.core.plans.draft import KEY, Draft, at

_HEADING = re.compile(r"#{1,6}[ ]+(.*?)[ #]*$")
_BULLET = re.compile(r"( *)[-*+][ ]+(.*)$")
_PLAIN_KEY = re.compile(r"(T-?\d+|TASK-?\d+)\b[:.)]?(?:\s+|$)")
_BOLD_KEY = re.compile(rf"\*\*({KEY})\*\*:?(?:\s+|$)")
_COMMENT_KEY = re.compile(rf"<!--\s*(?:id\s*[:=]\s*)?({KEY})\s*-->", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->")
_PHASE = re.compile(r"\W*Phase\b", re.IGNORECASE)
_TAG = re.compile(r"\[(?:P|US\d+)\][ ]*")
_AFTER = re.compile(r"(?:after|depends|depends[ _-]on)[ ]*:[ ]*(.+)$", re.IGNORECASE)
_AFTER_IN_TITLE = re.compile(r"[ ]*\((?:after|depends on)[ ]*:?[ ]+([^()]+)\)[ ]*$", re.IGNORECASE)


def read_markdown(text: str, source: str) -> tuple[str, list[Draft], tuple[Skipped, ...]]:
    """Return the title, the tasks, and the lines that look like tasks and are none. Raises `PlanError`."""
    lines = text.expandtabs(4).split("\n")
    reading = _Reading(source=source, blocks=read_blocks(lines, source))
    for number, line in enumerate(lines, start=1):
        reading.take(number, line)
    reading.close()
    skipped = sorted((*reading.blocks.skipped, *reading.skipped), key=lambda found: found.line)
    return reading.title, reading.drafts, tuple(skipped)


def task_line(words: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the key, the title and the dependencies of what may stand behind a checkbox."""
    draft = _draft_of(0, words)
    return draft.key, draft.title, tuple(key for key, _ in draft.depends_on)


class _Reading(Struct, kw_only=True):
    """Where a reader of the checklist stands: in which task, and how deep."""

    source: str
    blocks: Blocks
    title: str = ""
    phase: str = ""
    drafts: list[Draft] = field(default_factory=list)
    indent: int = -1
    """Column of the present task's bullet; -1 = in no task."""
    item: int = -1
    """Column of the criterion that is being read; -1 = none."""
    detail: list[str] = field(default_factory=list)
    after_blank: bool = False
    skipped: list[Skipped] = field(default_factory=list)

    def take(self, number: int, line: str) -> None:
        if number in self.blocks.comments:
            return
        if number in self.blocks.code:
            self._code(line)
        elif not line.strip():
            self._blank()
        elif box := TASK.match(line):
            self._box(number, box)
        elif self.indent >= 0 and self._belongs(line):
            self._detail(number, line)
        else:
            self._outside(line)
        self.after_blank = not line.strip()

    def close(self) -> None:
        """End the present task."""
        if self.indent >= 0:
            self.drafts[-1].prompt = _dedented(self.detail)
        self.indent, self.item, self.detail = -1, -1, []

    def _code(self, line: str) -> None:
        if _column(line) <= self.indent and line.strip():
            self.close()
        self.item = -1
        if self.indent >= 0:
            self.detail.append(line)

    def _blank(self) -> None:
        if self.indent >= 0:
            self.detail.append("")

    def _belongs(self, line: str) -> bool:
        """Whether `line` is part of the present task: indented under it, or going on without a blank line."""
        column = _column(line)
        lazy = not self.after_blank and not _HEADING.match(line) and not _BULLET.match(line)
        return self.indent >= 0 and (column > self.indent or lazy)

    def _box(self, number: int, box: re.Match[str]) -> None:
        column, done, words = len(box[1]), box[2] != " ", box[3] or ""
        draft = _draft_of(number, words)
        inside = self.indent >= 0 and column > self.indent
        if inside and (not draft.key or self.drafts[-1].done):
            if self.drafts[-1].done and not done:
                self._skip(number, f"under the ticked task in line {self.drafts[-1].line}")
            elif not words:
                self._skip(number, "a box without words")
            self._criterion(number, column, words)
            return
        self.close()
        if not draft.title:
            raise PlanError("This task has no title.", where=at(self.source, number), fix="Write what is to be done.")
        draft.done = done
        draft.phase = self.phase
        self.drafts.append(draft)
        self.indent = column

    def _skip(self, number: int, reason: str) -> None:
        self.skipped.append(Skipped(line=number, reason=reason))

    def _detail(self, number: int, line: str) -> None:
        bullet = _BULLET.match(line)
        if bullet:
            self._criterion(number, len(bullet[1]), bullet[2].strip())
        elif keys := _after(_AFTER.match(line.strip())):
            self.drafts[-1].depends_on += [(key, number) for key in keys]
        elif self.item >= 0 and not self.after_blank and _column(line) > self.item:
            self.drafts[-1].acceptance[-1] += f" {line.strip()}"
        else:
            self.item = -1
            self.detail.append(line)

    def _criterion(self, number: int, column: int, words: str) -> None:
        draft = self.drafts[-1]
        if keys := _after(_AFTER.match(words)):
            draft.depends_on += [(key, number) for key in keys]
        elif not words:
            return
        elif 0 <= self.item < column:
            draft.acceptance[-1] += f"\n  - {words}"
        else:
            draft.acceptance.append(words)
            self.item = column

    def _outside(self, line: str) -> None:
        self.close()
        heading = _HEADING.match(line)
        if heading and line.startswith("## "):
            self.phase = heading[1].strip() if _PHASE.match(heading[1]) else ""
        if heading and not self.title:
            self.title = heading[1].strip()


def _column(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _dedented(lines: Sequence[str]) -> str:
    """Return the detail of a task without its indentation; lines that are less indented stay as they are."""
    return textwrap.dedent("\n".join(lines)).strip("\n")


def _draft_of(number: int, words: str) -> Draft:
    """Take the id and the dependencies out of the words behind a checkbox."""
    draft = Draft(line=number)
    comment = _COMMENT_KEY.search(words)
    rest = _COMMENT.sub("", words).strip()
    leading = _PLAIN_KEY.match(rest) or _BOLD_KEY.match(rest)
    if comment:
        draft.key = comment[1]
    elif leading and (leading.re is _PLAIN_KEY or any(char.isdigit() for char in leading[1])):
        draft.key, rest = leading[1], rest[leading.end() :]
    behind = _AFTER_IN_TITLE.search(rest)
    if keys := _after(behind):
        draft.depends_on = [(key, number) for key in keys]
        rest = _AFTER_IN_TITLE.sub("", rest)
    while tag := _TAG.match(rest):
        draft.parallel = draft.parallel or tag[0].startswith("[P]")
        rest = rest[tag.end() :]
    draft.title = rest.strip()
    return draft


def _after(match: re.Match[str] | None) -> list[str]:
    """Return the ids of a dependency, or nothing when the words are a sentence."""
    if match is None:
        return []
    parts = [part.strip("`* ") for part in re.split(r",|\band\b", match[1].rstrip(". "))]
    return parts if all(re.fullmatch(KEY, part) for part in parts) else []
