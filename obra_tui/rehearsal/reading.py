"""What a review prompt shows: the changed lines, the failing checks and what was asked for.

It exists because the scripted Qwen must answer from the prompt it is really given, as a model does: what is
not in the prompt it cannot find. It must not know how Obra lays its prompts out, only what diffs and
test runners look like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NUMBERED = re.compile(r"^\s*(\d+)?\s*[|│]([+\- ])(.*)$")
_NUMBERED_FILE = re.compile(r"^(?:#+ )?file: (\S.*?)\s*$", re.IGNORECASE)
_HEADING = re.compile(r"^#+ +(.*)$")
_TEST_PATH = re.compile(r"(^|/)(tests?|spec)/|(^|/)test_[^/]*$|_test\.\w+$|\.(test|spec)\.\w+$")
_FAILED = re.compile(r"^\W*(?:FAILED|ERROR|FAIL)\W+([\w./-]+::[^\s:`]+(?:::[^\s:`]+)*)`?(?:\s*(?:-|:|—)\s+(.*))?\s*$")
_LISTED = re.compile(r"^- (\S+)(?: \([^)]*\))?(?:: (.*))?$")
_UNITTEST = re.compile(r"^\s*(?:FAIL|ERROR): (\w+) \(([\w.]+)\)")
_PLACE = re.compile(r"^\s*(?:File \")?([\w./-]+\.\w+)(?:\", line |:)(\d+)(?::(\d+))?(?:[:,]\s*(.*))?$")
_ASSERT = re.compile(r"^\s*E\s{2,}(.*\S)")


class DiffLine(Struct, frozen=True, kw_only=True):
    """A line of the new side of a diff. `added` tells it from context."""

    number: int
    text: str
    added: bool


class FileShown(Struct, frozen=True, kw_only=True):
    """One file of the diff, as far as the prompt shows it."""

    path: str
    deleted: bool
    lines: tuple[DiffLine, ...]
    removed: tuple[tuple[int, str], ...]
    """Text that is gone, with the line of the new side before which it stood."""

    @property
    def is_test(self) -> bool:
        return _TEST_PATH.search(self.path) is not None

    @property
    def added(self) -> tuple[DiffLine, ...]:
        return tuple(line for line in self.lines if line.added)


class Failure(Struct, frozen=True, kw_only=True):
    """A failing test, or a place that a lint or type check complains about."""

    name: str
    message: str = ""
    file: str = ""
    line: int | None = None

    @property
    def short_name(self) -> str:
        """The test itself: runners and reports disagree on everything before it."""
        return re.split(r"::|\.(?!py\b)", self.name)[-1]


class PromptEvidence(Struct, frozen=True, kw_only=True):
    """Everything a reviewer can know from one prompt."""

    files: tuple[FileShown, ...]
    failures: tuple[Failure, ...]
    prose: str
    """The prompt without its diff lines: task, criteria, output."""
    is_part: bool

    def file(self, path: str) -> FileShown | None:
        """The file of that name; a runner may print more or less of its path."""
        return next((f for f in self.files if f.path == path or path.endswith("/" + f.path)), None)


def read_prompt(text: str) -> PromptEvidence:
    """Take the evidence out of a prompt."""
    files, rest = _read_diff(text.splitlines())
    prose = "\n".join(rest)
    return PromptEvidence(
        files=files,
        failures=tuple(_failures(_about_checks(rest))),
        prose=prose,
        is_part=re.search(r"(?i)\bparts? \d+ (?:of|/) ?[2-9]\d*", prose) is not None,
    )


def _about_checks(lines: Sequence[str]) -> list[str]:
    """The sections about checks, if the prompt has headings that say so: old findings are no evidence."""
    chosen: list[str] = []
    inside = found = False
    for line in lines:
        if heading := _HEADING.match(line):
            inside = re.search(r"(?i)\b(checks?|tests?|output|measured)\b", heading[1]) is not None
            found = found or inside
        elif inside:
            chosen.append(line)
    return chosen if found else list(lines)


class _OpenFile(Struct):
    """A file while its hunks are read."""

    path: str
    deleted: bool
    lines: list[DiffLine]
    removed: list[tuple[int, str]]

    def frozen(self) -> FileShown:
        return FileShown(path=self.path, deleted=self.deleted, lines=tuple(self.lines), removed=tuple(self.removed))


def _read_diff(lines: Sequence[str]) -> tuple[tuple[FileShown, ...], list[str]]:
    """Take the hunks out: of a unified diff, or of a listing `file: …` with numbered lines `12 |+text`."""
    files: dict[str, _OpenFile] = {}
    rest: list[str] = []
    old = new = listed = ""
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("--- ") and at < len(lines) and lines[at].startswith("+++ "):
            old, new = _path(line), _path(lines[at])
            at += 1
        elif (hunk := _HUNK.match(line)) and (new or old):
            gone = new == "/dev/null"
            path = old if gone else new
            at = _read_hunk(lines, at, hunk, files.setdefault(path, _OpenFile(path, gone, [], [])))
        elif name := _NUMBERED_FILE.match(line):
            listed = name[1]
        elif listed and line.startswith("@@ "):
            gone = "nothing left" in line
            at = _read_listing(lines, at, files.setdefault(listed, _OpenFile(listed, gone, [], [])))
        else:
            rest.append(line)
    return tuple(file.frozen() for file in files.values()), rest


def _path(line: str) -> str:
    name = line[4:].split("\t")[0].strip().strip('"')
    return name[2:] if name[:2] in ("a/", "b/") else name


def _read_hunk(lines: Sequence[str], at: int, hunk: re.Match[str], file: _OpenFile) -> int:
    """Read exactly as many lines as the hunk's head promises, or until something else begins."""
    old_left, new_left = int(hunk[2] or 1), int(hunk[4] or 1)
    number = int(hunk[3])
    while at < len(lines) and (old_left > 0 or new_left > 0):
        sign, text = lines[at][:1] or " ", lines[at][1:]
        if sign not in "+- \\":
            break
        at += 1
        if sign == "-":
            file.removed.append((number, text))
        elif sign != "\\":
            file.lines.append(DiffLine(number=number, text=text, added=sign == "+"))
            number += 1
        old_left -= sign in "- "
        new_left -= sign in "+ "
    return at


