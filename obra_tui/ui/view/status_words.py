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
from obra_tui.core.records.attempt_words import DECISION_WORDS, REVERTED_WORD, STATE_WORDS
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
REVERTED = _stopped(REVERTED_WORD)
"""Work that was accepted and taken back by a commit later."""

TASK: dict[State, StatusWord] = {
    State.BLOCKED: _wait(STATE_WORDS[State.BLOCKED]),
    State.QUEUED: _wait(STATE_WORDS[State.QUEUED]),
    State.IMPLEMENTING: _run(STATE_WORDS[State.IMPLEMENTING]),
    State.CHECKING: _run(STATE_WORDS[State.CHECKING]),
    State.JUDGING: _run(STATE_WORDS[State.JUDGING]),
    State.AWAITING_HUMAN: _ask(STATE_WORDS[State.AWAITING_HUMAN]),
    State.ACCEPTING: _run(STATE_WORDS[State.ACCEPTING]),
    State.ACCEPTED: _pass(STATE_WORDS[State.ACCEPTED]),
    State.REJECTED: _fail(STATE_WORDS[State.REJECTED]),
    State.FAILED: _fail(STATE_WORDS[State.FAILED]),
    State.CANCELLED: _stopped(STATE_WORDS[State.CANCELLED]),
    State.INTERRUPTED: _stopped(STATE_WORDS[State.INTERRUPTED]),
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
    DecisionKind.APPROVE: _pass(DECISION_WORDS[DecisionKind.APPROVE]),
    DecisionKind.CHANGES: _warn(DECISION_WORDS[DecisionKind.CHANGES]),
    DecisionKind.REJECT: _fail(DECISION_WORDS[DecisionKind.REJECT]),
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
