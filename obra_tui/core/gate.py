"""The gate: evidence decides, the judge advises.

Pure rules. `assess` turns evidence into numbers and obstacles; `decide` turns
those into PASS, RETRY or ASK under a policy. Nothing that the implementer said
is looked at here.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import fsum

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.model import (
    JUDGED_STAGES,
    MEASURED_STAGES,
    CheckResult,
    CheckStatus,
    CriterionScore,
    Diff,
    Finding,
    FindingSource,
    GateDecision,
    GateOutcome,
    Outcome,
    Policy,
    Provenance,
    QualityResult,
    SandboxLevel,
    Severity,
    Stage,
    StageScore,
    Verdict,
)
from obra_tui.core.text import few, sentence

DEFAULT_WEIGHTS: tuple[tuple[Stage, float], ...] = (
    (Stage.SYNTAX, 0.20),
    (Stage.TESTING, 0.20),
    (Stage.REQUIREMENTS, 0.30),
    (Stage.QUALITY, 0.30),
)


_GRAVE = {Severity.BLOCKER: "a blocker", Severity.MAJOR: "a major finding"}
_TOO_LARGE = "The change is too large to be taken in full."
_INJECTION = "The judge found an instruction to itself inside the change."


class GateRules(Struct, frozen=True, kw_only=True):
    policy: Policy = Policy.SUPERVISED
    threshold: float = 0.70
    judged_floor: float = 0.70
    """Lowest score of each judged stage alone: checks that pass anyway must not lift it."""
    max_attempts: int = 3
    weights: tuple[tuple[Stage, float], ...] = DEFAULT_WEIGHTS
    is_judged: bool = True
    """Whether a judge is part of it. Without one the weights name measured stages alone; no run works like this."""


def without_judge(rules: GateRules) -> GateRules:
    """Return the rules by which checks alone decide, where somebody asked for just that."""
    weights = tuple((stage, weight) for stage, weight in rules.weights if stage in MEASURED_STAGES)
    return replace(rules, weights=weights, is_judged=False)


class Evidence(Struct, frozen=True, kw_only=True):
    """Everything that is known about one attempt."""

    outcome: Outcome
    diff: Diff
    checks: tuple[CheckResult, ...]
    verdict: Verdict


class PreviousAttempt(Struct, frozen=True, kw_only=True):
    """What must be remembered of an attempt to see that the next one goes round in a circle."""

    diff_digest: str
    fingerprints: frozenset[str]


def assess(evidence: Evidence, rules: GateRules) -> QualityResult:
    """Score the evidence. A stage without evidence has no score, weighs nothing and forbids a pass."""
    stages = tuple(_stage_score(stage, weight, evidence) for stage, weight in rules.weights)
    overall = _weighted_mean((item.score, item.weight) for item in stages)
    obstacles = _floor(evidence)
    if not evidence.diff.empty:  # all else follows from it
        doubts = _doubts(evidence.verdict) if rules.is_judged else ()
        obstacles += (*doubts, *_shortfalls(stages, overall, rules))
    return QualityResult(
        overall_score=overall or 0.0,
        stage_scores=stages,
        passes_gate=not obstacles,
        findings=(*findings_of_checks(evidence.checks), *evidence.verdict.findings),
        provenance=tuple(_provenance(item, evidence) for item in stages),
        threshold=rules.threshold,
        obstacles=tuple(map(sentence, obstacles)),
    )


def judged_alone(verdict: Verdict, rules: GateRules) -> tuple[bool, float | None]:
    """Return whether the gate's rule would pass by what the judge said, as if every check passed, and its score."""
    if not verdict.complete:
        return False, None
    stages = [
        StageScore(
            stage=stage,
            score=1.0 if stage in MEASURED_STAGES else _judged(i for i in verdict.scores if i.stage is stage),
            weight=weight,
        )
        for stage, weight in rules.weights
    ]
    overall = _weighted_mean((item.score, item.weight) for item in stages)
    return not (_doubts(verdict) or list(_shortfalls(stages, overall, rules))), overall


