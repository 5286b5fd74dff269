"""A person's answer to a gate: what an approval goes against, findings of their own, and the answer told in lines.

Pure; the screen, the command line and the exports say the same by it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from obra_tui.core.errors import NotAllowed
from obra_tui.core.gate import describe_check
from obra_tui.core.model import (
    CheckResult,
    CheckStatus,
    Decision,
    Finding,
    FindingSource,
    QualityResult,
    Severity,
    Verdict,
)

_SEVERITIES = "|".join(item.value for item in Severity)
_HEAD = re.compile(rf"(?P<file>[^\s:][^:]*?)(?::(?P<line>\d+))?(?:\s+(?P<severity>{_SEVERITIES}))?", re.IGNORECASE)
_ARGUMENT = re.compile(
    rf"(?P<file>[^:]+):(?P<line>\d+)(?::\s*(?P<severity>{_SEVERITIES}))?:(?P<text>.+)", re.IGNORECASE | re.DOTALL
)
_BEGINS = re.compile(rf"(?P<severity>{_SEVERITIES})", re.IGNORECASE)


def override_reasons(
    quality: QualityResult | None, checks: Iterable[CheckResult], verdict: Verdict | None
) -> tuple[str, ...]:
    """Return what an approval would go against, one sentence each; every one needs a reason to be overridden."""
    found: list[str] = []
    if quality is None:
        found.append("There is no score.")
    elif not quality.passes_gate:
        found.append(f"{quality.line}: it needs {quality.threshold:.2f}.")
        found.extend(quality.obstacles)
    found.extend(f"{describe_check(result)}." for result in checks if result.status is not CheckStatus.PASSED)
    if verdict is not None and not verdict.complete:
        found.append(f"Not judged: {verdict.unjudged}")
    return tuple(dict.fromkeys(found))


# --- findings of a person ------------------------------------------------------------------------


def written_finding(text: str, files: Sequence[str]) -> Finding:
    """Read a finding as it is typed on the screen: `file:line severity`, then what is wrong.

    A first line that is only a severity is about the work as a whole. Raises `NotAllowed` with what to mend.
    """
    head, _, rest = text.strip().partition("\n")
    if only := _BEGINS.fullmatch(head.strip()):
        return _finding("", None, only["severity"], rest)
    found = _HEAD.fullmatch(head.strip())
    if found is None:
        raise NotAllowed("The first line names no place.", fix="Write it as calc.py:12 major.")
    _refuse_unknown(found["file"], files)
    return _finding(found["file"], int(found["line"]) if found["line"] else None, found["severity"], rest)


def finding_of_argument(text: str, files: Sequence[str]) -> Finding:
    """Read `FILE:LINE:TEXT` or `FILE:LINE:SEVERITY:TEXT`. Raises `NotAllowed` with what to mend."""
    found = _ARGUMENT.fullmatch(text)
    if found is None:
        raise NotAllowed(f"'{text}' is no finding.", fix="Write it as calc.py:12:What is wrong.")
    _refuse_unknown(found["file"], files)
    return _finding(found["file"], int(found["line"]), found["severity"], found["text"])


def _refuse_unknown(file: str, files: Sequence[str]) -> None:
    if file not in files:
        few = ", ".join(files[:5]) + (", …" if len(files) > 5 else "")
        raise NotAllowed(f"{file} is not part of the change.", fix=f"It has: {few}." if files else "It has no files.")


def _finding(file: str, line: int | None, severity: str | None, text: str) -> Finding:
    said = text.strip()
    if not said:
        raise NotAllowed("The finding says nothing.", fix="Write what is wrong there.")
    level = Severity((severity or Severity.MAJOR.value).lower())
    return Finding(severity=level, message=said, file=file, line=line, source=FindingSource.PERSON)


# --- told ----------------------------------------------------------------------------------------


def finding_text(finding: Finding) -> str:
    """Return a finding as one text: severity, place, message, and who says so if it is not the judge."""
    own = "(yours) " if finding.source is FindingSource.PERSON else ""
    note = f" · note: {finding.note.strip()}" if finding.note.strip() else ""
    place = f"{finding.place} " if finding.place else ""
    return f"[{finding.severity.value}] {place}{own}{finding.message}{note}"


def decision_lines(decision: Decision) -> Iterator[tuple[str, str]]:
    """Yield what an answer says beside its kind and its author, as labels and texts."""
    if decision.note.strip():
        yield "note", decision.note.strip()
    if decision.override and not decision.overridden:
        yield "against", "It did not pass the gate and was approved all the same."
    for text in decision.overridden:
        yield "against", text
    for finding in decision.chosen:
        yield "sent", finding_text(finding)
    if decision.device:
        yield "device", decision.device
    if decision.own_score is not None:
        yield "own score", f"{decision.own_score:.2f}, given before the judge's was shown"
    if decision.open_s > 0:
        count = len(decision.seen_files)
        files = f"{count} file{'' if count == 1 else 's'} read to the end"
        yield "looked", f"for {decision.open_s:.0f} s; {files}"
