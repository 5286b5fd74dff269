"""Reads SARIF 2.1.0, the report of linters and scanners: what was found, by which rule, where.

The file is somebody else's: its size is limited and its shape is not trusted. Pure.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from obra_tui.core.model import FailedCase
from obra_tui.evidence.reports.report import MOST_BYTES, UnreadableReport

_MOST_RESULTS = 5_000
_MOST_MESSAGE = 2_000


def read_sarif(content: bytes) -> tuple[str, tuple[FailedCase, ...]]:
    """Return the names of the tools and their results. Raises `UnreadableReport`."""
    if len(content) > MOST_BYTES:
        raise UnreadableReport(f"the report is larger than {MOST_BYTES:,} bytes")
    try:
        report = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnreadableReport(f"it is no JSON ({type(error).__name__})") from error
    runs = _list(_get(report, "runs"))
    if not runs:
        raise UnreadableReport("it holds no run")
    tools = dict.fromkeys(_text(_get(run, "tool", "driver", "name")) for run in runs)
    cases = tuple(case for run in runs for case in _results(run))
    return ", ".join(filter(None, tools)) or "sarif", cases[:_MOST_RESULTS]


def _results(run: Any) -> Iterator[FailedCase]:
    for result in _list(_get(run, "results")):
        place = _get(next(iter(_list(_get(result, "locations"))), None), "physicalLocation")
        line = _get(place, "region", "startLine")
        level = _text(_get(result, "level")) or "warning"
        message = _text(_get(result, "message", "text"))[:_MOST_MESSAGE]
        yield FailedCase(
            name=_text(_get(result, "ruleId")) or "no rule",
            message=f"{level}: {message}",
            file=unquote(_text(_get(place, "artifactLocation", "uri"))),
            line=line if isinstance(line, int) and not isinstance(line, bool) and 0 < line < 10_000_000 else None,
        )


def _get(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
