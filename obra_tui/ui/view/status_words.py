"""Every status as glyph + word + tone, in one place: never colour alone.

A tone is a style name of the panes, and a state a name of the status vocabulary
of `widgets`; this module knows no colour.
"""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from obra_tui.core.doctor import DoctorStatus
from obra_tui.core.lifecycle import State
from obra_tui.core.model import CheckStatus, DecisionKind, Severity
from obra_tui.ui.state import StepStatus
from widgets.bars.status import STATES


class Tone(StrEnum):
    """Colours by meaning: the style names that all widgets understand."""

    PLAIN = ""
    MUTED = "dim"
    PASS = "ok"
    WARN = "warn"
    FAIL = "error"
    RUN = "running"
    ASK = "gate"


CONTENT_STYLES: dict[Tone, str] = {
    Tone.PLAIN: "",
    Tone.MUTED: "$foreground 60%",
    Tone.PASS: "$text-success",
    Tone.WARN: "$text-warning",
    Tone.FAIL: "$text-error",
    Tone.RUN: "$text-warning",
    Tone.ASK: "$text-accent",
}
"""The same meanings for one-line widgets, as theme variables."""


class StatusWord(Struct, frozen=True, kw_only=True):
    state: str
    """Name in `widgets.bars.status.STATES`."""
    glyph: str
    ascii: str
    word: str
    tone: Tone

    def mark(self, ascii_only: bool) -> str:
        return self.ascii if ascii_only else self.glyph


def _named(state: str, tone: Tone) -> Callable[[str], StatusWord]:
    look = STATES[state]
    return lambda word: StatusWord(state=state, glyph=look.glyph, ascii=look.ascii, word=word, tone=tone)


_pass = _named("pass", Tone.PASS)
_fail = _named("fail", Tone.FAIL)
_warn = _named("warn", Tone.WARN)
_run = _named("running", Tone.RUN)
_wait = _named("waiting", Tone.MUTED)
_ask = _named("gate", Tone.ASK)
_held = _named("held", Tone.WARN)
_stopped = _named("stopped", Tone.WARN)
_none = _named("none", Tone.MUTED)

HELD = _held("held")
NEEDED = _ask("waiting for you")
"""Nothing goes on before a person has answered a question or sent a prompt."""
STOPPED = _stopped("stopped")
REVERTED = _stopped("reverted")
"""Work that was accepted and taken back by a commit later."""

TASK: dict[State, StatusWord] = {
    State.BLOCKED: _wait("blocked"),
    State.QUEUED: _wait("queued"),
    State.IMPLEMENTING: _run("implementing"),
    State.CHECKING: _run("checking"),
    State.JUDGING: _run("validating"),
    State.AWAITING_HUMAN: _ask("gate"),
    State.ACCEPTING: _run("accepting"),
    State.ACCEPTED: _pass("accepted"),
    State.REJECTED: _fail("rejected"),
    State.FAILED: _fail("failed"),
    State.CANCELLED: _stopped("cancelled"),
    State.INTERRUPTED: _stopped("interrupted"),
}


def task_status(state: State, reverted: object) -> StatusWord:
    """Return how a task stands; accepted work that was taken back says so."""
    return REVERTED if reverted else TASK[state]


STEP: dict[StepStatus, StatusWord] = {
    StepStatus.WAITING: _wait("waiting"),
    StepStatus.RUNNING: _run("running"),
    StepStatus.PASSED: _pass("pass"),
    StepStatus.FAILED: _fail("fail"),
    StepStatus.WARNED: _warn("warn"),
    StepStatus.ASKING: _ask("gate"),
    StepStatus.STOPPED: STOPPED,
}

CHECK: dict[CheckStatus, StatusWord] = {
    CheckStatus.PASSED: _pass("passed"),
    CheckStatus.FAILED: _fail("failed"),
    CheckStatus.TIMED_OUT: _fail("timed out"),
    CheckStatus.BROKEN: _warn("could not run"),
}

DECISION: dict[DecisionKind, StatusWord] = {
    DecisionKind.APPROVE: _pass("approved"),
    DecisionKind.CHANGES: _warn("changes requested"),
    DecisionKind.REJECT: _fail("rejected"),
}

DOCTOR: dict[DoctorStatus, StatusWord] = {
    DoctorStatus.OK: _pass("ok"),
    DoctorStatus.WARN: _warn("could be better"),
    DoctorStatus.MISSING: _fail("missing"),
    DoctorStatus.UNKNOWN: _wait("not checked"),
    DoctorStatus.LOADING: _run("loading"),
}

SEVERITY: dict[Severity, StatusWord] = {
    Severity.BLOCKER: _fail("blocker"),
    Severity.MAJOR: _warn("major"),
    Severity.MINOR: _wait("minor"),
    Severity.INFO: _none("info"),
}


def person_name(by: str) -> str:
    """`person:ada` → `ada`."""
    return by.removeprefix("person:") or by
