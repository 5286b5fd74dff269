"""The table of faults, in Markdown, from the results of a test run."""

import platform
import sqlite3
from collections import Counter
from pathlib import Path

from tests.faults.catalogue import FAULTS, Fault

_HEAD = """# Faults

What can go wrong, what must follow, and the tests that show it. Made by `make faults` from the results of the tests;
do not edit. *shown* = all tests named passed; *shown in part* = they passed, and the last column says what they do not
show; *not tested here* = no test, for the reason given.

"""


def result_of(fault: Fault, results: dict[str, str]) -> str:
    """Return one of: shown, shown in part, not tested here, skipped, failed, missing."""
    outcomes = set(results.values())
    if "failed" in outcomes:
        return "failed"
    if "passed" in outcomes:
        return "shown in part" if fault.limit or "skipped" in outcomes else "shown"
    if outcomes:
        return "skipped"
    return "not tested here" if fault.limit else "missing"


def write_report(path: Path, results: dict[int, dict[str, str]]) -> None:
    rows = [(fault, results.get(fault.number, {})) for fault in FAULTS]
    counted = Counter(result_of(*row) for row in rows)
    text = _HEAD + f"{len(rows)} faults: " + ", ".join(f"{n} {word}" for word, n in counted.most_common()) + ".\n"
    text += f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()}.\n"
    for group in dict.fromkeys(fault.group for fault in FAULTS):
        text += f"\n## {group}\n\n| # | Fault | Required | Result | Tests |\n|---|---|---|---|---|\n"
        text += "".join(_row(*row) for row in rows if row[0].group == group)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _row(fault: Fault, results: dict[str, str]) -> str:
    tests = "<br>".join(f"`{name}`{'' if how == 'passed' else f' ({how})'}" for name, how in sorted(results.items()))
    cells = (str(fault.number), fault.what, fault.required, result_of(fault, results))
    return f"| {' | '.join(cells)} | {' — '.join(part for part in (tests, fault.limit) if part)} |\n"
