"""Small values for tests of the rules."""

from obra_tui.core.gate import Evidence
from obra_tui.core.model import (
    ChangeKind,
    CheckResult,
    CheckSpec,
    CheckStatus,
    CriterionScore,
    Diff,
    FailedCase,
    FileChange,
    Finding,
    JudgeIdentity,
    Outcome,
    SandboxLevel,
    Severity,
    Stage,
    Verdict,
)


def change(path="calc.py", *, protected=""):
    return FileChange(path=path, kind=ChangeKind.MODIFIED, added=3, removed=1, protected=protected)


def diff(*files, digest="d1", **fields):
    return Diff(base_commit="b", tree="t-" + digest, digest=digest, patch="+x\n", files=files or (change(),), **fields)


def no_diff():
    return Diff(base_commit="b", tree="t0", digest="d0", patch="", files=())


def check(
    name="pytest",
    status=CheckStatus.PASSED,
    *,
    stage=Stage.TESTING,
    blocking=True,
    passed=None,
    failed=None,
    failures=(),
):
    return CheckResult(
        spec=CheckSpec(name=name, run=f"run {name}", stage=stage, blocking=blocking),
        status=status,
        exit_code=0 if status is CheckStatus.PASSED else 1,
        duration_s=0.1,
        output=f"output of {name}",
        sandbox=SandboxLevel.BWRAP,
        passed=passed,
        failed=failed,
        failures=tuple(FailedCase(name=item, message="assert 1 == 2") for item in failures),
    )


def syntax(status=CheckStatus.PASSED, **fields):
    return check("compile", status, stage=Stage.SYNTAX, **fields)


def finding(message="No docstring.", severity=Severity.MINOR, **fields):
    return Finding(severity=severity, message=message, file="calc.py", line=1, **fields)


def verdict(score=0.9, *findings, **fields):
    return Verdict(
        identity=JudgeIdentity(model="qwen", digest="sha256:abc", rubric="r1", rubric_hash="rh", prompt_hash="ph"),
        scores=(
            CriterionScore(criterion="fulfils_task", stage=Stage.REQUIREMENTS, score=score),
            CriterionScore(criterion="correctness", stage=Stage.QUALITY, score=score),
        ),
        findings=findings,
        **fields,
    )


def unjudged(reason="Ollama does not answer."):
    return Verdict(identity=JudgeIdentity(model="qwen"), unjudged=reason)


def evidence(*, outcome=Outcome.COMPLETED, work=None, checks=None, judged=None):
    return Evidence(
        outcome=outcome,
        diff=work or diff(),
        checks=(syntax(), check(passed=5, failed=0)) if checks is None else tuple(checks),
        verdict=judged or verdict(),
    )
