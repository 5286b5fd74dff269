"""Ways in which a model's answer can be wrong although the server works.

It exists so that the strictness of whoever reads verdicts can be tested. It must not know how answers travel.
"""

from __future__ import annotations

import json
import re
from typing import Any

from obra_tui.rehearsal.faults import FaultKind

_PROSE = "The change looks fine to me overall, although I would have liked to see a few more comments here and there."
_THOUGHT = "<think>\nThe diff is small. I compare it with the task and with the output of the checks.\n</think>\n\n"
_GHOST = {
    "file": "no/such/file.py", "line": 4711, "severity": "major", "kind": "correctness",
    "message": "This line is wrong.", "suggestion": "",
}  # fmt: skip


def spoil(value: dict[str, Any], kind: FaultKind | None) -> str:
    """The answer as text, spoiled as ordered."""
    text = json.dumps(value, ensure_ascii=False)
    match kind:
        case FaultKind.PROSE:
            return _PROSE
        case FaultKind.EMPTY:
            return ""
        case FaultKind.HALF_JSON:
            return text[: len(text) // 2]
        case FaultKind.THINK:
            return _THOUGHT + text
        case FaultKind.NAN:
            return _with_first_score(value, "NaN")
        case FaultKind.BOOL_SCORE:
            return _with_first_score(value, "true")
        case FaultKind.SCORE_101:
            return _with_first_score(value, "101")
        case FaultKind.DUPLICATE_KEYS:
            return re.sub(r'"(\w+)": (\d+)(?=[,}])', r'"\1": \2, "\1": 100', text)
        case FaultKind.GHOST_LINE:
            return json.dumps(_ghosted(value), ensure_ascii=False)
        case _:
            return text


def _with_first_score(value: dict[str, Any], literal: str) -> str:
    """Put a literal in the place of the first score, wherever the schema has it."""
    mark = "@score@"
    text = json.dumps(_marked(value, mark, [False]), ensure_ascii=False)
    return text.replace(f'"{mark}"', literal)


def _marked(value: Any, mark: str, done: list[bool], key: str = "") -> Any:
    match value:
        case dict():
            return {k: _marked(v, mark, done, key if key == "scores" else k) for k, v in value.items()}
        case list():
            return [_marked(v, mark, done, key) for v in value]
        case int() | float() if not isinstance(value, bool) and key in ("scores", "score", "overall") and not done[0]:
            done[0] = True
            return mark
        case _:
            return value


def _ghosted(value: dict[str, Any]) -> dict[str, Any]:
    findings = value.get("findings")
    if not isinstance(findings, list):
        return value
    like = findings[0] if findings and isinstance(findings[0], dict) else {}
    return {**value, "findings": [*findings, {**like, **_GHOST}]}
