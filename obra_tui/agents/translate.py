"""Translates messages and control frames of the Claude Code program into events.

No I/O, no SDK, no clock: a message or frame and the time go in, events come out. Whether a run is over or silent is
decided in `run_state`, how it ended in `outcome`.
"""

import json
from typing import Literal

from msgspec import Struct, field

from obra_tui.agents.messages import (
    Assistant,
    BlockDelta,
    BlockStart,
    Frame,
    Message,
    MessageStart,
    StreamEvent,
    Text,
    TextDelta,
    ThinkingDelta,
    ToolUse,
    User,
    count,
    mapping,
    number,
    string,
    texts,
)
from obra_tui.agents.patch import Patch, patch_of
from obra_tui.agents.titles import bounded, input_json, inside, title_of
from obra_tui.agents.usage import usage_by_model
from obra_tui.core.events import (
    ClaudeActivity,
    ClaudeNoticed,
    ClaudeStarted,
    Event,
    LimitReported,
    RetryScheduled,
    TextDropped,
    TextFinished,
    TextStreamed,
    ThinkingStreamed,
    ToolFinished,
    ToolStarted,
    UsageReported,
)
from obra_tui.core.ids import ClaudeSessionId
from obra_tui.core.model import Confinement

MAX_OUTPUT = 64_000
MAX_NOTICE = 4_000
MAX_RAW = 16_000
_MAX_KIND = 80
_MOST_KINDS = 50
"""Kinds of unknown messages that are told of; a program that invents more is not listened to."""

_SILENT_TYPES = {
    "control_request", "control_response", "control_cancel_request", "command_lifecycle", "transcript_mirror",
    "keep_alive", "tool_progress", "tool_use_summary", "prompt_suggestion",
}  # fmt: skip
_SILENT_SUBTYPES = {
    "thinking_tokens", "background_tasks_changed", "hook_started", "hook_progress", "hook_response",
    "task_progress", "task_updated", "files_persisted", "elicitation_complete", "post_turn_summary",
}  # fmt: skip


_NO_PATCH = Patch()


class _StreamedBlock(Struct):
    """A block of text that is being streamed."""

    text: list[str] = field(default_factory=list)
    finished: bool = False


