"""How a case is shown to a judge, and what its answer amounts to. Pure.

A case is shown as any work is: nothing in the request tells it from a review that a gate waits for. What would give the
truth away is left out: the checks that failed, and new files whose tests they are.
"""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from obra_tui.core.gate import GateRules, grave_findings, judged_alone
from obra_tui.core.ids import TaskId
from obra_tui.core.model import (
    CheckStatus,
    Diff,
    Finding,
    JudgeCase,
    JudgeRequest,
    TaskSpec,
    Trial,
    Verdict,
)
from obra_tui.core.patch import split_patch
from obra_tui.core.records.history import AttemptDetail

_NEAR = 3
"""Lines between a finding and the fault that it still names."""
_REDACTED = "[redacted: "


def request_of(
    case: JudgeCase, detail: AttemptDetail | None, other: TaskSpec | None, previous: Sequence[Finding] = ()
) -> JudgeRequest | str:
    """Return what the judge is shown of a case, or why it cannot be shown."""
    task = other or (detail.spec if detail else None) or _task_of(case)
    diff = case.diff or (detail.diff if detail else None)
    if diff is None or diff.empty or task is None:
        return "its change is not kept"
    if diff.truncated:
        return "its change was cut at a size limit"
    if _REDACTED in diff.patch:
        return "its change was stored without the secrets in it"
    checks = detail.checks if detail else ()
    failing = [
        result for result in checks if result.status is not CheckStatus.PASSED or result.spec.name in case.withheld
    ]
    hidden = {item.file for result in failing for item in result.failures if item.file}
    message = (
        case.message if case.message is not None else (detail.result.final_text if detail and detail.result else "")
    )
    return JudgeRequest(
        task=task,
        attempt_number=detail.summary.number if detail else 1,
        diff=without_new_files(diff, hidden),
        checks=tuple(result for result in checks if result not in failing),
        claude_message=message,
        previous_findings=tuple(previous),
    )


def _task_of(case: JudgeCase) -> TaskSpec | None:
    if not case.title:
        return None
    return TaskSpec(id=TaskId(case.id), key="T001", title=case.title, prompt=case.prompt)


def without_new_files(diff: Diff, paths: Collection[str]) -> Diff:
    """Return the change without those of the files that are new; what was there before stays."""
    gone = {item.path for item in diff.files if item.path in paths and item.kind == "added"}
    if not gone or len(gone) == len(diff.files):
        return diff
    parts = split_patch(diff.patch)
    patch = "".join(text for path, text in parts.items() if path not in gone)
    return replace(diff, patch=patch, files=tuple(item for item in diff.files if item.path not in gone))


def trial_of(case: JudgeCase, verdict: Verdict, rules: GateRules) -> Trial:
    """Return what the judge's answer amounts to: by what it said alone, whether the gate would let it through."""
    passes, score = judged_alone(verdict, rules)
    identity = verdict.identity
    return Trial(
        case=case.id,
        version=identity.version,
        model=identity.model,
        digest=identity.digest,
        rubric=identity.rubric,
        passes=passes,
        score=score,
        hit=bool(case.file) and any(_is_at(item, case) for item in grave_findings(verdict)),
        opinion=verdict.opinion,
        findings=len(verdict.findings),
        unjudged=verdict.unjudged,
        duration_s=round(verdict.duration_s, 2),
        prompt_tokens=verdict.prompt_tokens,
        output_tokens=verdict.output_tokens,
    )


def _is_at(finding: Finding, case: JudgeCase) -> bool:
    near = case.line is None or finding.line is None or abs(finding.line - case.line) <= _NEAR
    return finding.file == case.file and near
