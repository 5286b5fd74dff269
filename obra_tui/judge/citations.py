"""Whether a place that the model names was really shown to it. Pure."""

import re
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.model import CheckResult, Diff, Finding
from obra_tui.judge.chunks import Part, one_line
from obra_tui.judge.errors import AnswerUnusable

_PLACE = re.compile(r"([\w./+@-]{1,200}\.\w{1,12}):(\d{1,9})\b")


class Shown(Struct, frozen=True, kw_only=True):
    """Files that may be named, and the lines of them that were in the prompt."""

    files: frozenset[str]
    lines: frozenset[tuple[str, int]]

    def resolve(self, file: str) -> str | None:
        """Return the file's name as we know it: models like to write `./x` or git's `b/x`."""
        known = {one_line(name): name for name in self.files}
        asked = one_line(file)
        candidates = (asked, asked.removeprefix("./"), asked[2:] if asked[:2] in ("a/", "b/") else asked)
        return next((known[name] for name in candidates if name in known), None)


def shown_in(diff: Diff, part: Part, checks: Iterable[CheckResult]) -> Shown:
    """Places of one prompt: lines of its hunks, files of the whole change, and what failing checks printed."""
    lines = {(hunk.file, number) for hunk in part.hunks for number in hunk.numbers}
    lines |= {place for result in checks for place in _printed(result)}
    files = {change.path for change in diff.files} | {change.old_path for change in diff.files if change.old_path}
    return Shown(files=frozenset(files | {file for file, _ in lines} | _named(checks)), lines=frozenset(lines))


def _printed(result: CheckResult) -> set[tuple[str, int]]:
    found = {(match[1].removeprefix("./"), int(match[2])) for match in _PLACE.finditer(result.output)}
    return found | {(case.file, case.line) for case in result.failures if case.file and case.line}


def _named(checks: Iterable[CheckResult]) -> set[str]:
    return {case.file for result in checks for case in result.failures if case.file}


def confirmed(findings: tuple[Finding, ...], shown: Shown) -> tuple[Finding, ...]:
    """Return the findings with known file names, or raise `AnswerUnusable` for the first place that was not shown."""
    return tuple(_confirm(item, number, shown) for number, item in enumerate(findings, start=1))


def _confirm(finding: Finding, number: int, shown: Shown) -> Finding:
    if not finding.file:
        return finding
    file = shown.resolve(finding.file)
    if file is None:
        raise AnswerUnusable(f"finding {number} names the file {finding.file!r}, which is not in the change")
    if finding.line is not None and (file, finding.line) not in shown.lines:
        raise AnswerUnusable(f"finding {number} names {file}:{finding.line}, a line that was not shown")
    return replace(finding, file=file)
