"""What Obra finds out about the work by itself: the diff, the checks, the review."""

from typing import Literal

from msgspec import Struct

from obra_tui.core.model import CheckResult, CheckSpec, Diff, JudgeIdentity, SandboxLevel, Verdict

# --- attempt: evidence ----------------------------------------------------------------------------


class DiffTaken(Struct, frozen=True, kw_only=True):
    """The work as the supervisor's own git saw it; everything that follows in the attempt is about this tree."""

    diff: Diff
    type: Literal["diff_taken"] = "diff_taken"


class ChecksPlanned(Struct, frozen=True, kw_only=True):
    """Which checks will run, and how well they are kept away from the machine."""

    checks: tuple[CheckSpec, ...]
    sandbox: SandboxLevel
    note: str = ""
    """Why the sandbox is not the best one, or why there is no check."""
    type: Literal["checks_planned"] = "checks_planned"


class CheckStarted(Struct, frozen=True, kw_only=True):
    """A check began."""

    name: str
    command: str
    expected_s: float | None = None
    """How long it took when it ran before; None when it never did."""
    type: Literal["check_started"] = "check_started"


class CheckPrinted(Struct, frozen=True, kw_only=True):
    """Streamed. Output of a running check."""

    name: str
    text: str
    type: Literal["check_printed"] = "check_printed"


class CheckFinished(Struct, frozen=True, kw_only=True):
    """A check ended, timed out, or could not be run at all."""

    result: CheckResult
    type: Literal["check_finished"] = "check_finished"


class JudgeStarted(Struct, frozen=True, kw_only=True):
    """The judge was asked; the diff was cut into `parts` that hold all `hunks`."""

    identity: JudgeIdentity
    parts: int
    hunks: int
    type: Literal["judge_started"] = "judge_started"


class JudgePrompted(Struct, frozen=True, kw_only=True):
    """The prompt of one part as the judge received it."""

    part: int
    text: str
    token_estimate: int
    repair: bool = False
    type: Literal["judge_prompted"] = "judge_prompted"


class JudgeWaiting(Struct, frozen=True, kw_only=True):
    """Nothing has come yet: `loading` the model, or waiting for the first token."""

    state: Literal["connecting", "loading", "reading", "retrying"]
    text: str
    type: Literal["judge_waiting"] = "judge_waiting"


class JudgeStreamed(Struct, frozen=True, kw_only=True):
    """Streamed. A piece of the judge's raw answer."""

    part: int
    text: str
    type: Literal["judge_streamed"] = "judge_streamed"


class VerdictReached(Struct, frozen=True, kw_only=True):
    """The review is over, with a verdict or with the reason why there is none."""

    verdict: Verdict
    type: Literal["verdict_reached"] = "verdict_reached"
