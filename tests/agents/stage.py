"""A copy, a loopback model and the real Claude Code program, for the tests of this folder."""

import asyncio
import dataclasses
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from msgspec.structs import replace

from obra_tui.agents.claude_code import ClaudeCode
from obra_tui.agents.config import ClaudeConfig
from obra_tui.core.events import Event
from obra_tui.core.ids import AttemptId, new_attempt_id, new_claude_session_id, new_task_id
from obra_tui.core.model import (
    Budget,
    ConversationReason,
    ImplementRequest,
    ImplementResult,
    PermissionAnswer,
    PermissionQuestion,
    PermissionVerdict,
)
from obra_tui.core.ports import Conversation
from obra_tui.rehearsal.anthropic_server import AnthropicServer
from obra_tui.rehearsal.script import Response, Say, Script, Turn, Use
from obra_tui.system.process_sweep import marked

PATIENCE_S = 30.0


def says(*texts: str) -> Response:
    return Response(blocks=tuple(Say(text=text) for text in texts))


def uses(tool: str, **given: object) -> Response:
    return Response(blocks=(Use(tool=tool, input=given),))


def runs(command: str, **given: object) -> Response:
    return uses("Bash", command=command, **given)


def script(*responses: Response) -> Script:
    return Script(name="only", turns=(Turn(responses=responses),))


@dataclass
class Person:
    """Answers from a list, denies when it is empty, and remembers what it was asked."""

    answers: list[PermissionAnswer] = field(default_factory=list)
    asked: list[PermissionQuestion] = field(default_factory=list)
    rules: set[str] = field(default_factory=set)
    """What was allowed for the session."""
    uses: list[tuple[str, str]] = field(default_factory=list)
    thinks: asyncio.Event | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, question: PermissionQuestion) -> PermissionAnswer:
        self.asked.append(question)
        self.arrived.set()
        if self.thinks is not None:
            await self.thinks.wait()
        if not self.answers:
            return PermissionAnswer(verdict=PermissionVerdict.DENY, by="person:test", note="No, thank you.")
        answer = self.answers.pop(0)
        if answer.verdict is PermissionVerdict.SESSION:
            self.rules.add(question.session_rule)
        return answer

    def standing(self) -> frozenset[str]:
        return frozenset(self.rules)

    def used(self, pattern: str, title: str) -> None:
        self.uses.append((pattern, title))


def allow(verdict: PermissionVerdict = PermissionVerdict.ONCE, note: str = "") -> PermissionAnswer:
    return PermissionAnswer(verdict=verdict, by="person:test", note=note)


@dataclass
class Stage:
    """One copy and one model server; makes runs and keeps their events."""

    folder: Path
    server: AnthropicServer
    config: ClaudeConfig
    person: Person = field(default_factory=Person)
    events: list[Event] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    requests: list[ImplementRequest] = field(default_factory=list)
    _implementer: ClaudeCode | None = None

    @property
    def attempts(self) -> list[AttemptId]:
        return [request.attempt for request in self.requests]

    @property
    def copy(self) -> Path:
        return self.folder / "copy"

    def set(self, **changes: object) -> None:
        self.config = dataclasses.replace(self.config, **changes)  # type: ignore[arg-type]

    def write_json(self, name: str, value: object) -> None:
        (self.copy / name).write_text(json.dumps(value))

    def play(self, *responses: Response) -> None:
        self.server.scripts = (script(*responses),)

    @property
    def implementer(self) -> ClaudeCode:
        if self._implementer is None:
            self._implementer = ClaudeCode(self.config)
        return self._implementer

    def request(self, prompt: str = "Do it.", *, budget: Budget | None = None, **given: object) -> ImplementRequest:
        fields: dict[str, object] = {
            "task": new_task_id(),
            "attempt": new_attempt_id(),
            "prompt": prompt,
            "cwd": str(self.copy),
            "claude_session": new_claude_session_id(),
            "budget": budget or Budget(),
        }
        return ImplementRequest(**{**fields, **given})  # type: ignore[arg-type]

    def resumed(self, prompt: str = "Go on.") -> ImplementRequest:
        """Return a request that continues the last one's conversation."""
        return replace(self.requests[-1], attempt=new_attempt_id(), prompt=prompt, reason=ConversationReason.RESUME)

    def hear(self, event: Event) -> None:
        self.events.append(event)
        self.heard.set()

    async def start(self, request: ImplementRequest | None = None) -> Conversation:
        self.requests.append(request or self.request())
        return await self.implementer.start(self.requests[-1], self.hear, self.person)

    async def run(self, request: ImplementRequest | None = None) -> ImplementResult:
        conversation = await self.start(request)
        return await asyncio.wait_for(conversation.finished(), PATIENCE_S)

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, condition: Callable[[Event], bool]) -> Event:
        """Wait for an event; those that were told already count."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.heard.clear()
                found = next((event for event in self.events if condition(event)), None)
                if found is not None:
                    return found
                await self.heard.wait()


async def exists(path: Path) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not path.exists():
            await asyncio.sleep(0.02)


def left_of(attempt: AttemptId) -> list[str]:
    """Return the command lines of processes that carry the mark of an attempt."""
    return [" ".join(process.cmdline()) for process, _ in marked("OBRA_ATTEMPT", attempt) if _runs(process)]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def config_for(folder: Path, url: str) -> ClaudeConfig:
    for name in ("copy", "tmp", "home", "config"):
        (folder / name).mkdir()
    return ClaudeConfig(
        tmp_dir=folder / "tmp",
        home=folder / "home",
        config_dir=folder / "config",
        base_url=url,
        api_key="dummy",
        max_retries=0,
        exit_grace_s=2.0,
        extra_environment=(("IS_SANDBOX", "1"),) if os.geteuid() == 0 else (),
    )