def decide(
    quality: QualityResult,
    evidence: Evidence,
    rules: GateRules,
    *,
    counted: int,
    earlier: Sequence[PreviousAttempt] = (),
) -> GateOutcome:
    """Return what happens next.

    `counted` is how many attempts are used up, this one included; `earlier` are the attempts before this one,
    oldest first.
    """
    if quality.passes_gate:
        return _passing(rules.policy, _caveats(evidence.checks))
    if rules.policy is Policy.MANUAL:
        return _ask("The policy is manual: a person decides.", *quality.obstacles)
    person_needed = tuple(map(sentence, _only_a_person(quality, evidence)))
    if person_needed:
        return _ask(*person_needed, *(text for text in quality.obstacles if text not in person_needed))
    stuck = _stuck(quality, evidence, earlier)
    if stuck:
        return _ask(stuck, *quality.obstacles)
    if counted >= rules.max_attempts:
        return _ask(f"All {rules.max_attempts} attempts are used up.", *quality.obstacles)
    return GateOutcome(decision=GateDecision.RETRY, reasons=quality.obstacles)


def remember(quality: QualityResult, diff: Diff) -> PreviousAttempt:
    return PreviousAttempt(
        diff_digest=diff.digest, fingerprints=frozenset(item.fingerprint for item in quality.findings)
    )


def findings_of_checks(checks: Iterable[CheckResult]) -> tuple[Finding, ...]:
    """Return one finding per failing test, or one per failing check that names no tests."""
    return tuple(finding for result in checks for finding in _findings_of_check(result))


def _findings_of_check(result: CheckResult) -> Iterable[Finding]:
    if result.status is CheckStatus.PASSED:
        return
    severity = Severity.BLOCKER if result.spec.blocking else Severity.MINOR
    for case in result.failures:
        yield Finding(
            severity=severity,
            message=f"{case.name} fails: {case.message}" if case.message else f"{case.name} fails",
            file=case.file,
            line=case.line,
            kind=result.spec.name,
            source=FindingSource.CHECK,
        )
    if not result.failures:
        yield Finding(
            severity=severity, message=describe_check(result), kind=result.spec.name, source=FindingSource.CHECK
        )


def describe_check(result: CheckResult) -> str:
    """Return one sentence without a full stop: `pytest failed: 1 of 6 tests (test_divide)`."""
    name = result.spec.name
    match result.status:
        case CheckStatus.PASSED:
            tests = f": {result.passed} test{'s' * (result.passed != 1)}" if result.passed is not None else ""
            return f"{name} passed{tests}{_before(result)}"
        case CheckStatus.TIMED_OUT:
            return f"{name} did not end within {result.spec.timeout_s:g} s"
        case CheckStatus.BROKEN:
            return f"{name} could not run: {result.detail or 'no reason given'}"
        case CheckStatus.FAILED:
            return f"{name} failed: {_failure_words(result)}"


def _before(result: CheckResult) -> str:
    old = len(result.base.old_failures) if result.base else 0
    return f", {old} failed before too" if old else ""


def comparison_words(result: CheckResult) -> str:
    """Return how the tests compare with those before the work; empty where nothing was compared.

    `12 passed · 2 failed before too · 1 new, fails on the old code`
    """
    base = result.base
    if base is None or result.passed is None:
        return f"{result.spec.name} passed by its exit code alone" if result.is_weak else ""
    words = [f"{result.passed} passed", f"{result.failed} failed" if result.failed else ""]
    words += [_number(base.old_failures, "failed before too"), _number(base.repaired, "failed before and pass now")]
    words += [_number(base.proving, "new, fails on the old code"), _number(base.not_proving, "new, passes there too")]
    words += [_number(base.gone, "gone"), _number(base.now_skipped, "skipped now"), _number(base.flaky, "flaky")]
    if base.problem:
        words.append("not compared with the code before")
    return " · ".join(filter(None, words))


def _number(names: Sequence[str], what: str) -> str:
    return f"{len(names)} {what}" if names else ""


def _failure_words(result: CheckResult) -> str:
    if not result.failed:
        why = result.detail.partition(". ")[0].rstrip(".") if result.exit_code == 0 else ""
        return why[:1].lower() + why[1:] or f"exit code {result.exit_code}"
    total = result.failed + (result.passed or 0)
    names = ", ".join(case.name for case in result.failures[:3])
    more = len(result.failures) - 3
    tail = f" and {more} more" if more > 0 else ""
    return f"{result.failed} of {total} tests" + (f" ({names}{tail})" if names else "")


# --- numbers -------------------------------------------------------------------------------------


def _weighted_mean(pairs: Iterable[tuple[float | None, float]]) -> float | None:
    known = [(score, weight) for score, weight in pairs if score is not None and weight > 0]
    total = sum(weight for _, weight in known)
    if not known or total == 0:
        return None
    # Cut to 0..1: a mean of equal numbers can miss them by a rounding error.
    return min(1.0, max(0.0, sum(score * weight for score, weight in known) / total))


