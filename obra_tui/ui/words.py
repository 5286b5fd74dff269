"""Every status as glyph + word + tone, in one place: never colour alone.

A tone is a name that the stylesheet gives a colour; this module knows none.
"""

from dataclasses import dataclass
from enum import StrEnum

from obra_tui.core.doctor import DoctorStatus
from obra_tui.core.lifecycle import State
from obra_tui.core.model import CheckStatus, DecisionKind, Severity
from obra_tui.ui.state import StepStatus


class Tone(StrEnum):
    """Colours by meaning; the themes define them."""

    PLAIN = "text"
    MUTED = "text-muted"
    PASS = "success"
    WARN = "warning"
    FAIL = "error"
    RUN = "secondary"
    ASK = "accent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    glyph: str
    ascii: str
    word: str
    tone: Tone

    def mark(self, ascii_only: bool) -> str:
        return self.ascii if ascii_only else self.glyph


def _status(glyph: str, ascii_mark: str, word: str, tone: Tone) -> Status:
    return Status(glyph=glyph, ascii=ascii_mark, word=word, tone=tone)


PASS = _status("✓", "[ok]", "pass", Tone.PASS)
FAIL = _status("✗", "[XX]", "fail", Tone.FAIL)
WARN = _status("!", "[!!]", "warn", Tone.WARN)
RUN = _status("●", "[>>]", "running", Tone.RUN)
WAIT = _status("·", "[..]", "waiting", Tone.MUTED)
ASK = _status("?", "[??]", "gate", Tone.ASK)
HELD = _status("‖", "[||]", "held", Tone.WARN)
STOPPED = _status("■", "[##]", "stopped", Tone.WARN)
NONE = _status("–", "[--]", "none", Tone.MUTED)

TASK: dict[State, Status] = {
    State.BLOCKED: _status("·", "[..]", "blocked", Tone.MUTED),
    State.QUEUED: _status("·", "[..]", "queued", Tone.MUTED),
    State.IMPLEMENTING: _status("●", "[>>]", "implementing", Tone.RUN),
    State.CHECKING: _status("●", "[>>]", "checking", Tone.RUN),
    State.JUDGING: _status("●", "[>>]", "validating", Tone.RUN),
    State.AWAITING_HUMAN: _status("?", "[??]", "gate", Tone.ASK),
    State.ACCEPTING: _status("●", "[>>]", "accepting", Tone.RUN),
    State.ACCEPTED: _status("✓", "[ok]", "accepted", Tone.PASS),
    State.REJECTED: _status("✗", "[XX]", "rejected", Tone.FAIL),
    State.FAILED: _status("✗", "[XX]", "failed", Tone.FAIL),
    State.CANCELLED: _status("■", "[##]", "cancelled", Tone.MUTED),
    State.INTERRUPTED: _status("■", "[##]", "interrupted", Tone.WARN),
}

STEP: dict[StepStatus, Status] = {
    StepStatus.WAITING: WAIT,
    StepStatus.RUNNING: RUN,
    StepStatus.PASSED: PASS,
    StepStatus.FAILED: FAIL,
    StepStatus.WARNED: WARN,
    StepStatus.ASKING: ASK,
    StepStatus.STOPPED: STOPPED,
}

CHECK: dict[CheckStatus, Status] = {
    CheckStatus.PASSED: _status("✓", "[ok]", "passed", Tone.PASS),
    CheckStatus.FAILED: _status("✗", "[XX]", "failed", Tone.FAIL),
    CheckStatus.TIMED_OUT: _status("✗", "[XX]", "timed out", Tone.FAIL),
    CheckStatus.BROKEN: _status("!", "[!!]", "could not run", Tone.WARN),
}

DECISION: dict[DecisionKind, Status] = {
    DecisionKind.APPROVE: _status("✓", "[ok]", "approved", Tone.PASS),
    DecisionKind.CHANGES: _status("↺", "[<>]", "changes requested", Tone.WARN),
    DecisionKind.REJECT: _status("✗", "[XX]", "rejected", Tone.FAIL),
}

DOCTOR: dict[DoctorStatus, Status] = {
    DoctorStatus.OK: _status("✓", "[ok]", "ok", Tone.PASS),
    DoctorStatus.WARN: _status("!", "[!!]", "could be better", Tone.WARN),
    DoctorStatus.MISSING: _status("✗", "[XX]", "missing", Tone.FAIL),
    DoctorStatus.UNKNOWN: _status("·", "[..]", "not checked", Tone.MUTED),
    DoctorStatus.LOADING: _status("●", "[>>]", "loading", Tone.RUN),
}

SEVERITY: dict[Severity, Status] = {
    Severity.BLOCKER: _status("✗", "[XX]", "blocker", Tone.FAIL),
    Severity.MAJOR: _status("!", "[!!]", "major", Tone.WARN),
    Severity.MINOR: _status("·", "[..]", "minor", Tone.PLAIN),
    Severity.INFO: _status("–", "[--]", "info", Tone.MUTED),
}


def person_name(by: str) -> str:
    """`person:ada` → `ada`."""
    return by.removeprefix("person:") or by
