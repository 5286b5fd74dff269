"""From the opinions on the parts to one verdict; what contradicts itself or cites what was not shown. Pure."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.model import CheckResult, CheckStatus, CriterionScore, Diff, Finding, Severity
from obra_tui.judge.errors import AnswerUnusable
from obra_tui.judge.parts import Part, one_line
from obra_tui.judge.template import INJECTION, OPINIONS, Places
from obra_tui.judge.verdict import Opinion

_LOW, _HIGH = 0.5, 0.8
"""An approval below, or a rejection above, contradicts itself."""


class Weighed(Struct, frozen=True, kw_only=True):
    """An opinion on a part, and how many changed lines it stands for."""

    opinion: Opinion
    weight: int


def joined(parts: Sequence[Weighed]) -> Opinion:
    """Return one opinion: findings of all, the worst verdict, scores weighted by lines.

    With a blocker in any part the lowest score of each criterion counts: a thousand good lines do not
    outweigh it.
    """
    if len(parts) == 1:
        return parts[0].opinion
    findings = _distinct(finding for part in parts for finding in part.opinion.findings)
    lowest = any(finding.severity is Severity.BLOCKER for finding in findings)
    return Opinion(
        findings=findings,
        scores=tuple(
            _score(same, parts, lowest) for same in zip(*(part.opinion.scores for part in parts), strict=True)
        ),
        summary="\n".join(f"Part {number}: {part.opinion.summary}" for number, part in enumerate(parts, start=1)),
        opinion=max((part.opinion.opinion for part in parts), key=OPINIONS.index),
    )


def _distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple({(finding.fingerprint, finding.line): finding for finding in findings}.values())


def _score(same: tuple[CriterionScore, ...], parts: Sequence[Weighed], lowest: bool) -> CriterionScore:
    if lowest:
        return min(same, key=lambda item: item.score)
    total = sum(part.weight for part in parts)
    return replace(same[0], score=sum(item.score * part.weight for item, part in zip(same, parts, strict=True)) / total)


def mean(scores: Sequence[CriterionScore]) -> float:
    return sum(item.score * item.weight for item in scores) / sum(item.weight for item in scores)


# --- what does not fit together -------------------------------------------------------------------


def contradictions(opinion: Opinion, checks: Iterable[CheckResult], diff: Diff) -> tuple[str, ...]:
    """Return every reason why a person must look at this verdict, each a plain sentence."""
    return (
        *_against_scores(opinion),
        *_against_findings(opinion),
        *_against_checks(opinion, checks),
        *(f"{change.path} is binary: Qwen could not look at it." for change in diff.files if change.binary),
    )


def _against_scores(opinion: Opinion) -> Iterable[str]:
    score = mean(opinion.scores)
    if opinion.opinion == "approve" and score < _LOW:
        yield f"Qwen says approve but scores {score:.2f}."
    if opinion.opinion == "reject" and score >= _HIGH:
        yield f"Qwen says reject but scores {score:.2f}."


def _against_findings(opinion: Opinion) -> Iterable[str]:
    for finding in opinion.findings:
        if finding.kind == INJECTION:
            yield f"The work addresses the judge ({finding.place or 'no place named'}): {finding.message}"
        elif finding.severity is Severity.BLOCKER and opinion.opinion == "approve":
            yield f"Qwen says approve but reports a blocker ({finding.place or 'no place named'}): {finding.message}"
    if opinion.opinion == "reject" and not opinion.findings:
        yield "Qwen says reject but names no finding."


def _against_checks(opinion: Opinion, checks: Iterable[CheckResult]) -> Iterable[str]:
    if opinion.opinion != "approve":
        return
    for result in checks:
        if result.spec.blocking and result.status is not CheckStatus.PASSED:
            yield f"Qwen says approve but the blocking check {result.spec.name} {result.status.replace('_', ' ')}."


_PLACE = re.compile(r"([\w./+@-]{1,200}\.\w{1,12}):(\d{1,9})\b")


class Shown(Struct, frozen=True, kw_only=True):
    """Files that may be named, and the lines of them that were in the prompt."""

    files: frozenset[str]
    lines: frozenset[tuple[str, int]]

    @property
    def places(self) -> Places:
        """What the model's grammar lets through; which line belongs to which file is looked at in the answer."""
        return Places(files=tuple(sorted(self.files)), last_line=max((line for _, line in self.lines), default=0))

    def resolve(self, file: str) -> str | None:
        """Return the file's name as we know it: models like to write `./x` or git's `b/x`."""
        known = {one_line(name): name for name in self.files}
        asked = one_line(file)
        candidates = (asked, asked.removeprefix("./"), asked[2:] if asked[:2] in ("a/", "b/") else asked)
        return next((known[name] for name in candidates if name in known), None)


def shown_in(diff: Diff, part: Part, checks: Iterable[CheckResult]) -> Shown:
    """Places of one prompt: lines of its hunks, files of the whole change, and what failing checks printed."""
    lines = {(hunk.file, number) for hunk in part.hunks for number in hunk.numbers}
    lines |= {place for result in checks for place in _printed(result)}
    files = {change.path for change in diff.files} | {change.old_path for change in diff.files if change.old_path}
    return Shown(files=frozenset(files | {file for file, _ in lines} | _named(checks)), lines=frozenset(lines))


def _printed(result: CheckResult) -> set[tuple[str, int]]:
    found = {(match[1].removeprefix("./"), int(match[2])) for match in _PLACE.finditer(result.output)}
    return found | {(case.file, case.line) for case in result.failures if case.file and case.line}


def _named(checks: Iterable[CheckResult]) -> set[str]:
    return {case.file for result in checks for case in result.failures if case.file}


def confirmed(findings: tuple[Finding, ...], shown: Shown) -> tuple[Finding, ...]:
    """Return the findings with known file names, or raise `AnswerUnusable` for the first place that was not shown."""
    return tuple(_confirm(item, number, shown) for number, item in enumerate(findings, start=1))


def _confirm(finding: Finding, number: int, shown: Shown) -> Finding:
    if not finding.file:
        return finding
    file = shown.resolve(finding.file)
    if file is None:
        raise AnswerUnusable(f"finding {number} names the file {finding.file!r}, which is not in the change")
    if finding.line is not None and (file, finding.line) not in shown.lines:
        raise AnswerUnusable(f"finding {number} names {file}:{finding.line}, a line that was not shown")
    return replace(finding, file=file)
