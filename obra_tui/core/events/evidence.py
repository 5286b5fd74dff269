"""What Obra finds out about the work by itself: the diff, the checks, the review."""

from dataclasses import dataclass
from typing import Literal

from obra_tui.core.model import CheckResult, CheckSpec, Diff, JudgeIdentity, SandboxLevel, Verdict

# --- attempt: evidence ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffTaken:
    """The work as the supervisor's own git saw it; everything that follows in the attempt is about this tree."""

    diff: Diff
    type: Literal["diff_taken"] = "diff_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksPlanned:
    """Which checks will run, and how well they are kept away from the machine."""

    checks: tuple[CheckSpec, ...]
    sandbox: SandboxLevel
    note: str = ""
    """Why the sandbox is not the best one, or why there is no check."""
    type: Literal["checks_planned"] = "checks_planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStarted:
    """A check began."""

    name: str
    command: str
    type: Literal["check_started"] = "check_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPrinted:
    """Streamed. Output of a running check."""

    name: str
    text: str
    type: Literal["check_printed"] = "check_printed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFinished:
    """A check ended, timed out, or could not be run at all."""

    result: CheckResult
    type: Literal["check_finished"] = "check_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeStarted:
    """The judge was asked; the diff was cut into `parts` that hold all `hunks`."""

    identity: JudgeIdentity
    parts: int
    hunks: int
    type: Literal["judge_started"] = "judge_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePrompted:
    """The prompt of one part as the judge received it."""

    part: int
    text: str
    token_estimate: int
    repair: bool = False
    type: Literal["judge_prompted"] = "judge_prompted"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeWaiting:
    """Nothing has come yet: `loading` the model, or waiting for the first token."""

    state: Literal["connecting", "loading", "reading", "retrying"]
    text: str
    type: Literal["judge_waiting"] = "judge_waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeStreamed:
    """Streamed. A piece of the judge's raw answer."""

    part: int
    text: str
    type: Literal["judge_streamed"] = "judge_streamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictReached:
    """The review is over, with a verdict or with the reason why there is none."""

    verdict: Verdict
    type: Literal["verdict_reached"] = "verdict_reached"
