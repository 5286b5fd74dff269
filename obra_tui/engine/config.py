"""What the engine is given at start: the other rooms as ports, and its rules."""

from collections.abc import Awaitable, Callable

from msgspec import Struct, field

from obra_tui.core.errors import ObraError
from obra_tui.core.gate import GateRules
from obra_tui.core.judging.authority import JudgeRecord
from obra_tui.core.judging.standing import LIMIT, Standing
from obra_tui.core.model import Budget, JudgeIdentity
from obra_tui.core.ports import CheckRunner, EngineClock, Implementer, Journal, Judge, Ledger, Workspace


class Ports(Struct, frozen=True, kw_only=True):
    implementer: Implementer
    workspace: Workspace
    checks: CheckRunner
    judge: Judge
    journal: Journal
    ledger: Ledger
    clock: EngineClock
    judge_standing: Callable[[JudgeIdentity], Awaitable[Standing]] | None = None
    """What the judge's record allows; none when its word is taken as it is."""
    judge_records: Callable[[], Awaitable[tuple[JudgeRecord, ...]]] | None = None
    """What is known of each judge of the project, for people; nothing is decided by it."""
    look_at_judge: Callable[[], Awaitable[ObraError | None]] | None = None
    """Asks, before any work is paid, whether the judge is there; returns what is wrong with it."""


class EngineConfig(Struct, frozen=True, kw_only=True):
    project: str
    """Absolute path of the person's repository."""
    rules: GateRules = field(default_factory=GateRules)
    jobs: int = 1
    """Tasks worked on at the same time."""
    attended: bool = True
    """Somebody can answer questions; if not, they are denied at once and listed."""
    wait_for_limit_s: float = 6 * 3600
    """Longest wait for a usage limit to reset; a longer one stops the run."""
    hold_prompts: bool = False
    """Show every prompt to the person before it is sent."""
    task_budget: Budget = field(default_factory=Budget)
    """What one task may use before a person is asked; a task's own budget counts beside it."""
    session_budget: Budget = field(default_factory=Budget)
    false_pass_limit: float = LIMIT
    other_approver: bool = False
    """Work is approved by somebody else than who asked for it."""
    undo_s: float = 0.0
    """How long a person's answer to a gate can be undone before it is carried out."""
    keep_copies: bool = False
    """Keep the copy of an accepted task."""
    rehearsal: str = ""
    versions: tuple[tuple[str, str], ...] = ()
