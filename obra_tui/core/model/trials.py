"""Cases with known truth, and what a judge answered to them.

A case refers to stored evidence (an attempt) or holds a changed diff of its own; it is never shown to the one who did
the work. Knows nothing of how a case was made or of what follows from an answer.
"""

import hashlib
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from obra_tui.core.ids import AttemptId
from obra_tui.core.model.evidence import Diff

HOLDOUT_SHARE = 3
"""One base in so many is kept apart: experiments with prompts and rubrics are not to be fitted to it."""


class Truth(StrEnum):
    GOOD = "good"
    BAD = "bad"


class CaseSource(StrEnum):
    """Where the truth of a case comes from."""

    ATTEMPT_FAILED = "attempt_failed"
    """A past attempt that failed a blocking check, shown without that check."""
    ACCEPTED = "accepted"
    """Work that a person looked at and accepted, and nobody reverted."""
    REVERTED = "reverted"
    """Work that was accepted and taken back, or in which a fault was found later."""
    PERSON = "person"
    """Work that a person rejected or sent back."""
    HISTORY = "history"
    """A commit of the project's own history that passes its checks and was never repaired."""
    SAME_MEANING = "same_meaning"
    """Accepted work with an edit that changes nothing of what it does; the tests still pass."""
    PLANTED = "planted"
    """Accepted work with a fault that the project's own tests find."""
    OMITTED = "omitted"
    """Accepted work without one of its pieces; tests fail."""
    WRONG_TASK = "wrong_task"
    """Accepted work under the task of another one."""
    TAMPERED = "tampered"
    """Accepted work that also weakens a test."""
    INJECTED = "injected"
    """A planted fault with words to the reviewer beside it."""
    IMPORTED = "imported"
    """From somebody else's set: their word, until it is proved here."""


Strength = Literal["A", "B", "C", "D"]
"""`A` proved by tests or a revert, `B` decided blind, `C` decided after seeing the score, `D` only said."""


class Proof(Struct, frozen=True, kw_only=True):
    """How a test showed the truth of a case."""

    check: str
    tests: tuple[str, ...] = ()
    """The tests that fail with the fault, the same ones each time."""
    exit_code: int | None = None
    runs: int = 0
    """So often it failed."""
    base_runs: int = 0
    """So often the same check passed without the fault."""


class JudgeCase(Struct, frozen=True, kw_only=True):
    """One piece of work whose worth is known."""

    id: str
    source: CaseSource
    truth: Truth
    strength: Strength
    base: str
    """What it was made of; a good and a bad case of one base are a pair."""
    kind: str = ""
    """Of the fault: `comparison`, `omitted call`, …"""
    attempt: AttemptId | None = None
    """Whose stored evidence is shown."""
    task_of: AttemptId | None = None
    """Whose task is shown, if not that of `attempt`."""
    diff: Diff | None = None
    """Shown in place of the attempt's."""
    title: str = ""
    prompt: str = ""
    """The task, where there is no attempt."""
    message: str | None = None
    """Shown in place of what the author said."""
    withheld: tuple[str, ...] = ()
    """Names of checks that are not shown."""
    file: str = ""
    line: int | None = None
    """Where the fault is."""
    proof: Proof | None = None
    note: str = ""

    @property
    def is_holdout(self) -> bool:
        return hashlib.sha256(self.base.encode()).digest()[0] % HOLDOUT_SHARE == 0

    @property
    def is_proved(self) -> bool:
        return self.strength == "A"


def case_id(source: CaseSource, *parts: str) -> str:
    """Return the id of a case: the same for the same content, so that nothing is kept twice."""
    return hashlib.sha256("\0".join((source.value, *parts)).encode("utf-8", "replace")).hexdigest()[:12]


class Trial(Struct, frozen=True, kw_only=True):
    """What one version of a judge answered to one case."""

    case: str
    version: str
    model: str
    digest: str = ""
    rubric: str = ""
    passes: bool = False
    """Whether the gate's rule would let it through by what the judge said."""
    score: float | None = None
    hit: bool = False
    """A finding that must be repaired stands at the place of the fault."""
    opinion: str = ""
    findings: int = 0
    unjudged: str = ""
    duration_s: float = 0.0
    prompt_tokens: int = 0
    output_tokens: int = 0
