"""What happens to a session as a whole: opened, run, paused, stopped, closed, and what is in its way."""

from typing import Literal

from msgspec import Struct

from obra_tui.core.model import Policy, SessionKind

# --- session --------------------------------------------------------------------------------------


class SessionOpened(Struct, frozen=True, kw_only=True):
    """First event of a session; sent before any of its tasks is added."""

    kind: SessionKind
    title: str
    project: str
    """Absolute path of the person's repository."""
    branch: str
    """`obra/<session>`."""
    base_commit: str
    policy: Policy
    threshold: float
    max_attempts: int
    rehearsal: str = ""
    """Name of the rehearsal scenario; empty = real models."""
    plan_source: str = ""
    versions: tuple[tuple[str, str], ...] = ()
    """(name, version) of what took part: obra, claude-agent-sdk, git, …"""
    type: Literal["session_opened"] = "session_opened"


class SessionClosed(Struct, frozen=True, kw_only=True):
    """Last event of a session. Later work needs a new session."""

    reason: str = ""
    type: Literal["session_closed"] = "session_closed"


class Paused(Struct, frozen=True, kw_only=True):
    """No new stage starts until `Resumed`; a running stage goes on."""

    by: str
    type: Literal["paused"] = "paused"


class Resumed(Struct, frozen=True, kw_only=True):
    """The pause is over, or interrupted work was taken up again."""

    by: str
    type: Literal["resumed"] = "resumed"


class StopRequested(Struct, frozen=True, kw_only=True):
    """The run ends: `after_stage` lets running stages finish, `now` interrupts them."""

    mode: Literal["after_stage", "now"]
    by: str
    type: Literal["stop_requested"] = "stop_requested"


class RunStarted(Struct, frozen=True, kw_only=True):
    """The orchestrator began to work on the open tasks of the session."""

    type: Literal["run_started"] = "run_started"


class RunFinished(Struct, frozen=True, kw_only=True):
    """Nothing is left that could go on without a person. `waiting` gates may be open."""

    accepted: int
    rejected: int
    failed: int
    waiting: int
    interrupted: int
    blocked: int
    type: Literal["run_finished"] = "run_finished"


class ProblemRaised(Struct, frozen=True, kw_only=True):
    """Something outside the work needs the person: login, usage limit, judge gone, disk full."""

    code: str
    """`auth`, `account`, `limited`, `unreachable`, `judge`, `budget`, `disk`, …; one open problem per code."""
    text: str
    fix: str
    until: float | None = None
    """Epoch seconds when it ends by itself, if it does."""
    type: Literal["problem_raised"] = "problem_raised"


class ProblemCleared(Struct, frozen=True, kw_only=True):
    """What this problem said is no longer so."""

    code: str
    type: Literal["problem_cleared"] = "problem_cleared"