def _stage_score(stage: Stage, weight: float, evidence: Evidence) -> StageScore:
    if stage in MEASURED_STAGES:
        score = _measured(_of_stage(evidence.checks, stage))
    elif evidence.verdict.complete:
        score = _judged(item for item in evidence.verdict.scores if item.stage is stage)
    else:
        score = None
    return StageScore(stage=stage, score=score, weight=weight)


def _of_stage(checks: Iterable[CheckResult], stage: Stage) -> list[CheckResult]:
    return [result for result in checks if result.spec.stage is stage]


def _measured(results: Iterable[CheckResult]) -> float | None:
    scores = [score for score in map(_check_score, results) if score is not None]
    return fsum(scores) / len(scores) if scores else None


def _check_score(result: CheckResult) -> float | None:
    """A check that ran no test, or could not run, is no evidence."""
    counts = (result.passed, result.failed)
    match result.status:
        case CheckStatus.BROKEN:
            return None
        case CheckStatus.TIMED_OUT:
            return 0.0
        case CheckStatus.PASSED:
            return None if counts == (0, 0) else 1.0
        case CheckStatus.FAILED:
            if not result.failed or result.passed is None:
                return 0.0
            return result.passed / (result.passed + result.failed)


def _judged(scores: Iterable[CriterionScore]) -> float | None:
    return _weighted_mean((item.score, item.weight) for item in scores)


def _provenance(item: StageScore, evidence: Evidence) -> Provenance:
    if item.stage in MEASURED_STAGES:
        results = _of_stage(evidence.checks, item.stage)
        source = "; ".join(f"{describe_check(r)} [{r.spec.run}] exit {r.exit_code}" for r in results)
        if item.score is None:
            return Provenance(stage=item.stage, how="none", source=source or "no check for this stage")
        return Provenance(stage=item.stage, how="measured", source=source)
    if item.score is None:
        return Provenance(stage=item.stage, how="none", source=evidence.verdict.unjudged or "no criterion")
    identity = evidence.verdict.identity
    digest = f" @{identity.digest[:12]}" if identity.digest else ""
    return Provenance(
        stage=item.stage,
        how="judged",
        source=f"{identity.model}{digest}, {identity.rubric}, prompt {identity.prompt_hash[:12]}",
    )


# --- obstacles -----------------------------------------------------------------------------------


def _floor(evidence: Evidence) -> tuple[str, ...]:
    """Return what no judge can lift."""
    diff = evidence.diff
    found: list[str] = []
    if evidence.outcome not in (Outcome.COMPLETED, Outcome.EMPTY):
        found.append(f"Claude Code did not finish: {evidence.outcome.replace('_', ' ')}.")
    if diff.empty:
        found.append(_nothing_changed(diff))
    found.extend(_not_for_claude(evidence))
    found.extend(f"{describe_check(result)}." for result in failing(evidence.checks))
    return tuple(found)


def _nothing_changed(diff: Diff) -> str:
    """Work that git ignores cannot be taken in: without its name it would seem that there was none."""
    if not diff.ignored:
        return "Nothing was changed."
    return f"Nothing was changed but what git ignores: {few(diff.ignored)}. Ignored files cannot be taken in."


