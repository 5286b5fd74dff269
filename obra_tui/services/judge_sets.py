"""Sets of cases as files, one JSON object a line: out without secrets, in without trust.

What somebody else says of a case is kept as their word (strength D): it can be asked about and earns nothing. Answers
of judges are never taken in: a record does not carry from one place to another.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from obra_tui.core.errors import ConfigError
from obra_tui.core.model import CaseSource, Diff, JudgeCase, Truth, case_id
from obra_tui.core.plain import to_builtins
from obra_tui.services.judge_trials import ShownCase
from obra_tui.store.redact import exporter

_LARGEST = 64_000
"""Characters of a patch that are kept with a case."""


def lines_of(shown: Sequence[ShownCase], *, with_code: bool) -> Iterator[str]:
    clean = exporter()
    for item in shown:
        case, request = item.case, item.request
        told: dict[str, Any] = {
            "type": "judge_case",
            "id": case.id,
            "source": case.source.value,
            "truth": case.truth.value,
            "strength": case.strength,
            "kind": case.kind,
            "base": case.base,
            "file": case.file,
            "line": case.line,
            "proof": to_builtins(case.proof) if case.proof else None,
            "digest": request.diff.digest,
        }
        if with_code:
            told |= {"title": request.task.title, "prompt": request.task.prompt, "message": request.claude_message}
            told["diff"] = to_builtins(request.diff)
        yield clean.text(json.dumps(told))


def read_set(text: str, name: str) -> tuple[list[JudgeCase], Counter[str]]:
    """Return the cases of a set, and what was left out with how often. Raises `ConfigError` naming the line."""
    found: dict[str, JudgeCase] = {}
    left_out: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        told = _object(line, number, name)
        match told.get("type"):
            case "judge_case" if not told.get("diff"):
                left_out["cases without code: there is nothing to show"] += 1
            case "judge_case":
                case = _case(told, number, name)
                if case.diff is not None and len(case.diff.patch) > _LARGEST:
                    left_out[f"cases with more than {_LARGEST} characters"] += 1
                else:
                    found[case.id] = case
            case "trial":
                left_out["answers of judges: a record does not carry from one place to another"] += 1
            case other:
                left_out[f"lines of the unknown type {str(other)[:40]!r}"] += 1
    return list(found.values()), left_out


def _object(line: str, number: int, name: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _refused(f"Line {number} is no JSON.", name) from error
    if not isinstance(told, dict):
        raise _refused(f"Line {number} is no JSON object.", name)
    return told


def _case(told: dict[str, Any], number: int, name: str) -> JudgeCase:
    try:
        diff = msgspec.convert(told["diff"], Diff)
        place, line = str(told.get("file") or ""), told.get("line")
        return JudgeCase(
            id=case_id(CaseSource.IMPORTED, diff.digest, str(told["title"])),
            source=CaseSource.IMPORTED,
            truth=Truth(told["truth"]),
            strength="D",
            base=f"imported {told.get('base', '')}",
            kind=str(told.get("kind") or told.get("source") or ""),
            diff=diff,
            title=str(told["title"]),
            prompt=str(told.get("prompt") or told["title"]),
            message=str(told.get("message") or ""),
            file=place,
            line=line if isinstance(line, int) else None,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise _refused(f"Line {number} is no case ({error}).", name) from error


def _refused(what: str, name: str) -> ConfigError:
    return ConfigError(
        what, where=name, fix="Nothing was taken in. A set is what `obra judge export --with-code` writes."
    )
