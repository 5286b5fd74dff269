"""The nouns: frozen values that cross rooms and threads.

Knows nothing of how any of them is made, stored or drawn.
"""

from enum import StrEnum
from typing import Literal

from msgspec import Struct, field

from obra_tui.core.ids import (
    AttemptId,
    ClaudeSessionId,
    GateId,
    QuestionId,
    SessionId,
    TaskId,
)

# --- work ----------------------------------------------------------------------------------------


class SessionKind(StrEnum):
    MILESTONE = "milestone"
    STANDALONE = "standalone"
    IMPORTED = "imported"
    """Read from somebody else's record: nothing was checked, judged or gated, and nothing can be run in it."""


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


# --- the implementer -----------------------------------------------------------------------------


class Outcome(StrEnum):
    """How a run of Claude Code ended, before quality is looked at. Only `completed` uses up an attempt."""

    COMPLETED = "completed"
    LIMITED = "limited"
    AUTH = "auth"
    REFUSED = "refused"
    """The API refused the request, or could not be reached."""
    MAX_TURNS = "max_turns"
    BUDGET = "budget"
    TRANSPORT_BROKEN = "transport_broken"
    RESUME_BROKEN = "resume_broken"
    HUNG = "hung"
    KILLED = "killed"
    EMPTY = "empty"


class ConversationReason(StrEnum):
    FIRST = "first"
    RESUME = "resume"
    FORK = "fork"
    FRESH = "fresh"


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens and estimated cost; values add up."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float = 0.0
    """An estimate from Claude Code's own price table."""
    turns: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            cost_usd=self.cost_usd + other.cost_usd,
            turns=self.turns + other.turns,
        )

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def known_cost(self) -> float | None:
        """The cost, None where there are tokens and nobody said what they cost, as in most imports."""
        return self.cost_usd if self.cost_usd or not self.total_tokens else None

    def cost_shown(self, digits: int = 2) -> str:
        """`$0.25`, or a dash where the cost is not known."""
        cost = self.known_cost
        return "–" if cost is None else f"${cost:.{digits}f}"


class ImplementRequest(Struct, frozen=True, kw_only=True):
    """Everything that Claude Code is started with."""

    task: TaskId
    attempt: AttemptId
    prompt: str
    cwd: str
    claude_session: ClaudeSessionId
    reason: ConversationReason = ConversationReason.FIRST
    """`resume` continues `claude_session`; `first` and `fresh` create it, `fork` as a continuation of `parent`."""
    parent: ClaudeSessionId | None = None
    """For `fork`: the conversation it starts from, which stays as it is."""
    budget: Budget = field(default_factory=Budget)


class ImplementResult(Struct, frozen=True, kw_only=True):
    """The end of a Claude Code run. `usage` is what this run alone consumed."""

    outcome: Outcome
    claude_session: ClaudeSessionId
    """As the stream reported it, not as it was asked for."""
    detail: str = ""
    """One plain sentence for the person: what happened and, if it failed, what to do."""
    until: float | None = None
    """For `limited`: epoch seconds when the limit resets, if known."""
    usage: Usage = field(default_factory=Usage)
    final_text: str = ""
    duration_s: float = 0.0


class PermissionKind(StrEnum):
    TOOL = "tool"
    PLAN = "plan"
    """Claude asks for approval of a plan."""
    QUESTION = "question"
    """Claude asks the person something; the answer is text."""


class PermissionQuestion(Struct, frozen=True, kw_only=True):
    """Claude Code wants to do something that no rule allows."""

    id: QuestionId
    kind: PermissionKind
    tool: str
    title: str
    """One line: the exact command or `Edit path`."""
    detail: str
    """The whole input, readable, complete."""
    why: str = ""
    """Which rule did not allow it."""
    dangers: tuple[str, ...] = ()
    """What it touches: `network`, `deletes files`, `outside the copy`, …"""
    session_rule: str = ""
    """The rule that *allow for this session* would add, such as `Bash(pytest:*)`; empty = not offered."""
    options: tuple[str, ...] = ()
    """For `question`: the offered answers."""
    several: bool = False
    """More than one of `options` may be given."""


class PermissionVerdict(StrEnum):
    ONCE = "once"
    SESSION = "session"
    DENY = "deny"


class PermissionAnswer(Struct, frozen=True, kw_only=True):
    verdict: PermissionVerdict
    by: str
    """`person:<login>`, `policy` or `unattended`."""
    note: str = ""
    """Reason of a denial, or the text that answers a question."""


