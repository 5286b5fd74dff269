"""Claude Code without Claude Code: plays what it is told and remembers what it was asked for."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec import Struct, field

from obra_tui.core.errors import ImplementerError
from obra_tui.core.events import (
    ClaudeActivity,
    ClaudeStarted,
    Event,
    SteerDelivered,
    TextFinished,
    TextStreamed,
    ToolFinished,
    ToolStarted,
    UsageReported,
)
from obra_tui.core.ids import ClaudeSessionId
from obra_tui.core.model import (
    ConversationReason,
    ImplementRequest,
    ImplementResult,
    Outcome,
    PermissionAnswer,
    PermissionQuestion,
    PermissionVerdict,
    Remedy,
    Usage,
)
from obra_tui.core.ports import AskPermission, Emit


class Play(Struct, frozen=True, kw_only=True):
    """What one run does, in this order: ask, hold, write, say, end."""

    says: str = "Done."
    writes: Mapping[str, str] = field(default_factory=dict)
    """Path inside the copy -> content."""
    removes: tuple[str, ...] = ()
    asks: tuple[PermissionQuestion, ...] = ()
    """A denied question skips the writing."""
    looks: Callable[[AskPermission], object] = lambda ask: None
    """Called after the questions, with what Claude may do then."""
    reads: bool = True
    """Text that is sent meanwhile is read at once; if not, it never is."""
    holds: bool = False
    """Wait until `FakeImplementer.go_on` is set, or somebody ends the run."""
    emits: tuple[Event, ...] = ()
    """Further events, told before the text."""
    outcome: Outcome = Outcome.COMPLETED
    remedy: Remedy | None = None
    detail: str = ""
    until: float | None = None
    usage: Usage = field(default_factory=lambda: Usage(input_tokens=100, output_tokens=10, cost_usd=0.01, turns=1))
    reports: ClaudeSessionId | None = None
    """Another conversation id than the one asked for."""
    raises: str = ""
    """Refuse to start with this message."""


class FakeImplementer:
    """Plays one `Play` per start, in order; the last one again when there are no more."""

    def __init__(self, plays: Iterable[Play] = ()) -> None:
        self.plays = list(plays) or [Play()]
        self.requests: list[ImplementRequest] = []
        self.answers: list[PermissionAnswer] = []
        self.sent: list[str] = []
        self.interrupts = 0
        self.stops = 0
        self.closed = False
        self.go_on = asyncio.Event()
        self.histories: dict[ClaudeSessionId, tuple[str, ...]] = {}
        """The prompts that each conversation knows; a fork knows those of its parent too."""
        self._running: dict[ClaudeSessionId, FakeConversation] = {}

    @property
    def prompts(self) -> list[str]:
        return [request.prompt for request in self.requests]

    async def start(self, request: ImplementRequest, emit: Emit, ask: AskPermission) -> "FakeConversation":
        if request.claude_session in self._running:
            raise ImplementerError("This conversation is still running.", fix="Stop it first.")
        if not Path(request.cwd).is_dir():
            raise ImplementerError("The copy is not there.", where=request.cwd)
        if request.reason is ConversationReason.FORK and request.parent is None:
            raise ImplementerError("There is no conversation to fork.", fix="Name its parent.")
        play = self.plays[min(len(self.requests), len(self.plays) - 1)]
        self.requests.append(request)
        if play.raises:
            raise ImplementerError(play.raises)
        self._remember(request)
        conversation = FakeConversation(self, play, request, emit, ask)
        self._running[request.claude_session] = conversation
        conversation.begin()
        return conversation

    def _remember(self, request: ImplementRequest) -> None:
        before = request.parent or request.claude_session
        self.histories[request.claude_session] = (*self.histories.get(before, ()), request.prompt)

    async def close(self) -> None:
        self.closed = True
        for conversation in list(self._running.values()):
            await conversation.stop()

    def forget(self, request: ImplementRequest) -> None:
        self._running.pop(request.claude_session, None)


class FakeConversation:
    def __init__(
        self, owner: FakeImplementer, play: Play, request: ImplementRequest, emit: Emit, ask: AskPermission
    ) -> None:
        self._owner = owner
        self._play = play
        self._request = request
        self._emit = emit
        self._ask = ask
        self._ended_by = ""
        self._work: asyncio.Task[bool] | None = None
        self._all: asyncio.Task[ImplementResult] | None = None

    def begin(self) -> None:
        self._work = asyncio.create_task(self._do())
        self._all = asyncio.create_task(self._to_the_end(self._work))

    async def finished(self) -> ImplementResult:
        assert self._all is not None
        return await asyncio.shield(self._all)

    async def send(self, text: str) -> bool:
        if self._work is None or self._work.done() or self._ended_by:
            return False
        self._owner.sent.append(text)
        if self._play.reads:
            # Told after whoever sent it has told that it was sent.
            asyncio.get_running_loop().call_soon(self._emit, SteerDelivered(text=text))
        return True

    async def interrupt(self) -> None:
        self._owner.interrupts += 1
        self._end("Interrupted on request; the conversation is kept and can be resumed.")

    async def stop(self) -> None:
        self._owner.stops += 1
        self._end("Stopped on request; the conversation can be resumed.")
        assert self._all is not None
        await asyncio.wait((self._all,))

    def _end(self, why: str) -> None:
        if self._work is not None and not self._work.done():
            self._ended_by = self._ended_by or why
            self._work.cancel()

    async def _do(self) -> bool:
        self._tell_start()
        for question in self._play.asks:
            answer = await self._ask(question)
            self._owner.answers.append(answer)
            if answer.verdict is PermissionVerdict.DENY:
                return False
        self._play.looks(self._ask)
        if self._play.holds:
            await self._owner.go_on.wait()
        for name, content in self._play.writes.items():
            self._write(name, content)
        for name in self._play.removes:
            Path(self._request.cwd, name).unlink(missing_ok=True)
        return True

    def _tell_start(self) -> None:
        self._emit(ClaudeActivity(state="running"))
        self._emit(
            ClaudeStarted(
                claude_session=self._play.reports or self._request.claude_session,
                model="fake",
                version="0",
                pid=None,
                permission_mode="default",
                cwd=self._request.cwd,
            )
        )

    def _write(self, name: str, content: str) -> None:
        call = f"call-{name}"
        self._emit(ToolStarted(call=call, tool="Write", title=name, input_json="{}"))
        target = Path(self._request.cwd, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, "utf-8")
        self._emit(ToolFinished(call=call, is_error=False, output="written", added=len(content.splitlines())))

    async def _to_the_end(self, work: "asyncio.Task[bool]") -> ImplementResult:
        await asyncio.wait((work,))
        self._owner.forget(self._request)
        if not work.cancelled() and work.exception() is None:
            self._tell_end()
            return self._result(self._play.outcome, self._play.detail, self._play.usage)
        if not self._ended_by:
            work.result()
        return self._result(Outcome.KILLED, self._ended_by, Usage())

    def _tell_end(self) -> None:
        for event in self._play.emits:
            self._emit(event)
        if self._play.says:
            self._emit(TextStreamed(block="m:0", text=self._play.says))
            self._emit(TextFinished(block="m:0", text=self._play.says))
        self._emit(UsageReported(usage=self._play.usage, model="fake"))
        self._emit(ClaudeActivity(state="idle"))

    def _result(self, outcome: Outcome, detail: str, usage: Usage) -> ImplementResult:
        return ImplementResult(
            outcome=outcome,
            remedy=self._play.remedy if outcome is self._play.outcome else None,
            claude_session=self._play.reports or self._request.claude_session,
            detail=detail,
            until=self._play.until,
            usage=usage,
            final_text=self._play.says if outcome is Outcome.COMPLETED else "",
        )
