"""What happened in the run of a scenario, as values: the input of the judging and of the report."""

from msgspec import Struct, field

from obra_tui.core.lifecycle import State
from obra_tui.core.model import Outcome, SandboxLevel, SessionKind, Usage


class AttemptRun(Struct, frozen=True, kw_only=True):
    """One attempt with its evidence."""

    number: int
    outcome: Outcome | None
    quality: str
    """`Quality: 0.82 (PASS)`; empty when it was not judged."""
    score: float | None
    passes: bool | None
    reasons: tuple[str, ...] = ()
    prompt: str = ""
    finding_kinds: tuple[str, ...] = ()
    judge_parts: int = 0
    unjudged: str = ""
    denied: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    seconds: float | None = None
    usage: Usage = field(default_factory=Usage)
    claude_version: str = ""
    claude_model: str = ""
    judge_model: str = ""
    judge_digest: str = ""
    rubric: str = ""
    rubric_hash: str = ""
    sandbox: SandboxLevel | None = None


class TaskRun(Struct, frozen=True, kw_only=True):
    key: str
    title: str
    state: State
    reason: str
    attempts: tuple[AttemptRun, ...]
    seconds: float
    session: str

    @property
    def judged(self) -> tuple[AttemptRun, ...]:
        return tuple(attempt for attempt in self.attempts if attempt.passes is not None)

    @property
    def quality(self) -> str:
        """The quality line of the last judged attempt."""
        return self.judged[-1].quality if self.judged else "not judged"

    @property
    def marks(self) -> tuple[str, ...]:
        return tuple("PASS" if attempt.passes else "FAIL" for attempt in self.judged)

    @property
    def usage(self) -> Usage:
        return sum((attempt.usage for attempt in self.attempts), Usage())


class ScenarioSession(Struct, frozen=True, kw_only=True):
    id: str
    kind: SessionKind
    closed: bool
    usage: Usage
    of_attempts: Usage
    """Sum over its attempts, which must be the same."""


class ProbeRun(Struct, frozen=True, kw_only=True):
    """A look at accepted work by a command that nobody who worked on it has seen."""

    name: str
    passed: bool
    output: str = ""


class ScenarioRun(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    tasks: tuple[TaskRun, ...] = ()
    sessions: tuple[ScenarioSession, ...] = ()
    probes: tuple[ProbeRun, ...] = ()
    seconds: float = 0.0
    errors: tuple[str, ...] = ()
    """What was raised or reported as a problem; an acceptance run has none."""

    @property
    def attempts(self) -> tuple[AttemptRun, ...]:
        return tuple(attempt for task in self.tasks for attempt in task.attempts)

    @property
    def judged(self) -> int:
        return sum(len(task.judged) for task in self.tasks)

    @property
    def accepted(self) -> int:
        return sum(task.state is State.ACCEPTED for task in self.tasks)

    @property
    def usage(self) -> Usage:
        return sum((session.usage for session in self.sessions), Usage())


class RunEnvironment(Struct, frozen=True, kw_only=True):
    """What the results depend on; no path and no name of a machine."""

    versions: tuple[tuple[str, str], ...]
    system: str
    claude_versions: tuple[str, ...] = ()
    claude_models: tuple[str, ...] = ()
    judge_models: tuple[str, ...] = ()
    """With the first characters of their digests."""
    rubrics: tuple[str, ...] = ()
    """Name, version and hash."""
    sandboxes: tuple[str, ...] = ()


class ValidationRequest(Struct, frozen=True, kw_only=True):
    """What was asked for: it decides what the verdict can be."""

    rehearsal: bool
    partial: bool = False
    """Only some scenarios were run."""
    repeat: int = 1