# --- evidence ------------------------------------------------------------------------------------


class WorkCopy(Struct, frozen=True, kw_only=True):
    """The isolated copy of one task."""

    path: str
    base_commit: str
    """Commit of the project that the copy started from."""
    setup_ran: bool = False


class ChangeKind(StrEnum):
    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    MODE = "mode"


class FileChange(Struct, frozen=True, kw_only=True):
    path: str
    kind: ChangeKind
    added: int
    removed: int
    old_path: str = ""
    binary: bool = False
    protected: str = ""
    """Why this path is protected (`existing test`, `CI`, `Obra's configuration`); empty if it is not."""


class Diff(Struct, frozen=True, kw_only=True):
    """The work of an attempt against the base of its task, as the supervisor's own git saw it."""

    base_commit: str
    tree: str
    """Git tree id of the work."""
    digest: str
    """SHA-256 of the complete patch, whatever was cut from `patch`."""
    patch: str
    """Unified diff, UTF-8 with replacement characters; may be cut at a size limit."""
    files: tuple[FileChange, ...]
    truncated: bool = False
    secrets: tuple[str, ...] = ()
    """Places where an added line looks like a secret: `path:line kind`; never the secret itself."""
    notes: tuple[str, ...] = ()
    """What could not be taken in full: skipped FIFO, nested repository, …"""

    @property
    def empty(self) -> bool:
        return not self.files

    @property
    def added(self) -> int:
        return sum(change.added for change in self.files)

    @property
    def removed(self) -> int:
        return sum(change.removed for change in self.files)

    @property
    def protected(self) -> tuple[str, ...]:
        return tuple(f"{change.path} ({change.protected})" for change in self.files if change.protected)


class SandboxLevel(StrEnum):
    """How a check is kept away from the machine, best first."""

    BWRAP = "bwrap"
    """Own namespaces, no network, read-only system."""
    UNSHARE = "unshare"
    """No network namespace of the host, but the file system is the host's."""
    NONE = "none"


