"""What the judge was shown and what it said."""

import hashlib
from enum import StrEnum

from msgspec import Struct

from obra_tui.core.model.evidence import CheckResult, Diff
from obra_tui.core.model.work import Stage, TaskSpec


class Severity(StrEnum):
    BLOCKER = "blocker"
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"


class FindingSource(StrEnum):
    JUDGE = "judge"
    CHECK = "check"
    PERSON = "person"


class Finding(Struct, frozen=True, kw_only=True):
    severity: Severity
    message: str
    file: str = ""
    line: int | None = None
    kind: str = ""
    """`requirement`, `correctness`, `tests`, `style`, `security`, `injection`, …"""
    suggestion: str = ""
    source: FindingSource = FindingSource.JUDGE
    note: str = ""
    """What the person says about it; goes to Claude with it."""

    @property
    def place(self) -> str:
        if not self.file:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    @property
    def fingerprint(self) -> str:
        """Same finding in two attempts: file and message, without the line, which moves."""
        return f"{self.file}|{' '.join(self.message.lower().split())}"


class JudgeIdentity(Struct, frozen=True, kw_only=True):
    """Who judged, exactly."""

    model: str
    digest: str = ""
    """Model digest as the server reports it."""
    url: str = ""
    dialect: str = ""
    rubric: str = ""
    """Name and version of the rubric."""
    rubric_hash: str = ""
    prompt_hash: str = ""
    options_hash: str = ""
    """Of the answer's schema and of the options that are sent along: context, temperature, seed, thinking, length."""
    template_hash: str = ""
    """Of the chat template that the server says it uses; empty where it does not say."""

    @property
    def version(self) -> str:
        """What its record stands for: another model, template, rubric, prompt, schema or option is another judge."""
        parts = (self.model, self.digest, self.template_hash, self.rubric_hash or self.rubric, self.prompt_hash)
        text = "\0".join((*parts, self.options_hash, self.dialect))
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


class CriterionScore(Struct, frozen=True, kw_only=True):
    criterion: str
    stage: Stage
    score: float
    """0.0–1.0."""
    weight: float = 1.0


class Verdict(Struct, frozen=True, kw_only=True):
    """What the judge said about a diff; `unjudged` names the reason when it said nothing usable."""

    identity: JudgeIdentity
    unjudged: str = ""
    scores: tuple[CriterionScore, ...] = ()
    findings: tuple[Finding, ...] = ()
    summary: str = ""
    opinion: str = ""
    """The model's own `approve` / `revise` / `reject`: compared, never obeyed."""
    contradictions: tuple[str, ...] = ()
    """Where the model disagrees with itself or with a check; each forces a person to look."""
    raw: str = ""
    hunks_total: int = 0
    hunks_seen: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    duration_s: float = 0.0

    @property
    def complete(self) -> bool:
        return not self.unjudged


class JudgeRequest(Struct, frozen=True, kw_only=True):
    """What the judge is shown: the task, the diff and what was measured."""

    task: TaskSpec
    attempt_number: int
    diff: Diff
    checks: tuple[CheckResult, ...]
    claude_message: str = ""
    previous_findings: tuple[Finding, ...] = ()