def _read_listing(lines: Sequence[str], at: int, file: _OpenFile) -> int:
    number = 1
    while at < len(lines) and (line := _NUMBERED.match(lines[at])):
        at += 1
        if line[2] == "-":
            file.removed.append((number, line[3]))
        elif line[1]:
            file.lines.append(DiffLine(number=int(line[1]), text=line[3], added=line[2] == "+"))
            number = int(line[1]) + 1
    return at


def _failures(lines: Sequence[str]) -> Iterator[Failure]:
    """Failing tests, each once whatever it is called, with the nearest message; then other places."""
    told: dict[str, Failure] = {}
    places: list[Failure] = []
    last_assert = ""
    listed = False
    for line in lines:
        listed = line.startswith("Failing tests:") or (listed and line.startswith("- "))
        if found := _ASSERT.match(line):
            last_assert = last_assert or found[1]
        elif found := (_LISTED.match(line) if listed else None) or _FAILED.match(line):
            _note(told, found[1], found[2] or last_assert)
        elif found := _UNITTEST.match(line):
            _note(told, f"{found[2]}::{found[1]}", "")
        elif found := _PLACE.match(line):
            places.append(Failure(name="", message=found[4] or "", file=found[1], line=int(found[2])))
    yield from told.values()
    yield from places


def _note(told: dict[str, Failure], name: str, message: str) -> None:
    failure = Failure(name=name, message=message)
    known = told.get(failure.short_name)
    if known is None or (message and not known.message):
        told[failure.short_name] = failure
