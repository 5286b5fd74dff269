"""Reads JUnit XML that a check wrote: which tests ran, which failed and where.

The file was written by code under review: size, depth and number are limited, only one case is in memory at a time, and
a document type declaration, the way to entity bombs, is refused. Pure.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NoReturn
from xml.parsers.expat import ExpatError, ParserCreate

from obra_tui.core.model import CaseOutcome
from obra_tui.evidence.reports.report import MOST_BYTES, MOST_CASES, Case, Report, UnreadableReport, report_of

_MOST_DEPTH = 60
_MOST_TEXT = 20_000
_PIECE = 1 << 16
_SPOT = re.compile(r"(?m)^([^\s:][^:\n]{0,400}):(\d{1,7}): ")

__all__ = ["MOST_BYTES", "Report", "UnreadableReport", "read_report"]


def read_report(content: bytes) -> Report:
    """Read the cases of a report. Raises `UnreadableReport`."""
    if len(content) > MOST_BYTES:
        raise UnreadableReport(f"the report is larger than {MOST_BYTES:,} bytes")
    return report_of(_cases(content))


def _cases(content: bytes) -> Iterator[Case]:
    """Parse piece by piece and yield what is complete."""
    parser, building = ParserCreate(), _Building()
    parser.buffer_text = True
    parser.StartElementHandler = building.start
    parser.EndElementHandler = building.end
    parser.CharacterDataHandler = building.text
    parser.StartDoctypeDeclHandler = building.doctype
    try:
        for begin in range(0, len(content), _PIECE):
            parser.Parse(content[begin : begin + _PIECE], False)
            yield from building.taken()
        parser.Parse(b"", True)
    except (ExpatError, ValueError, LookupError) as error:
        raise UnreadableReport(str(error)) from error
    yield from building.taken()


class _Building:
    """The case that is being read."""

    def __init__(self) -> None:
        self._depth = self._count = 0
        self._case: dict[str, str] | None = None
        self._verdict: tuple[str, dict[str, str]] | None = None
        self._inside = ""
        self._text = ""
        self._finished: list[Case] = []

    def taken(self) -> list[Case]:
        found, self._finished = self._finished, []
        return found

    def doctype(self, *_: object) -> NoReturn:
        raise UnreadableReport("the report declares a document type, which is refused")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise UnreadableReport(f"the report is nested more than {_MOST_DEPTH} deep")
        match _local(tag):
            case "testcase":
                self._count += 1
                if self._count > MOST_CASES:
                    raise UnreadableReport(f"the report names more than {MOST_CASES:,} tests")
                self._case, self._verdict, self._inside, self._text = attributes, None, "", ""
            case "failure" | "error" | "skipped" as verdict if self._case is not None and not self._inside:
                self._inside = verdict
                if self._verdict is None or self._verdict[0] == "skipped":
                    self._verdict, self._text = (verdict, attributes), ""

    def text(self, text: str) -> None:
        if self._inside and self._verdict and self._verdict[0] == self._inside:
            self._text = (self._text + text)[-_MOST_TEXT:]

    def end(self, tag: str) -> None:
        self._depth -= 1
        name = _local(tag)
        if name == self._inside:
            self._inside = ""
        elif name == "testcase" and self._case is not None:
            self._finished.append(_case(self._case, self._verdict, self._text))
            self._case = None


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _case(case: dict[str, str], verdict: tuple[str, dict[str, str]] | None, text: str) -> Case:
    spots = [(found[1], int(found[2])) for found in _SPOT.finditer(text)]
    file = case.get("file") or _file_of_class(case.get("classname") or "", spots)
    name = _name(case, file)
    if verdict is None:
        return Case(name=name, outcome=CaseOutcome.PASSED)
    kind, said = verdict
    if kind == "skipped":
        return Case(name=name, outcome=CaseOutcome.SKIPPED)
    outcome = CaseOutcome.FAILED if kind == "failure" else CaseOutcome.ERROR
    return Case(
        name=name,
        outcome=outcome,
        message=said.get("message") or text.strip(),
        file=file,
        line=_line(case, file, spots),
    )


def _file_of_class(owner: str, spots: list[tuple[str, int]]) -> str:
    """Find the file that a dotted class stands for among those of the traceback."""
    named = {file for file, _ in spots}
    parts = owner.split(".")
    candidates = ("/".join(parts[:end]) + ".py" for end in range(len(parts), 0, -1))
    return next((file for file in candidates if file in named), "")


def _line(case: dict[str, str], file: str, spots: list[tuple[str, int]]) -> int | None:
    """Return where it failed: the last line of the traceback in the test's own file, else where the test begins."""
    own = [line for name, line in spots if name == file]
    if own:
        return own[-1]
    start = case.get("line") or ""
    return int(start) + 1 if start.isdigit() and len(start) < 8 else None


def _name(case: dict[str, str], file: str) -> str:
    """Return the test's name as pytest prints it where that can be told, else `class.name`."""
    owner, name = case.get("classname") or "", case.get("name") or "?"
    if not file:
        return f"{owner}.{name}" if owner else name
    module = ".".join(PurePosixPath(file).with_suffix("").parts)
    inner = owner.removeprefix(module).strip(".").replace(".", "::")
    return "::".join(part for part in (file, inner, name) if part)
