"""Where a run stands: is it over, is it silent, what does it wait for.

Pure: messages, frames and times go in, answers come out. The first result is not the end: text that was sent
meanwhile and work in the background may owe further turns, so the end is *idle, nothing owed, nothing in the
background*.
"""

from msgspec import Struct, field

from obra_tui.agents.messages import (
    Assistant,
    Frame,
    Message,
    MessageDelta,
    MessageStart,
    ToolUse,
    User,
    count,
    mapping,
    number,
    objects,
    string,
    strings,
)
from obra_tui.agents.usage import api_usage
from obra_tui.core.model import Usage

STATELESS_GRACE_S = 1.0
"""How long after a result to wait for more, from a program that reports no state."""
OWED_GRACE_S = 3.0
"""How long an idle program may leave text unanswered before it counts as lost."""
STUCK_S = 30.0
"""How long a program may claim to be running after its result without saying anything."""
BASH_DEFAULT_S = 120.0
BASH_MARGIN_S = 30.0
_WAKING_TASKS = {"local_agent", "local_workflow"}
"""Background work whose end starts a further turn by itself."""


class RunState(Struct):
    """Follows one run. All times are of one monotonic clock."""

    began: float
    state: str = ""
    claude_session: str = ""
    result: Frame | None = None
    last_frame: float = 0.0
    settled_at: float | None = None
    """When the run last became settled (result and idle)."""
    turns: int = 0
    is_answered: bool = False
    """The API took a request of this run: what the program puts in place of an answer is no stream of its own."""
    rejected_until: float | None = None
    rejected: bool = False
    tells_what_is_read: bool = False
    """The program says when it takes a message out of its queue."""
    final_text: str = ""
    _owed: set[str] = field(default_factory=set)
    _tasks: dict[str, str] = field(default_factory=dict)
    _tools: dict[str, float] = field(default_factory=dict)
    _retry_until: float = 0.0
    _turn_running: bool = False
    _message: str = ""
    _messages: dict[str, Usage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.last_frame = self.began

    def sent(self, uuid: str) -> None:
        """Note a prompt that went out."""
        self._owed.add(uuid)
        self._turn_running = True
        self.settled_at = None

    def on_message(self, message: Message, now: float) -> None:
        """Take in what Claude says or does, and what tools gave back."""
        self.last_frame = now
        if isinstance(message, User):
            for result in message.results:
                self._tools.pop(result.tool_use_id, None)
                self.is_answered = True
            self._settle(now)
            return
        self._turn_running, self.settled_at = True, None
        if isinstance(message, Assistant):
            for block in message.message.content:
                if isinstance(block, ToolUse):
                    self._tools[block.id] = now + _own_limit(block.name, block.input)
        else:
            self._count_usage(message.event)

    def on_control(self, frame: Frame, now: float) -> None:
        """Take in a frame that is no message."""
        self.last_frame = now
        match frame.get("type"):
            case "system":
                self._system(frame, now)
            case "result":
                self._ended(frame)
            case "rate_limit_event":
                self._limit(frame.get("rate_limit_info"))
            case "command_lifecycle":
                self.tells_what_is_read = True
            case _:
                return
        self._settle(now)

    def over(self, now: float, background_wait: float) -> bool:
        """Whether nothing more is to be expected."""
        if self.result is None or self._turn_running or any(kind in _WAKING_TASKS for kind in self._tasks.values()):
            return False
        if self.settled_at is None:
            return self.state == "running" and now - self.last_frame >= STUCK_S
        quiet = now - self.settled_at
        if self._owed and quiet < OWED_GRACE_S:
            return False
        if self._tasks and quiet < background_wait:
            return False
        return bool(self.state) or quiet >= STATELESS_GRACE_S

    @property
    def turn_running(self) -> bool:
        return self._turn_running

    def silence_ends(self, limit: float) -> float:
        """Return when a silence becomes too long; a running command may be silent within its own limit."""
        return max([self.last_frame, self._retry_until, *self._tools.values()]) + limit

    def unreported(self) -> Usage:
        """Return the tokens of messages that no result has counted: the run was killed before."""
        return sum(self._messages.values(), Usage())

    # --- frames ---

    def _system(self, frame: Frame, now: float) -> None:
        match frame.get("subtype"):
            case "init":
                self.claude_session = string(frame.get("session_id")) or self.claude_session
            case "session_state_changed":
                self.state = string(frame.get("state"))
            case "api_retry":
                self._retry_until = now + (number(frame.get("retry_delay_ms")) or 0.0) / 1000
            case "background_tasks_changed":
                tasks = objects(frame.get("tasks"))
                self._tasks = {str(task.get("task_id")): string(task.get("task_type")) for task in tasks}
            case _:
                pass

    def _count_usage(self, event: object) -> None:
        if isinstance(event, MessageStart) and event.message.id:
            self._message, self.is_answered = event.message.id, True
            self._messages[self._message] = api_usage(event.message.usage)
        elif isinstance(event, MessageDelta) and event.usage is not None and self._message:
            self._messages[self._message] = api_usage(event.usage)

    def _ended(self, frame: Frame) -> None:
        self.result = frame
        self.claude_session = string(frame.get("session_id")) or self.claude_session
        answered = strings(frame.get("user_message_uuids"))
        self._owed -= set(answered) or self._owed
        self.turns += count(frame.get("num_turns"))
        self.final_text = string(frame.get("result"))
        self._turn_running = False
        self._tools.clear()
        self._messages.clear()

    def _limit(self, info: object) -> None:
        self.rejected = mapping(info).get("status") == "rejected"
        self.rejected_until = number(mapping(info).get("resetsAt")) if self.rejected else None

    def _settle(self, now: float) -> None:
        settled = self.result is not None and not self._turn_running and self.state in ("", "idle")
        if not settled:
            self.settled_at = None
        elif self.settled_at is None:
            self.settled_at = now


def _own_limit(tool: str, given: object) -> float:
    """Return how long a tool may run in silence by its own rules."""
    if tool != "Bash":
        return 0.0
    asked = number(mapping(given).get("timeout"))
    return (BASH_DEFAULT_S if asked is None else asked / 1000) + BASH_MARGIN_S
