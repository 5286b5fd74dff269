"""Orders to the judge that stand in the work itself, found by rule: a model that obeys them does not report them.

Narrow on purpose. A hit only sends the gate to a person, but code about prompts must stay writable.
"""

import re
import unicodedata
from collections.abc import Iterator

from obra_tui.core.model import CheckStatus, Finding, FindingSource, JudgeRequest, Severity
from obra_tui.judge.parts import Hunk
from obra_tui.judge.template import INJECTION

_MAX_LINE = 2000
_ORDERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:ignore|disregard|forget|override)\b.{0,30}\b(?:previous|prior|above|earlier|all|your|the)\b.{0,30}"
        r"\b(?:instructions?|rules?|prompts?|rubric|criteria)\b",
        r"\b(?:reviewer|judge|validator|evaluator|grader|qwen|language model|llm|assistant|ai)\b.{0,60}"
        r"\b(?:must|should|please|has to|have to|now)\b.{0,40}"
        r"\b(?:approve|score|rate|accept|answer|give|output|respond)\b",
        r"\b(?:score|rate|give|answer|grade)\b.{0,40}\b(?:every|all|each)?\b.{0,20}\b(?:100|1\.0|10/10|full marks)\b"
        r".{0,40}\b(?:approve|criteri|verdict|rubric)",
        r"<\|(?:im_start|im_end|system|endoftext|eot_id)\|?>",
    )
)
_CYRILLIC = "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0458\u0501\u051b"
_CYRILLIC_CAPITALS = "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406"
_GREEK = "\u03bf\u03b1\u039f\u0391\u0399"
_LOOKALIKES = dict(zip(_CYRILLIC + _CYRILLIC_CAPITALS + _GREEK, "aeopcyxisjdqABEKMHOPCTXIoaOAI", strict=True))
"""Letters of Cyrillic and Greek that look like Latin ones."""
_KINDLY = "Look at this place yourself before you decide."


def orders_in_change(hunks: tuple[Hunk, ...]) -> Iterator[Finding]:
    """Findings for added lines that speak to the judge."""
    for hunk in hunks:
        for line in hunk.lines:
            if line.sign == "+" and gives_orders(line.text):
                yield _finding(hunk.file, line.number, "An added line gives orders to the judge.")


def orders_in_message(text: str) -> Iterator[Finding]:
    if any(gives_orders(line) for line in text.splitlines()):
        yield _finding("", None, "The author's last message gives orders to the judge.")


def orders_around(request: JudgeRequest, hunks: tuple[Hunk, ...]) -> Iterator[Finding]:
    """Findings for all else that the judge is shown and that the author of the work may have had a hand in."""
    for change in request.diff.files:
        if any(gives_orders(re.sub(r"[_\-./]+", " ", name)) for name in (change.path, change.old_path) if name):
            yield _finding(change.path, None, "The name of a file gives orders to the judge.")
    for hunk in hunks:
        for line in hunk.lines:
            if line.sign == " " and gives_orders(line.text):
                yield _finding(hunk.file, line.number, "A line beside the change gives orders to the judge.")
    for result in request.checks:
        said = (result.output, *(f"{case.name}\n{case.message}" for case in result.failures))
        if result.status is not CheckStatus.PASSED and any(map(gives_orders, "\n".join(said).splitlines())):
            yield _finding("", None, f"What the check {result.spec.name} printed gives orders to the judge.")


def gives_orders(text: str) -> bool:
    # a line is cut so that no expression can be made slow by its length
    line = text[:_MAX_LINE]
    plain = _undisguised(line)
    return any(pattern.search(form) for form in {line, plain} for pattern in _ORDERS)


def _undisguised(text: str) -> str:
    """Return the text as it reads: without invisible characters and accents, letters of other widths as plain ones."""
    if text.isascii():
        return text
    found = unicodedata.normalize("NFKD", text)
    return "".join(_LOOKALIKES.get(c, c) for c in found if unicodedata.category(c) not in ("Cf", "Mn"))


def _finding(file: str, line: int | None, message: str) -> Finding:
    return Finding(
        severity=Severity.BLOCKER,
        message=message,
        file=file,
        line=line,
        kind=INJECTION,
        suggestion=_KINDLY,
        source=FindingSource.CHECK,
    )
