"""Claude Code's own transcripts, read as what happened: lines in, events out.

Tolerant: a line that is damaged, foreign or of a kind that is not known is
counted and passed over. The usage of one message of the API stands on every
line of it, so it is counted once per message id. No I/O; sources are never
written to.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from obra_tui.agents.messages import Frame, mapping, number, objects, string
from obra_tui.agents.titles import title_of
from obra_tui.agents.usage import api_usage
from obra_tui.core.events import Event, PromptSent, TextFinished, ToolFinished, ToolStarted, UsageReported
from obra_tui.core.model import Usage

LONGEST = 64_000
"""Characters of one text that are kept."""
_COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_NO_PROMPTS = ("<command-name>", "<local-command", "<system-reminder>", "Caveat: ")
"""What Claude Code itself writes in the person's place."""


class Said(Struct, frozen=True):
    at: float
    event: Event

    def not_before(self, at: float) -> "Said":
        """A line that says no time, before any that does, is as old as the first that does."""
        return self if self.at >= at else Said(at, self.event)


class Transcript(Struct):
    """Reads the lines of one file in order; can be put down and taken up again by `state`."""

    session: str = ""
    cwd: str = ""
    branch: str = ""
    version: str = ""
    model: str = ""
    title: str = ""
    first_prompt: str = ""
    began: float | None = None
    last: float = 0.0
    read: int = 0
    passed_over: int = 0
    """Lines that could not be understood."""
    usage: Usage = field(default_factory=Usage)
    _counted: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _at: float = 0.0
    """When the present line was written, or the last one of its file that says so."""

    def line(self, text: str) -> list[Said]:
        """Return what a line says; nothing if it cannot be understood."""
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            self.passed_over += 1
            return []
        if not isinstance(frame, dict):
            self.passed_over += 1
            return []
        self.read += 1
        self._learn(frame)
        return [Said(self._at, event) for event in self._events(frame)]

    def _learn(self, frame: Frame) -> None:
        at = _time(frame.get("timestamp"))
        if at is not None:
            self.began = at if self.began is None else min(at, self.began)
            self.last = max(at, self.last)
            self._at = at
        self.session = self.session or string(frame.get("sessionId"))
        self.cwd = self.cwd or string(frame.get("cwd"))
        self.branch = self.branch or string(frame.get("gitBranch"))
        self.version = string(frame.get("version")) or self.version
        if frame.get("type") == "summary":
            self.title = string(frame.get("summary")) or self.title

    def _events(self, frame: Frame) -> Iterator[Event]:
        message = mapping(frame.get("message"))
        match frame.get("type"):
            case "user":
                yield from self._user(frame, message)
            case "assistant":
                yield from self._assistant(frame, message)

    def _user(self, frame: Frame, message: Frame) -> Iterator[Event]:
        content = message.get("content")
        if isinstance(content, str):
            yield from self._prompt(frame, content)
        for block in objects(content):
            if block.get("type") == "tool_result":
                output = _flat(block.get("content"))[:LONGEST]
                call = string(block.get("tool_use_id"))
                yield ToolFinished(call=call, is_error=block.get("is_error") is True, output=output)
            elif block.get("type") == "text":
                yield from self._prompt(frame, string(block.get("text")))

    def _prompt(self, frame: Frame, text: str) -> Iterator[Event]:
        mine = frame.get("isSidechain") is not True and frame.get("isMeta") is not True
        if not text.strip() or not mine or text.lstrip().startswith(_NO_PROMPTS):
            return
        first = not self.first_prompt
        self.first_prompt = self.first_prompt or text
        yield PromptSent(text=text[:LONGEST], kind="task" if first else "steer", by="person")

    def _assistant(self, frame: Frame, message: Frame) -> Iterator[Event]:
        model = string(message.get("model"))
        parent = (string(frame.get("agentId")) or "subagent") if frame.get("isSidechain") is True else ""
        self.model = self.model if parent and self.model else model or self.model
        own = string(frame.get("uuid")) or str(self.read)
        for place, block in enumerate(objects(message.get("content"))):
            match block.get("type"):
                case "text" if string(block.get("text")):
                    by = f"[subagent {parent}] " if parent else ""
                    yield TextFinished(block=f"{own}:{place}", text=f"{by}{string(block.get('text'))}"[:LONGEST])
                case "tool_use":
                    yield _tool(block, self.cwd, parent)
        yield from self._used(string(message.get("id")), message, model or self.model, number(frame.get("costUSD")))

    def _used(self, message_id: str, message: Frame, model: str, cost: float | None) -> Iterator[Event]:
        """Only old transcripts say what a message cost; without it the cost is not known."""
        now = api_usage(message.get("usage"))
        counts = tuple(getattr(now, name) for name in _COUNTS)
        before = self._counted.get(message_id, (0, 0, 0, 0))
        more = [max(0, new - old) for new, old in zip(counts, before, strict=True)]
        if not message_id or not any(more):
            return
        self._counted[message_id] = tuple(map(max, counts, before))
        first = not any(before)
        usage = Usage(**dict(zip(_COUNTS, more, strict=True)), turns=int(first), cost_usd=(cost or 0.0) * first)
        self.usage += usage
        yield UsageReported(usage=usage, model=model)

    # --- putting down and taking up

    def begin_file(self) -> None:
        """The next line is the first of another file."""
        self._at = self.began or 0.0

    def state(self) -> dict[str, Any]:
        """Return what a later reading of the same file must know."""
        counted = {key: list(counts) for key, counts in self._counted.items()}
        return {"first_prompt": bool(self.first_prompt), "began": self.began, "last": self.last, "counted": counted}

    def take_up(self, state: Mapping[str, Any]) -> None:
        self.first_prompt = "…" if state.get("first_prompt") else ""
        self.began, self.last = number(state.get("began")), number(state.get("last")) or 0.0
        for message, counts in mapping(state.get("counted")).items():
            if isinstance(counts, list) and len(counts) == len(_COUNTS):
                self._counted[message] = tuple(int(count) for count in counts)


def _tool(block: Frame, cwd: str, parent: str) -> ToolStarted:
    tool, given = string(block.get("name")), mapping(block.get("input"))
    return ToolStarted(
        call=string(block.get("id")),
        tool=tool,
        title=title_of(tool, given, cwd),
        input_json=json.dumps(given)[:LONGEST],
        parent=parent,
    )


def _flat(content: object) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(string(item.get("text")) or f"[{string(item.get('type'))}]" for item in objects(content))


def _time(value: object) -> float | None:
    try:
        return datetime.fromisoformat(string(value).replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