class Translation:
    """Reads the messages and frames of one run in order."""

    def __init__(self, cwd: str, pid: int | None = None, confinement: Confinement | None = None) -> None:
        self._confinement = confinement
        self.cwd = cwd
        self.pid = pid
        self._message = ""
        self._blocks: dict[str, _StreamedBlock] = {}
        self._unstreamed = 0
        self._tools: dict[str, float] = {}
        self._state = ""
        self._told: set[str] = set()

    def on_message(self, message: Message, now: float) -> list[Event]:
        """Return what a message says, in order."""
        if isinstance(message, StreamEvent):
            return self._streamed(message.event)
        if isinstance(message, User):
            return self._user(message, now)
        return self._assistant(message, now)

    def on_control(self, frame: Frame, now: float) -> list[Event]:
        """Return what a frame that is no message says; an unknown kind is told once, raw."""
        match string(frame.get("type")):
            case "system":
                return self._system(frame)
            case "result":
                return [*self.close(), *_usage(frame)]
            case "rate_limit_event":
                return [_limit(mapping(frame.get("rate_limit_info")))]
            case kind if kind in _SILENT_TYPES:
                return []
            case kind:
                return self._unknown(kind, frame)

    def close(self) -> list[Event]:
        """End what is still open: text that was cut short stays as far as it came."""
        broken = self._take_broken()
        return [TextFinished(block=key, text="".join(block.text)) for key, block in broken]

    # --- streamed pieces ---

    def _streamed(self, event: object) -> list[Event]:
        if isinstance(event, BlockDelta):
            return self._piece(event)
        if isinstance(event, MessageStart):
            return self._message_started(event.message.id)
        if isinstance(event, BlockStart) and event.content_block.type == "text":
            self._blocks[f"{self._message}:{event.index}"] = _StreamedBlock()
        return []

    def _message_started(self, message: str) -> list[Event]:
        """A new message says again whatever the one before it did not finish."""
        broken = self._take_broken()
        self._message = message
        return [TextDropped(block=key) for key, _ in broken]

    def _take_broken(self) -> list[tuple[str, _StreamedBlock]]:
        """Forget all blocks; return those of which only a part came."""
        blocks, self._blocks = self._blocks, {}
        return [(key, block) for key, block in blocks.items() if block.text and not block.finished]

    def _piece(self, piece: BlockDelta) -> list[Event]:
        key, delta = f"{self._message}:{piece.index}", piece.delta
        if isinstance(delta, TextDelta):
            return [self._text_streamed(key, delta.text)]
        if isinstance(delta, ThinkingDelta) and delta.thinking:
            return [ThinkingStreamed(block=key, text=delta.thinking)]
        return []

    def _text_streamed(self, key: str, text: str) -> TextStreamed:
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = _StreamedBlock()
        block.text.append(text)
        return TextStreamed(block=key, text=text)

    # --- whole messages ---

    def _assistant(self, said: Assistant, now: float) -> list[Event]:
        if said.is_from_program:
            return _program_speaks(said)
        events: list[Event] = []
        parent = said.parent_tool_use_id or ""
        for block in said.message.content:
            if isinstance(block, ToolUse):
                events.append(self._tool(block.id, block.name, block.input, parent, now))
            elif isinstance(block, Text) and not parent:
                events.append(TextFinished(block=self._finish(said.message.id), text=block.text))
        return events

    def _finish(self, message: str) -> str:
        """Return the key of the block that this text completes; it comes before the next block is opened."""
        for key, block in self._blocks.items():
            if not block.finished and key.rpartition(":")[0] == message:
                block.finished = True
                return key
        self._unstreamed += 1
        return f"{message}:whole{self._unstreamed}"

    def _tool(self, call: str, tool: str, given: Frame, parent: str, now: float) -> ToolStarted:
        self._tools[call] = now
        title = title_of(tool, given, self.cwd)
        return ToolStarted(call=call, tool=tool, title=title, input_json=input_json(given), parent=parent)

    def _user(self, said: User, now: float) -> list[Event]:
        results = said.results
        # The structured twin of a result belongs to the whole frame: it is only known whose it is when there is one.
        twin = said.tool_use_result if len(results) == 1 else None
        events: list[Event] = [
            self._result(item.tool_use_id, bool(item.is_error), item.content, twin, now) for item in results
        ]
        text = said.text.strip()
        if text and not said.parent_tool_use_id and not said.isReplay:
            events.append(ClaudeNoticed(level="info", text=bounded(text, MAX_NOTICE)))
        return events

    def _result(self, call: str, failed: bool, content: object, twin: object, now: float) -> ToolFinished:
        result = mapping(twin)
        patch = patch_of(result, inside(str(result.get("filePath", "")), self.cwd)) if result else _NO_PATCH
        return ToolFinished(
            call=call,
            is_error=failed,
            output=bounded(_output(content, result), MAX_OUTPUT),
            patch=patch.text,
            added=patch.added,
            removed=patch.removed,
            duration_s=max(0.0, now - self._tools.pop(call, now)),
        )

    # --- the program about itself ---

    def _system(self, frame: Frame) -> list[Event]:
        match string(frame.get("subtype")):
            case "init":
                return [_started(frame, self.pid, self._confinement)]
            case "session_state_changed":
                return self._activity(frame.get("state"))
            case "status":
                return self._activity("compacting" if frame.get("status") == "compacting" else "")
            case "api_retry":
                return [_retry(frame)]
            case subtype if subtype in _SILENT_SUBTYPES:
                return []
            case subtype:
                notice = _notice(subtype, frame)
                return [notice] if notice else self._unknown(f"system/{subtype}", frame)

    def _activity(self, state: object) -> list[Event]:
        known: tuple[Literal["running", "requires_action", "idle", "compacting"], ...]
        known = ("running", "requires_action", "idle", "compacting")
        new = next((name for name in known if name == state), None)
        if new is None or new == self._state:
            return []
        self._state = new
        return [ClaudeActivity(state=new)]

    def _unknown(self, kind: str, frame: Frame) -> list[Event]:
        kind = kind[:_MAX_KIND] or "without a name"
        if kind in self._told or len(self._told) >= _MOST_KINDS:
            return []
        self._told.add(kind)
        text = f"Claude Code sent a kind of message that is not known here ({kind}); it is kept as it came."
        return [ClaudeNoticed(level="warning", text=text, raw_json=bounded(json.dumps(frame), MAX_RAW))]


