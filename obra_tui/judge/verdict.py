"""One answer of the model, parsed without mercy: it either is a verdict in the form of the rubric, or it is none.

Pure. Nothing is guessed, rounded, clamped or filled in; `AnswerUnusable` says what is wrong in words that can be
shown to the model and to a person.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from msgspec import Struct

from obra_tui.core.model import CriterionScore, Finding, Severity
from obra_tui.judge.errors import AnswerUnusable
from obra_tui.judge.parts import visible
from obra_tui.judge.template import INJECTION, OPINIONS, Rubric

_KEYS = ("findings", "scores", "summary", "verdict")
_FINDING_KEYS = ("file", "line", "severity", "kind", "message", "suggestion")
_THINK, _THINK_END = "<think>", "</think>"
_MAX_LINE = 10**9


class Opinion(Struct, frozen=True, kw_only=True):
    """What one answer said, in our numbers."""

    findings: tuple[Finding, ...]
    scores: tuple[CriterionScore, ...]
    summary: str
    opinion: str


def parse_answer(text: str, rubric: Rubric, *, thoughts_allowed: bool = False) -> Opinion:
    """Return the opinion, or raise `AnswerUnusable`. One leading `<think>` block is passed over if allowed."""
    raw = _object(_load(_without_thoughts(text) if thoughts_allowed else text), "the answer", _KEYS)
    return Opinion(
        findings=_findings(raw["findings"], rubric),
        scores=_scores(raw["scores"], rubric),
        summary=_text(raw["summary"], "summary", needed=True),
        opinion=_choice(raw["verdict"], "verdict", OPINIONS),
    )


_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n?```", re.DOTALL | re.IGNORECASE)


def unwrapped(text: str, *, thoughts_allowed: bool) -> tuple[str, str]:
    """Return the text without what a server that ignores the schema puts round it, and words for that; else as it is.

    Only thoughts before the object and one fence round it are passed over: what it says is not guessed.
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        return text, ""
    before, ended, rest = stripped.rpartition(_THINK_END) if thoughts_allowed else ("", "", stripped)
    inner = rest.strip() if ended else stripped
    fences = _FENCE.findall(inner)
    if len(fences) == 1 and fences[0].lstrip().startswith("{"):
        return fences[0], "in a fence of Markdown"
    if ended and inner.startswith("{") and _THINK_END not in before:
        return inner, "after thoughts"
    return text, ""


def _fail(what: str) -> NoReturn:
    raise AnswerUnusable(what)


# --- JSON ----------------------------------------------------------------------------------------


def _without_thoughts(text: str) -> str:
    stripped = text.lstrip()
    if not stripped.startswith(_THINK):
        return text
    _, end, rest = stripped.partition(_THINK_END)
    return rest if end else _fail("a <think> block has no end")


def _load(text: str) -> object:
    if not text.strip():
        _fail("the answer is empty")
    try:
        return json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        _fail(f"the answer is no JSON object: {error.msg} at character {error.pos}")
    except (ValueError, RecursionError):
        # an integer of thousands of digits, or brackets nested a thousand deep
        _fail("the answer is no usable JSON: a number is too long or it is nested too deeply")


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _fail("a key stands twice in the same object")
    return found


def _no_constant(name: str) -> NoReturn:
    _fail(f"{name} is no number of JSON")


def _object(raw: object, name: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        _fail(f"{name} is no JSON object")
    if missing := [key for key in keys if key not in raw]:
        _fail(f"{name} lacks the key {missing[0]!r}")
    if unknown := [key for key in raw if key not in keys]:
        _fail(f"{name} has the unknown key {visible(unknown[0])[:60]!r}")
    return raw


# --- values --------------------------------------------------------------------------------------


def _text(raw: object, name: str, *, needed: bool = False) -> str:
    if not isinstance(raw, str):
        _fail(f"{name} is no text")
    if needed and not raw.strip():
        _fail(f"{name} is empty")
    return visible(raw.strip())


def _choice(raw: object, name: str, options: tuple[str, ...]) -> str:
    if not isinstance(raw, str) or raw not in options:
        _fail(f"{name} is none of {', '.join(options)}")
    return raw


def _whole(raw: object, name: str, low: int, high: int) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        _fail(f"{name} is no whole number")
    if not low <= raw <= high:
        _fail(f"{name} is not between {low} and {high}")
    return raw


def _scores(raw: object, rubric: Rubric) -> tuple[CriterionScore, ...]:
    found = _object(raw, "scores", rubric.ids)
    return tuple(
        CriterionScore(
            criterion=item.id,
            stage=item.stage,
            score=_whole(found[item.id], f"score {item.id}", 0, 100) / 100,
            weight=item.weight,
        )
        for item in rubric.criteria
    )


def _findings(raw: object, rubric: Rubric) -> tuple[Finding, ...]:
    if not isinstance(raw, list):
        _fail("findings is no list")
    if len(raw) > rubric.max_findings:
        _fail(f"there are more than {rubric.max_findings} findings")
    return tuple(_finding(item, f"finding {number}", rubric) for number, item in enumerate(raw, start=1))


def _finding(raw: object, name: str, rubric: Rubric) -> Finding:
    found = _object(raw, name, _FINDING_KEYS)
    kind = _choice(found["kind"], f"kind of {name}", rubric.kinds)
    severity = Severity(_choice(found["severity"], f"severity of {name}", tuple(item.value for item in Severity)))
    file = _text(found["file"], f"file of {name}")
    line = None if found["line"] is None else _whole(found["line"], f"line of {name}", 1, _MAX_LINE)
    if line is not None and not file:
        _fail(f"{name} has a line but no file")
    return Finding(
        severity=Severity.BLOCKER if kind == INJECTION else severity,
        message=_text(found["message"], f"message of {name}", needed=True),
        file=file,
        line=line,
        kind=kind,
        suggestion=_text(found["suggestion"], f"suggestion of {name}"),
    )
