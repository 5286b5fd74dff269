"""What happens while Claude Code works: prompts, text, tool calls, usage, and how it ended."""

from typing import Literal

from msgspec import Struct

from obra_tui.core.ids import ClaudeSessionId
from obra_tui.core.model import Confinement, ConversationReason, ImplementResult, Usage

# --- attempt: Claude Code -------------------------------------------------------------------------


class AttemptStarted(Struct, frozen=True, kw_only=True):
    """Sent, with the Claude session id that was chosen, before any process is started."""

    number: int
    """1, 2, … within the task: every start counts here."""
    counted: int
    """How many attempts of the allowance were used up before this one."""
    claude_session: ClaudeSessionId
    reason: ConversationReason
    type: Literal["attempt_started"] = "attempt_started"


class PromptSent(Struct, frozen=True, kw_only=True):
    """A prompt as Claude Code received it, word for word."""

    text: str
    kind: Literal["task", "retry", "steer"]
    by: str = "obra"
    type: Literal["prompt_sent"] = "prompt_sent"


class PromptHoldAsked(Struct, frozen=True, kw_only=True):
    """A person wants to see the next prompt of the task before it is sent, or (`on` is false) no longer."""

    on: bool
    by: str
    type: Literal["prompt_hold_asked"] = "prompt_hold_asked"


class PromptHeld(Struct, frozen=True, kw_only=True):
    """A prompt, as Obra built it, waits for a person: `PromptSent` says what became of it, or `PromptWithdrawn`."""

    text: str
    kind: Literal["task", "retry"]
    type: Literal["prompt_held"] = "prompt_held"


class PromptWithdrawn(Struct, frozen=True, kw_only=True):
    """The held prompt was not sent: its run ended first."""

    type: Literal["prompt_withdrawn"] = "prompt_withdrawn"


class ClaudeStarted(Struct, frozen=True, kw_only=True):
    """Claude Code reported itself; once per turn of the process."""

    claude_session: ClaudeSessionId
    model: str
    version: str
    pid: int | None
    permission_mode: str
    cwd: str
    confinement: Confinement | None = None
    """How it is kept away from the machine; None = not noted, as in older records."""
    type: Literal["claude_started"] = "claude_started"


class ClaudeActivity(Struct, frozen=True, kw_only=True):
    """What Claude Code says it is doing."""

    state: Literal["running", "requires_action", "idle", "compacting"]
    type: Literal["claude_activity"] = "claude_activity"


class TextStreamed(Struct, frozen=True, kw_only=True, gc=False):
    """Streamed. A piece of Claude's text; `block` is unique within the attempt."""

    block: str
    text: str
    type: Literal["text_streamed"] = "text_streamed"


class TextDropped(Struct, frozen=True, kw_only=True):
    """The connection broke: what was streamed of `block` will be said again under another one."""

    block: str
    type: Literal["text_dropped"] = "text_dropped"


class TextFinished(Struct, frozen=True, kw_only=True, gc=False):
    """The complete text of a block; stands also for a block that was never streamed."""

    block: str
    text: str
    type: Literal["text_finished"] = "text_finished"


class ThinkingStreamed(Struct, frozen=True, kw_only=True, gc=False):
    """Streamed. A piece of Claude's thinking."""

    block: str
    text: str
    type: Literal["thinking_streamed"] = "thinking_streamed"


class ToolStarted(Struct, frozen=True, kw_only=True, gc=False):
    """Claude Code began a tool call."""

    call: str
    tool: str
    title: str
    """What it acts on, one line: `calculator.py`, `pytest -q`."""
    input_json: str
    parent: str = ""
    """Tool call of the subagent that made this one; empty for the main conversation."""
    type: Literal["tool_started"] = "tool_started"


class ToolFinished(Struct, frozen=True, kw_only=True, gc=False):
    """A tool call ended; `output` is what Claude was told, and may be cut."""

    call: str
    is_error: bool
    output: str
    patch: str = ""
    """Unified diff of an edit, from Claude Code's structured patch."""
    added: int = 0
    removed: int = 0
    duration_s: float = 0.0
    type: Literal["tool_finished"] = "tool_finished"


class RetryScheduled(Struct, frozen=True, kw_only=True):
    """Claude Code itself tries the API again in `delay_s`."""

    attempt: int
    max_retries: int
    delay_s: float
    status: int | None
    error: str
    type: Literal["retry_scheduled"] = "retry_scheduled"


class LimitReported(Struct, frozen=True, kw_only=True):
    """State of a subscription's usage window."""

    status: str
    window: str
    resets_at: float | None
    utilization: float | None
    type: Literal["limit_reported"] = "limit_reported"


class UsageReported(Struct, frozen=True, kw_only=True):
    """What was consumed since the last report: add up, never replace."""

    usage: Usage
    model: str = ""
    type: Literal["usage_reported"] = "usage_reported"


class ClaudeNoticed(Struct, frozen=True, kw_only=True):
    """A message of the program itself: stderr, notification, unknown event type."""

    level: Literal["info", "warning", "error"]
    text: str
    raw_json: str = ""
    type: Literal["claude_noticed"] = "claude_noticed"


class SteerQueued(Struct, frozen=True, kw_only=True):
    """The person's text was handed to the running turn, or waits for the next prompt."""

    text: str
    by: str
    delivered: bool
    type: Literal["steer_queued"] = "steer_queued"


class SteerDelivered(Struct, frozen=True, kw_only=True):
    """Claude has read what was queued for its running turn. Text that was not read goes into the next prompt."""

    text: str
    type: Literal["steer_delivered"] = "steer_delivered"


class ClaudeEnded(Struct, frozen=True, kw_only=True):
    """The run of Claude Code is over and no process of it is left; exactly once per started attempt."""

    result: ImplementResult
    type: Literal["claude_ended"] = "claude_ended"
