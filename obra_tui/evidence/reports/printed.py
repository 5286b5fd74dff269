"""Reads tests by name from what a runner prints: TAP, libtest, nextest, unittest, ctest, pytest -v. Pure."""

import re
from collections.abc import Callable, Iterator

from obra_tui.core.model import CaseOutcome
from obra_tui.evidence.reports.report import Case, Report, UnreadableReport, report_of

_TAP = re.compile(r"^(?P<indent> *)(?P<bad>not )?ok\b *\d* *-? ?(?P<title>.*?)(?: # (?P<word>SKIP|TODO)\b.*)?$", re.I)
_TAP_NAME = re.compile(r"^(?P<indent> *)# Subtest: (?P<title>.*)$")
_TAP_PLAN = re.compile(r"^ *\d+\.\.(\d+)")
_IS_FILE = re.compile(r".*\.[cm]?[jt]sx?$")
_LIBTEST = re.compile(r"^test (?P<name>.+?)(?: - should panic)? \.\.\. (?P<how>ok|FAILED|ignored\b.*)$")
_TARGET = re.compile(r"^\s*(?:Running (?:unittests )?(?P<path>\S+)|Doc-tests (?P<doc>\S+))")
_LIBTEST_SUM = re.compile(r"^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored")
_NEXTEST = re.compile(r"^\s*(?P<how>PASS|FAIL|SKIP|SIGSEGV|SIGABRT|ABORT|TIMEOUT)\s+\[[^\]]*\]\s+(?P<name>\S.*)$")
_UNITTEST = re.compile(
    r"^(?P<name>\w+) \((?P<owner>[\w.]+)\)(?:\n.*)??.*? \.\.\. "
    r"(?P<how>ok|FAIL|ERROR|skipped\b.*|expected failure|unexpected success)$",
    re.M,
)
_CTEST = re.compile(r"^\s*\d+/\d+ Test\s+#\d+: (?P<name>\S+) \.*\s*(?P<how>Passed|\*\*\*\S.*?|Failed)\s+[\d.]+ sec")


def read_tap(text: str, root: str = "") -> Report:
    """Read TAP with nested subtests: the leaves, named by the titles above them. Raises `UnreadableReport`."""
    return report_of(_tap(text, root))


def _tap(text: str, root: str) -> Iterator[Case]:
    titles: dict[int, str] = {}
    with_children: set[int] = set()
    planned, seen = -1, 0
    for line in text.splitlines():
        if found := _TAP_NAME.match(line):
            depth = len(found["indent"]) // 4
            titles = {at: title for at, title in titles.items() if at < depth} | {depth: _short(found["title"], root)}
            with_children = {at for at in with_children if at < depth}
            if depth:
                with_children.add(depth - 1)
        elif line.startswith("Bail out!"):
            raise UnreadableReport("the tests were given up")
        elif found := _TAP.match(line):
            depth = len(found["indent"]) // 4
            seen += depth == 0
            had_children = depth in with_children
            title = _short(found["title"], root)
            name = " > ".join([*(titles[at] for at in sorted(titles) if at < depth), title])
            if case := _tap_case(name, title, found, had_children=had_children):
                yield case
            with_children.discard(depth)
            titles.pop(depth, None)
        elif (found := _TAP_PLAN.match(line)) and not line.startswith(" "):
            planned = int(found[1])
    if planned > seen:
        raise UnreadableReport(f"{planned} tests were announced and {seen} reported")


def _tap_case(name: str, title: str, found: re.Match[str], *, had_children: bool) -> Case | None:
    """A group is no test of its own, and neither is a file that names none, unless it failed."""
    bad = bool(found["bad"]) and (found["word"] or "").upper() != "TODO"
    if had_children:
        return None
    if bad:
        return Case(name=name, outcome=CaseOutcome.FAILED)
    if found["word"]:
        return Case(name=name, outcome=CaseOutcome.SKIPPED)
    return None if _IS_FILE.match(title) else Case(name=name, outcome=CaseOutcome.PASSED)


def _short(title: str, root: str) -> str:
    return title.strip().removeprefix(f"{root}/") if root else title.strip()


def read_libtest(text: str) -> Report:
    """Read what `cargo test` prints. Raises `UnreadableReport` where names and counts differ."""
    cases: list[Case] = []
    target, names, counted = "", 0, 0
    for line in text.splitlines():
        if found := _TARGET.match(line):
            target = found["path"] or f"doc {found['doc']}"
        elif found := _LIBTEST.match(line):
            names += 1
            how = found["how"]
            outcome = CaseOutcome.PASSED if how == "ok" else CaseOutcome.FAILED
            outcome = CaseOutcome.SKIPPED if how.startswith("ignored") else outcome
            cases.append(Case(name=f"{target}::{found['name']}" if target else found["name"], outcome=outcome))
        elif found := _LIBTEST_SUM.match(line):
            counted += sum(int(found[at]) for at in (1, 2, 3))
        elif found := _NEXTEST.match(line):
            outcome = {"PASS": CaseOutcome.PASSED, "SKIP": CaseOutcome.SKIPPED}.get(found["how"], CaseOutcome.FAILED)
            cases.append(Case(name=found["name"], outcome=outcome))
    if names != counted:
        raise UnreadableReport(f"{names} tests are named and {counted} counted")
    return report_of(cases)


def read_unittest(text: str) -> Report:
    how = {"ok": CaseOutcome.PASSED, "expected failure": CaseOutcome.SKIPPED, "FAIL": CaseOutcome.FAILED}
    return report_of(
        Case(
            name=f"{found['owner'].removesuffix('.' + found['name'])}.{found['name']}",
            outcome=CaseOutcome.SKIPPED
            if found["how"].startswith("skipped")
            else how.get(found["how"], CaseOutcome.ERROR),
        )
        for found in _UNITTEST.finditer(text)
    )


def read_ctest(text: str) -> Report:
    def cases() -> Iterator[Case]:
        for line in text.splitlines():
            if found := _CTEST.match(line):
                how = found["how"]
                bad = CaseOutcome.SKIPPED if "Skipped" in how else CaseOutcome.FAILED
                yield Case(name=found["name"], outcome=CaseOutcome.PASSED if how == "Passed" else bad)

    return report_of(cases())


READERS: tuple[tuple[re.Pattern[str], Callable[[str], Report]], ...] = (
    (re.compile(r"(?m)^test result: |^\s*(?:PASS|FAIL) \["), read_libtest),
    (re.compile(r"(?m)^TAP version 1[34]|^1\.\.\d+$|^(?:not )?ok 1\b"), read_tap),
    (re.compile(r"(?m)^\s*1/\d+ Test\s+#\d+: "), read_ctest),
    (re.compile(r"(?m)^Ran \d+ tests? in "), read_unittest),
)


def read_printed(text: str) -> Report | None:
    """Read tests from output by what it looks like; None where no test is named. Raises `UnreadableReport`."""
    for looks, read in READERS:
        if looks.search(text):
            report = read(text)
            return report if report.cases else None
    return None
