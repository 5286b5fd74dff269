"""What the gate found in an existing change: concluded, and as lines, as JSON and as SARIF.

Pure. The evidence and the score are those of a run; only who made the change is not known.
"""

import hashlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.decisions import finding_text
from obra_tui.core.gate import Evidence, GateRules, assess, comparison_words, decide, describe_check, failing
from obra_tui.core.model import Finding, GateDecision, Policy, QualityResult, Severity, Verdict
from obra_tui.core.plain import to_builtins
from obra_tui.core.text import one_line

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.BLOCKER: "error", Severity.MAJOR: "error", Severity.MINOR: "warning", Severity.INFO: "note"}


class Conclusion(StrEnum):
    PASSES = "passes"
    EMPTY = "empty"
    """Nothing was changed."""
    FAILS = "fails"
    PERSON = "person"
    """Evidence alone cannot tell: a person has to look."""
    UNJUDGED = "unjudged"
    """The judge could not be asked, or said nothing usable."""

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Conclusion.PASSES: "It passes.",
    Conclusion.EMPTY: "Nothing was changed: there is nothing to judge.",
    Conclusion.FAILS: "It does not pass.",
    Conclusion.PERSON: "A person must look: evidence alone cannot tell.",
    Conclusion.UNJUDGED: "It was not judged.",
}


class ChangeReport(Struct, frozen=True, kw_only=True):
    base: str
    head: str
    title: str
    evidence: Evidence
    quality: QualityResult
    conclusion: Conclusion
    reasons: tuple[str, ...]
    """Why it does not pass, or why a person must look; empty when it passes."""
    is_judged: bool


def conclude(evidence: Evidence, rules: GateRules, *, base: str, head: str, title: str) -> ChangeReport:
    """Return what the rules say of a change that nobody is asked to improve."""
    quality = assess(evidence, rules)
    outcome = decide(quality, evidence, replace(rules, policy=Policy.AUTONOMOUS), counted=0)
    conclusion = _conclusion(evidence, rules, outcome.decision)
    reasons = () if conclusion in (Conclusion.PASSES, Conclusion.EMPTY) else outcome.reasons
    if not rules.is_judged:  # nobody wanted it: that is no reason
        reasons = tuple(text for text in reasons if text != f"Not judged: {evidence.verdict.unjudged}")
    return ChangeReport(
        base=base,
        head=head,
        title=title,
        evidence=evidence,
        quality=quality,
        conclusion=conclusion,
        reasons=reasons,
        is_judged=rules.is_judged,
    )


def _conclusion(evidence: Evidence, rules: GateRules, decision: GateDecision) -> Conclusion:
    if evidence.diff.empty:
        return Conclusion.EMPTY
    if decision is GateDecision.PASS:
        return Conclusion.PASSES
    if failing(evidence.checks) or decision is GateDecision.RETRY:
        return Conclusion.FAILS
    if rules.is_judged and not evidence.verdict.complete:
        return Conclusion.UNJUDGED
    return Conclusion.PERSON


def lines(report: ChangeReport) -> Iterator[str]:
    """Yield the report for people, one line each."""
    diff, quality = report.evidence.diff, report.quality
    yield f"change   {report.base[:12]}..{report.head[:12]}  {one_line(report.title) or 'without a commit message'}"
    yield f"files    {len(diff.files)}, +{diff.added} -{diff.removed}"
    yield from (f"note     {one_line(note, 500)}" for note in diff.notes)
    if report.conclusion is Conclusion.EMPTY:
        yield report.conclusion.words
        return
    for check in report.evidence.checks:
        told = comparison_words(check)
        yield f"check    {one_line(describe_check(check), 500)}" + (f"  ({one_line(told)})" if told else "")
    yield f"judge    {_judge_words(report.evidence.verdict) if report.is_judged else 'not asked: checks alone decide'}"
    yield from (f"finding  {one_line(finding_text(item), 500)}" for item in quality.findings)
    yield f"{quality.line}  (needs {quality.threshold:.2f})"
    yield from (f"why      {one_line(reason, 500)}" for reason in report.reasons)
    yield report.conclusion.words


def _judge_words(verdict: Verdict) -> str:
    if not verdict.complete:
        return f"no verdict: {one_line(verdict.unjudged, 500)}"
    scores = ", ".join(f"{one_line(item.criterion)} {item.score:.2f}" for item in verdict.scores)
    return f"{one_line(verdict.identity.model)}: {verdict.opinion or 'no opinion'}; {scores}"


def as_json(report: ChangeReport) -> dict[str, Any]:
    return {"type": "change_gate", "passes": report.conclusion in (Conclusion.PASSES, Conclusion.EMPTY)} | to_builtins(
        report
    )


# --- SARIF ---------------------------------------------------------------------------------------


def as_sarif(report: ChangeReport, version: str) -> dict[str, Any]:
    """Return findings that have a place as results; what is about the whole change is told as notifications."""
    placed = [item for item in report.quality.findings if item.file]
    rules = {rule_of(item): item for item in placed}
    whole = [*(item.message for item in report.quality.findings if not item.file), *report.reasons]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "Obra", "version": version, "rules": [_rule(name) for name in rules]}},
                "invocations": [
                    {
                        "executionSuccessful": report.conclusion is not Conclusion.UNJUDGED,
                        "toolExecutionNotifications": [*_notifications(whole)],
                    }
                ],
                "results": [_result(item) for item in placed],
            }
        ],
    }


def rule_of(finding: Finding) -> str:
    """Return the rule of a finding: who found it, and of which kind it is."""
    return f"{finding.source.value}/{one_line(finding.kind, 80) or 'finding'}"


def _rule(name: str) -> dict[str, Any]:
    return {"id": name, "shortDescription": {"text": name.replace("/", ": ")}}


def _result(finding: Finding) -> dict[str, Any]:
    hint = f"\n\n{finding.suggestion}" if finding.suggestion else ""
    return {
        "ruleId": rule_of(finding),
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}{hint}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(finding.file, errors="replace"), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": max(1, finding.line or 1)},
                }
            }
        ],
        "partialFingerprints": {
            "obraFinding/v1": hashlib.sha256(finding.fingerprint.encode("utf-8", "replace")).hexdigest()
        },
    }


def _notifications(texts: Iterable[str]) -> Iterator[dict[str, Any]]:
    for text in dict.fromkeys(texts):
        yield {"level": "warning", "message": {"text": text}}
