"""What is to be done: sessions, tasks and plans, and what they may cost."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct, field

from obra_tui.core.ids import TaskId


class SessionKind(StrEnum):
    MILESTONE = "milestone"
    STANDALONE = "standalone"
    IMPORTED = "imported"
    """Read from somebody else's record: nothing was checked, judged or gated, and nothing can be run in it."""
    PROBING = "probing"
    """What was found out about the judge: cases, trials, labels. It has no tasks, and no list of sessions shows it."""


class Policy(StrEnum):
    """Who may accept: always a person, a person for what would pass, or the gate itself."""

    MANUAL = "manual"
    SUPERVISED = "supervised"
    AUTONOMOUS = "autonomous"


class Budget(Struct, frozen=True, kw_only=True):
    """Limits of one task; `None` is no limit."""

    max_turns: int | None = None
    max_cost_usd: float | None = None
    max_seconds: float | None = None
    max_tokens: int | None = None


class Stage(StrEnum):
    """The four stages of the quality score, in the order in which they are shown."""

    SYNTAX = "syntax"
    TESTING = "testing"
    REQUIREMENTS = "requirements"
    QUALITY = "quality"


MEASURED_STAGES = (Stage.SYNTAX, Stage.TESTING)
JUDGED_STAGES = (Stage.REQUIREMENTS, Stage.QUALITY)


class CheckSpec(Struct, frozen=True, kw_only=True):
    """A command that Obra runs on the work."""

    name: str
    run: str
    """Shell command line, run with `sh -c` in the root of the copy."""
    stage: Stage = Stage.TESTING
    blocking: bool = True
    timeout_s: float = 600.0
    origin: Literal["configured", "found", "plan"] = "found"
    """`configured` in the settings, `found` by looking at the project, or named by the plan."""
    junit: bool = False
    """The command writes JUnit XML to the path in `$OBRA_JUNIT`."""
    expected_s: float | None = None
    """How long it took when it ran before; None when it never did."""


class TaskSpec(Struct, frozen=True, kw_only=True):
    """One piece of work as the person wrote it."""

    id: TaskId
    key: str
    """Short name for people, unique in its plan: `T001`, or the id given in the plan file."""
    title: str
    prompt: str
    acceptance: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    """Keys of the tasks that must be accepted first."""
    checks: tuple[CheckSpec, ...] = ()
    """Checks of this task alone, beside those of the project."""
    budget: Budget = field(default_factory=Budget)
    source: str = ""
    """Where it was written, such as `tasks.md:41`."""


class Plan(Struct, frozen=True, kw_only=True):
    """An ordered list of tasks; keys are unique and dependencies form no cycle."""

    title: str
    tasks: tuple[TaskSpec, ...]
    source: str = ""
    notes: tuple[str, ...] = ()
    """Lines of the file that look like tasks and are none, each with the reason."""
