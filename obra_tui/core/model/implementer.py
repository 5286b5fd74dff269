"""Claude Code at work: what it is started with, how it ended, what it asks for."""

from enum import StrEnum

from msgspec import Struct, field

from obra_tui.core.ids import AttemptId, ClaudeSessionId, QuestionId, TaskId
from obra_tui.core.model.work import Budget


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


class Remedy(StrEnum):
    """What helps after an answer of the API that ended a run."""

    WAIT = "wait"
    """The same request later: the network, or the API's own fault."""
    PERSON = "person"
    """A login, an account, a model or an address that a person must put right: no other task would fare better."""
    FRESH = "fresh"
    """A new conversation: this one holds what the API will not take."""
    TASK = "task"
    """Another task: it is the task itself that the API will not take."""


class ConversationReason(StrEnum):
    FIRST = "first"
    RESUME = "resume"
    FORK = "fork"
    FRESH = "fresh"


class Confinement(StrEnum):
    """How Claude Code, and everything that it started, was kept away from the machine."""

    BWRAP = "bwrap"
    """In namespaces of its own, made by bubblewrap: nothing outside its copy could be changed or outlive it."""
    NONE = "none"
    """With the rights of the person who runs Obra."""

    @property
    def words(self) -> str:
        return "confined" if self is Confinement.BWRAP else "not confined"


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
    remedy: Remedy | None = None
    """What helps when the API refused; None: nothing was refused, or it was not noted, as in older records."""
    confinement: Confinement | None = None
    """None: not known, as in records made before it was noted, or no run at all, as in work by hand."""


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
    device: str = ""
    """The browser in which it was answered; empty = on this machine."""