# --- one kind of frame each ---


def _started(frame: Frame, pid: int | None, confinement: Confinement | None) -> ClaudeStarted:
    return ClaudeStarted(
        claude_session=ClaudeSessionId(str(frame.get("session_id", ""))),
        model=str(frame.get("model", "")),
        version=str(frame.get("claude_code_version", "")),
        pid=pid,
        permission_mode=str(frame.get("permissionMode", "")),
        cwd=str(frame.get("cwd", "")),
        confinement=confinement,
    )


def _retry(frame: Frame) -> RetryScheduled:
    return RetryScheduled(
        attempt=count(frame.get("attempt")),
        max_retries=count(frame.get("max_retries")),
        delay_s=(number(frame.get("retry_delay_ms")) or 0.0) / 1000,
        status=count(frame.get("error_status")) or None,
        error=str(frame.get("error") or ""),
    )


def _limit(info: Frame) -> LimitReported:
    return LimitReported(
        status=str(info.get("status", "")),
        window=str(info.get("rateLimitType") or ""),
        resets_at=number(info.get("resetsAt")),
        utilization=number(info.get("utilization")),
    )


def _usage(frame: Frame) -> list[Event]:
    return [UsageReported(usage=usage, model=model) for model, usage in usage_by_model(frame)]


def _program_speaks(said: Assistant) -> list[Event]:
    text = "\n".join(block.text for block in said.message.content if isinstance(block, Text))
    level: Literal["info", "error"] = "error" if said.error or said.is_api_error_message else "info"
    return [ClaudeNoticed(level=level, text=bounded(text, MAX_NOTICE))] if text.strip() else []


def _notice(subtype: str, frame: Frame) -> ClaudeNoticed | None:
    """Return what the program wants a person to know, for the kinds that are known."""
    level: Literal["info", "warning", "error"] = "info"
    match subtype:
        case "permission_denied":
            level, text = "warning", f"{frame.get('tool_name')} was denied: {frame.get('message') or 'nobody to ask'}"
        case "model_fallback":
            level = "warning"
            text = f"{frame.get('original_model')} is not available; {frame.get('fallback_model')} goes on."
        case "compact_boundary":
            text = "The conversation became too long; Claude Code summed it up and goes on."
        case "task_started":
            text = f"In the background: {frame.get('description') or frame.get('task_type')}"
        case "task_notification":
            text = f"Background work {frame.get('status')}: {frame.get('summary') or frame.get('task_id')}"
        case "notification" | "informational" | "local_command_output":
            text = str(frame.get("text") or frame.get("message") or frame.get("content") or "")
            level = "warning" if frame.get("level") in ("warning", "error") else "info"
        case _:
            return None
    return ClaudeNoticed(level=level, text=bounded(text, MAX_NOTICE))


def _output(content: object, result: Frame) -> str:
    """Return what a tool gave back; the program shows the model a shorter text than it has itself."""
    text = content if isinstance(content, str) else "\n".join(texts(content))
    stdout = string(result.get("stdout"))
    whole = stdout if len(stdout) > len(text) else text
    return whole.removeprefix("<tool_use_error>").removesuffix("</tool_use_error>")