class CheckStatus(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    BROKEN = "broken"
    """The command could not be run at all (not found, sandbox refused): no evidence, never a pass."""


class FailedCase(Struct, frozen=True, kw_only=True):
    """One failing test: its name as the runner prints it, and where and why it failed."""

    name: str
    message: str = ""
    file: str = ""
    line: int | None = None


class CheckResult(Struct, frozen=True, kw_only=True):
    spec: CheckSpec
    status: CheckStatus
    exit_code: int | None
    duration_s: float
    output: str
    """Standard output and error together, cut in the middle at a size limit."""
    sandbox: SandboxLevel
    passed: int | None = None
    """Test counts from JUnit XML where there is one."""
    failed: int | None = None
    skipped: int | None = None
    failures: tuple[FailedCase, ...] = ()
    detail: str = ""
    """One plain sentence when `broken` or `timed_out`."""


# --- judgement -----------------------------------------------------------------------------------


class Severity(StrEnum):
    BLOCKER = "blocker"
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"


class FindingSource(StrEnum):
    JUDGE = "judge"
    CHECK = "check"
    PERSON = "person"


class Finding(Struct, frozen=True, kw_only=True):
    severity: Severity
    message: str
    file: str = ""
    line: int | None = None
    kind: str = ""
    """`requirement`, `correctness`, `tests`, `style`, `security`, `injection`, …"""
    suggestion: str = ""
    source: FindingSource = FindingSource.JUDGE
    note: str = ""
    """What the person says about it; goes to Claude with it."""

    @property
    def place(self) -> str:
        if not self.file:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    @property
    def fingerprint(self) -> str:
        """Same finding in two attempts: file and message, without the line, which moves."""
        return f"{self.file}|{' '.join(self.message.lower().split())}"


class JudgeIdentity(Struct, frozen=True, kw_only=True):
    """Who judged, exactly."""

    model: str
    digest: str = ""
    """Model digest as the server reports it."""
    url: str = ""
    dialect: str = ""
    rubric: str = ""
    """Name and version of the rubric."""
    rubric_hash: str = ""
    prompt_hash: str = ""


class CriterionScore(Struct, frozen=True, kw_only=True):
    criterion: str
    stage: Stage
    score: float
    """0.0–1.0."""
    weight: float = 1.0


class Verdict(Struct, frozen=True, kw_only=True):
    """What the judge said about a diff; `unjudged` names the reason when it said nothing usable."""

    identity: JudgeIdentity
    unjudged: str = ""
    scores: tuple[CriterionScore, ...] = ()
    findings: tuple[Finding, ...] = ()
    summary: str = ""
    opinion: str = ""
    """The model's own `approve` / `revise` / `reject`: compared, never obeyed."""
    contradictions: tuple[str, ...] = ()
    """Where the model disagrees with itself or with a check; each forces a person to look."""
    raw: str = ""
    hunks_total: int = 0
    hunks_seen: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    duration_s: float = 0.0

    @property
    def complete(self) -> bool:
        return not self.unjudged


class JudgeRequest(Struct, frozen=True, kw_only=True):
    """What the judge is shown: the task, the diff and what was measured."""

    task: TaskSpec
    attempt_number: int
    diff: Diff
    checks: tuple[CheckResult, ...]
    claude_message: str = ""
    previous_findings: tuple[Finding, ...] = ()


# --- the gate ------------------------------------------------------------------------------------


class Provenance(Struct, frozen=True, kw_only=True):
    """Where the number of a stage came from."""

    stage: Stage
    how: Literal["measured", "judged", "none"]
    source: str
    """`pytest: exit 1, 5 of 6 tests` or `qwen2.5-coder:32b @1a2b…, prompt 3c4d…`, or why there is nothing."""


class StageScore(Struct, frozen=True, kw_only=True):
    stage: Stage
    score: float | None
    """0.0–1.0, or `None`: no evidence."""
    weight: float


class QualityResult(Struct, frozen=True, kw_only=True):
    """The score of an attempt. Nothing in it was said by the one who did the work."""

    overall_score: float
    stage_scores: tuple[StageScore, ...]
    passes_gate: bool
    findings: tuple[Finding, ...]
    provenance: tuple[Provenance, ...]
    threshold: float
    obstacles: tuple[str, ...] = ()
    """Why it does not pass, each one a plain sentence; empty when `passes_gate`."""

    @property
    def line(self) -> str:
        return f"Quality: {self.overall_score:.2f} ({'PASS' if self.passes_gate else 'FAIL'})"

    def score_of(self, stage: Stage) -> float | None:
        return next((item.score for item in self.stage_scores if item.stage is stage), None)


class GateDecision(StrEnum):
    PASS = "pass"
    RETRY = "retry"
    ASK = "ask"


class GateOutcome(Struct, frozen=True, kw_only=True):
    decision: GateDecision
    reasons: tuple[str, ...]


class Binding(Struct, frozen=True, kw_only=True):
    """The exact content that a decision is about; a decision on anything else is refused."""

    attempt: AttemptId
    tree: str
    diff_digest: str
    rubric_hash: str


class DecisionKind(StrEnum):
    APPROVE = "approve"
    CHANGES = "changes"
    REJECT = "reject"


class Decision(Struct, frozen=True, kw_only=True):
    """An answer to a gate."""

    kind: DecisionKind
    by: str
    """`policy` or `person:<login>`."""
    note: str = ""
    chosen: tuple[Finding, ...] = ()
    """Findings that go into the next prompt, word for word."""
    prompt: str = ""
    """For `changes`: the exact next prompt if the person edited it; empty = generated."""
    override: bool = False
    """Approved although the gate did not pass, a check failed or files were not looked at: see `overridden`."""
    open_s: float = 0.0
    """How long the review screen was open."""
    seen_files: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
    """What an approval went against, as it was shown to the person, one sentence each."""
    own_score: float | None = None
    """0.0–1.0: what the person gave before the judge's number was shown to them."""


class OpenGate(Struct, frozen=True, kw_only=True):
    """A gate that waits for a person."""

    id: GateId
    session: SessionId
    task: TaskId
    binding: Binding
    reasons: tuple[str, ...]
    opened_at: float


class Acceptance(Struct, frozen=True, kw_only=True):
    """The commit that took the work in."""

    commit: str
    branch: str
    repeated: bool = False
    """The commit was there already: an earlier acceptance of the same attempt was found."""


class Reversal(Struct, frozen=True, kw_only=True):
    """The commit that takes accepted work back."""

    commit: str
    branch: str
    reverted: str
    """The commit of the acceptance."""
    repeated: bool = False
    """The commit was there already: an earlier reversal of the same work was found."""
