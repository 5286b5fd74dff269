"""Orders to the judge that stand in the work itself, found by rule: a model that obeys them does not report them.

Narrow on purpose. A hit only sends the gate to a person, but code about prompts must stay writable.
"""

import re
from collections.abc import Iterator

from obra_tui.core.model import Finding, FindingSource, Severity
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


def gives_orders(text: str) -> bool:
    # a line is cut so that no expression can be made slow by its length
    return any(pattern.search(text[:_MAX_LINE]) for pattern in _ORDERS)


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
