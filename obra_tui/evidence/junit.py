"""Reads JUnit XML that a check wrote: how many tests ran, which failed and where.

The file was written by code under review: its size is limited, and a document
type declaration, the way to entity bombs, is refused. Pure.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from msgspec import Struct

from obra_tui.core.model import FailedCase

MOST_BYTES = 20_000_000
_MOST_FAILURES = 100
_MOST_MESSAGE = 2_000
_SPOT = re.compile(r"(?m)^([^\s:][^:\n]{0,400}):(\d{1,7}): ")


class UnreadableReport(ValueError):
    """The report cannot be used; the text says why."""


class Report(Struct, frozen=True, kw_only=True):
    passed: int
    failed: int
    skipped: int
    failures: tuple[FailedCase, ...]

    @property
    def ran(self) -> int:
        return self.passed + self.failed


class _NoDoctype(TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        raise UnreadableReport("the report declares a document type, which is refused")


def read_report(content: bytes) -> Report:
    """Count test cases. Raises `UnreadableReport`."""
    if len(content) > MOST_BYTES:
        raise UnreadableReport(f"the report is larger than {MOST_BYTES:,} bytes")
    parser = XMLParser(target=_NoDoctype())
    try:
        parser.feed(content)
        root = parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise UnreadableReport(str(error)) from error
    cases = list(root.iter("testcase"))
    failures = tuple(_failures(cases))
    skipped = sum(1 for case in cases if case.find("skipped") is not None and not _bad(case))
    return Report(
        passed=len(cases) - len(failures) - skipped,
        failed=len(failures),
        skipped=skipped,
        failures=failures[:_MOST_FAILURES],
    )


def _bad(case: Element) -> list[Element]:
    return [part for part in case if part.tag in ("failure", "error")]


def _failures(cases: list[Element]) -> Iterator[FailedCase]:
    for case in cases:
        if bad := _bad(case):
            yield _failed_case(case, bad[0])


def _failed_case(case: Element, bad: Element) -> FailedCase:
    text = bad.text or ""
    spots = [(found[1], int(found[2])) for found in _SPOT.finditer(text[-20_000:])]
    file = case.get("file") or _file_of_class(case.get("classname") or "", spots)
    message = bad.get("message") or text.strip()
    return FailedCase(name=_name(case, file), message=message[:_MOST_MESSAGE], file=file, line=_line(case, file, spots))


def _file_of_class(owner: str, spots: list[tuple[str, int]]) -> str:
    """Find the file that a dotted class stands for among those of the traceback."""
    named = {file for file, _ in spots}
    parts = owner.split(".")
    candidates = ("/".join(parts[:end]) + ".py" for end in range(len(parts), 0, -1))
    return next((file for file in candidates if file in named), "")


def _line(case: Element, file: str, spots: list[tuple[str, int]]) -> int | None:
    """Return where it failed: the last line of the traceback in the test's own file, else where the test begins."""
    own = [line for name, line in spots if name == file]
    if own:
        return own[-1]
    start = case.get("line") or ""
    return int(start) + 1 if start.isdigit() and len(start) < 8 else None


def _name(case: Element, file: str) -> str:
    """Return the test's name as pytest prints it where that can be told, else `class.name`."""
    owner, name = case.get("classname") or "", case.get("name") or "?"
    if not file:
        return f"{owner}.{name}" if owner else name
    module = ".".join(PurePosixPath(file).with_suffix("").parts)
    inner = owner.removeprefix(module).strip(".").replace(".", "::")
    return "::".join(part for part in (file, inner, name) if part)