def failing(checks: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Return the blocking checks that did not pass."""
    return tuple(r for r in checks if r.spec.blocking and r.status is not CheckStatus.PASSED)


def _doubts(verdict: Verdict) -> tuple[str, ...]:
    if not verdict.complete:
        return (f"Not judged: {verdict.unjudged}",)
    found = [f"The judge reports {_GRAVE[item.severity]}: {item.message}" for item in grave_findings(verdict)]
    if verdict.opinion not in ("", "approve"):  # a verdict of an early version has none
        found.append(f"The judge's own verdict is {verdict.opinion}.")
    found.extend(f"The judge contradicts: {text}" for text in verdict.contradictions)
    if _injected(verdict):
        found.append(_INJECTION)
    return tuple(found)


def grave_findings(verdict: Verdict) -> tuple[Finding, ...]:
    """Return what, by the rubric, must be repaired before the work can be taken in."""
    return tuple(item for item in verdict.findings if item.severity in _GRAVE)


def _injected(verdict: Verdict) -> bool:
    return any(item.kind == "injection" for item in verdict.findings)


def _shortfalls(stages: Iterable[StageScore], overall: float | None, rules: GateRules) -> Iterator[str]:
    for item in stages:
        if item.weight <= 0:
            continue
        if item.score is None:
            yield f"No evidence for {item.stage}."
        elif item.stage in JUDGED_STAGES and item.score < rules.judged_floor:
            yield f"{item.stage.capitalize()} {item.score:.2f} is under the floor {rules.judged_floor:.2f}."
    if (overall or 0.0) < rules.threshold:
        yield f"The score {overall or 0.0:.2f} is under the threshold {rules.threshold:.2f}."


# --- decision ------------------------------------------------------------------------------------


def _passing(policy: Policy, caveats: tuple[str, ...]) -> GateOutcome:
    match policy:
        case Policy.AUTONOMOUS:
            if caveats:
                return _ask(*caveats)
            return GateOutcome(decision=GateDecision.PASS, reasons=("All stages have evidence and pass.",))
        case Policy.SUPERVISED:
            return _ask("It would pass; under the supervised policy a person approves.", *caveats)
        case Policy.MANUAL:
            return _ask("It would pass; under the manual policy a person decides.", *caveats)


def _caveats(checks: Sequence[CheckResult]) -> tuple[str, ...]:
    """Return why evidence that passes is enough for a person to look at, and not for a pass without one."""
    found = []
    for level in sorted({result.sandbox for result in checks if result.sandbox is not SandboxLevel.BWRAP}):
        kept = "without a sandbox" if level is SandboxLevel.NONE else f"in a sandbox of level {level}"
        found.append(f"Checks ran {kept}: what they showed can have been touched from outside.")
    tests = [item for item in _of_stage(checks, Stage.TESTING) if item.status is CheckStatus.PASSED]
    if tests and all(result.is_weak for result in tests):
        names = ", ".join(result.spec.name for result in tests)
        found.append(f"{names} passed by exit code alone: it names no tests.")
    elif tests and all(result.is_weak or _wrote_alone(result) for result in tests):
        found.append("All tests that pass came with the work: nothing that was there before measured it.")
    return tuple(found)


def _wrote_alone(result: CheckResult) -> bool:
    return result.base is not None and not result.base.is_independent


def _ask(*reasons: str) -> GateOutcome:
    return GateOutcome(decision=GateDecision.ASK, reasons=tuple(dict.fromkeys(reasons)))


def _not_for_claude(evidence: Evidence) -> Iterator[str]:
    """Yield what is wrong with a change that nobody but a person may wave through."""
    diff = evidence.diff
    if diff.truncated:
        yield f"The change was not taken in full: {few(diff.notes, 3)}." if diff.notes else _TOO_LARGE
    if diff.protected:
        yield f"Protected files were changed: {', '.join(diff.protected)}."
    if diff.secrets:
        yield f"Added lines look like secrets: {', '.join(diff.secrets)}."
    yield from diff.doubts
    for result in evidence.checks:
        yield from result.asks


def _only_a_person(quality: QualityResult, evidence: Evidence) -> tuple[str, ...]:
    """Return the obstacles that another attempt of Claude's must not be left to remove."""
    verdict = evidence.verdict
    found = list(_floor(evidence)) if evidence.outcome not in (Outcome.COMPLETED, Outcome.EMPTY) else []
    found.extend(_not_for_claude(evidence))
    if _injected(verdict):
        found.append(_INJECTION)
    if not found:
        found.extend(_without_lead(quality, evidence))
    return tuple(found)


def _without_lead(quality: QualityResult, evidence: Evidence) -> Iterable[str]:
    """Yield why another attempt would have nothing to work on, or nothing to be measured by."""
    blocked = failing(evidence.checks)
    if evidence.diff.empty or any(result.status is not CheckStatus.BROKEN for result in blocked):
        return
    yield from (f"{describe_check(result)}." for result in blocked)
    for stage in MEASURED_STAGES:
        if quality.score_of(stage) is None:
            yield (
                f"No check measured {stage}: nothing but a person can tell. "
                f'To have it measured, add [[checks]] with stage = "{stage}" to .obra/config.toml.'
            )
    if not evidence.verdict.complete:
        yield f"Not judged: {evidence.verdict.unjudged}"
    elif not evidence.verdict.findings:
        yield "Neither checks nor judge name anything that Claude could improve."


def _stuck(quality: QualityResult, evidence: Evidence, earlier: Sequence[PreviousAttempt]) -> str:
    if not earlier:
        return ""
    now, last = remember(quality, evidence.diff), earlier[-1]
    if now.diff_digest == last.diff_digest:
        return "The last attempt changed nothing more."
    if now.fingerprints and now.fingerprints == last.fingerprints:
        return "The same findings came twice in a row."
    return ""
