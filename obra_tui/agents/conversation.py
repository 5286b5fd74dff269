"""One run of Claude Code from its start to the moment when no process of it is left.

One task owns the SDK's client, a second one always drains it. Messages and frames are read on their way in, so nothing
that the SDK hides or cannot read is lost. Every way to end goes through `_leave`.
"""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import psutil
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, ClaudeSDKError
from claude_agent_sdk._errors import MessageParseError
from msgspec import Struct

from obra_tui.agents.config import ClaudeConfig
from obra_tui.agents.confinement import ConfinementLevel
from obra_tui.agents.messages import Message, MessageDelta, MessageStart, StreamEvent
from obra_tui.agents.outcome import Cause, Ending, classify
from obra_tui.agents.permissions import Permissions
from obra_tui.agents.run_state import RunState
from obra_tui.agents.translate import Translation
from obra_tui.agents.transport import Call, ErrorLines, Frame, PipeTransport
from obra_tui.core.errors import ImplementerError
from obra_tui.core.events import ClaudeNoticed, Event, SteerDelivered, UsageReported
from obra_tui.core.ids import ClaudeSessionId
from obra_tui.core.model import Confinement, ConversationReason, ImplementRequest, ImplementResult, Usage
from obra_tui.core.ports import Emit
from obra_tui.system.oom import memory_kills
from obra_tui.system.os_errors import advice
from obra_tui.system.process_env import ATTEMPT_MARK
from obra_tui.system.process_sweep import family, kill, marked

TICK_S = 0.25
INTERRUPT_S = 0.6
RESULT_AFTER_INTERRUPT_S = 0.4
STOPPED_EXIT_S = 0.6
_GOING_ON = (ConversationReason.RESUME, ConversationReason.FORK)


class ConversationLimits(Struct, frozen=True, kw_only=True):
    """The smaller one of the task's budget and the settings, for each limit."""

    turns: int | None
    cost_usd: float | None
    tokens: int | None
    seconds: float | None


class ClaudeConversation:
    """Implements `core.ports.Conversation`. Belongs to one event loop."""

    def __init__(
        self,
        request: ImplementRequest,
        config: ClaudeConfig,
        *,
        options: ClaudeAgentOptions,
        call: Call,
        permissions: Permissions,
        limits: ConversationLimits,
        level: ConfinementLevel,
        emit: Emit,
        start_gate: asyncio.Semaphore,
        on_end: Callable[[], None],
    ) -> None:
        self._request = request
        self._config = config
        self._permissions = permissions
        self._limits = limits
        self._level = level
        self._emit = emit
        self._start_gate = start_gate
        self._on_end = on_end
        self._mark = call.mark
        self._transport = PipeTransport(
            call,
            on_message=self._on_message,
            on_control=self._on_control,
            on_notice=self._on_stderr,
        )
        self._client = ClaudeSDKClient(options, transport=self._transport)
        self._translation = Translation(request.cwd, confinement=level.confinement)
        self._state = RunState(began=monotonic())
        self._began = monotonic()
        self._memory_kills = memory_kills()
        self._paused_s = 0.0
        self._cause = Cause.NONE
        self._limit = ""
        self._error = ""
        self._usage = Usage()
        self._unread: dict[str, str] = {}
        """What was said into the running turn and not read yet, by the id of the message."""
        self._read_at_once: set[str] = set()
        """Messages that were read before their sending had come to its end."""
        self._stderr = ErrorLines()
        self._warned_at = 0.0
        self._connected = False
        self._spawned = asyncio.Event()
        self._changed = asyncio.Event()
        self._ended_output = asyncio.Event()
        self._drain: asyncio.Task[None] | None = None
        self._owner: asyncio.Task[ImplementResult] | None = None

    # --- the port ---

    async def start(self) -> None:
        """Start the program. Raises `ImplementerError` when there is none to start."""
        self._owner = asyncio.create_task(self._run(), name=f"claude-{self._request.attempt}")
        spawned = asyncio.create_task(self._spawned.wait())
        try:
            await asyncio.wait((self._owner, spawned), return_when=asyncio.FIRST_COMPLETED)
        finally:
            spawned.cancel()
        if self._owner.done() and isinstance(self._owner.exception(), ImplementerError):
            await self._owner

    async def finished(self) -> ImplementResult:
        assert self._owner is not None
        return await asyncio.shield(self._owner)

    async def send(self, text: str) -> bool:
        if not self._connected or self._cause is not Cause.NONE or not self._state.turn_running:
            return False
        ident = str(uuid.uuid4())
        try:
            await self._prompt(text, ident)
        except ClaudeSDKError:
            return False
        self._unread[ident] = text
        if ident in self._read_at_once or not self._state.tells_what_is_read:
            # Told after whoever sent it has told that it was sent.
            asyncio.get_running_loop().call_soon(self._was_read, ident)
        return True

    async def interrupt(self) -> None:
        self._end_with(Cause.INTERRUPTED)

    async def stop(self) -> None:
        self._end_with(Cause.STOPPED)
        if self._owner is not None:
            await asyncio.wait((self._owner,))

    def _end_with(self, cause: Cause, limit: str = "") -> None:
        """Ask the owner to end the run; the first cause stands."""
        if self._cause is Cause.NONE and not (self._owner and self._owner.done()):
            self._cause, self._limit = cause, limit
        self._changed.set()

    # --- what comes in ---

    def _on_message(self, message: Message) -> None:
        """Take in what comes within a turn: nearly all there is, and nothing that could end a run."""
        now = monotonic()
        self._state.on_message(message, now)
        for event in self._translation.on_message(message, now):
            self._emit(event)
        if isinstance(message, StreamEvent):
            self._check_limits(message.event)
        if self._state.settled_at is not None:
            self._changed.set()

    def _on_control(self, frame: Frame) -> None:
        now = monotonic()
        self._state.on_control(frame, now)
        for event in self._translation.on_control(frame, now):
            self._tell(event)
        if frame.get("type") == "command_lifecycle" and frame.get("state") == "started":
            self._was_read(str(frame.get("command_uuid")))
        self._changed.set()

    def _check_limits(self, event: object) -> None:
        if isinstance(event, MessageStart):
            self._check_spending()
        elif isinstance(event, MessageDelta) and event.delta.stop_reason == "tool_use":
            self._check_tokens()  # the message is complete: its tool's result would be the next call

    def _was_read(self, ident: str) -> None:
        """Say that Claude took a text of the person's out of its queue."""
        text = self._unread.pop(ident, None)
        if text is None:
            self._read_at_once.add(ident)
        else:
            self._tell(SteerDelivered(text=text))

    def _tell(self, event: Event) -> None:
        if isinstance(event, UsageReported):
            self._usage += event.usage
        self._emit(event)

    def _on_stderr(self, line: str) -> None:
        """Take in a line of stderr."""
        if text := self._stderr.take(line):
            self._tell(ClaudeNoticed(level="warning", text=text))

    def _check_spending(self) -> None:
        """End the run when it begins anew after its budget is spent; within a turn the program itself watches it."""
        cost, turns = self._limits.cost_usd, self._limits.turns
        if cost is not None and self._usage.cost_usd >= cost:
            self._end_with(Cause.COST, _dollars(cost))
        elif turns is not None and self._state.turns >= turns:
            self._end_with(Cause.TURNS, _turns(turns))

    def _check_tokens(self) -> None:
        """End the run before the next call when its tokens are used up: the program itself does not count them."""
        limit = self._limits.tokens
        if limit is not None and (self._usage + self._state.unreported()).total_tokens >= limit:
            self._end_with(Cause.TOKENS, f"{limit:,} tokens")

    # --- the owner's task ---

    async def _run(self) -> ImplementResult:
        try:
            if await self._open():
                await self._live()
        finally:
            await self._leave()
            self._on_end()
        if self._drain and not self._drain.cancelled() and self._drain.done():
            # Only a fault of whoever listens to our events can end up here.
            self._drain.result()
        return self._result()

    async def _open(self) -> bool:
        """Start the program and say the prompt; False when it never came to that."""
        opening = asyncio.create_task(self._connect())
        while not opening.done() and self._cause is Cause.NONE:
            self._changed.clear()
            waiting = asyncio.create_task(self._changed.wait())
            await asyncio.wait((opening, waiting), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        if not opening.done():
            opening.cancel()
            self._transport.kill_group()
        try:
            await opening
        except asyncio.CancelledError:
            if self._cause is Cause.NONE:
                raise
            return False
        except ImplementerError:
            raise
        except TimeoutError:
            self._error = f"it did not answer within {self._config.start_timeout_s:g} s"
            return False
        except Exception as error:  # noqa: BLE001 - the SDK raises bare exceptions; whatever it is, the run is over
            self._error = self._error or f"{error}"
            return False
        return True

    async def _connect(self) -> None:
        async with self._start_gate:
            await self._spawn()
            self._spawned.set()
            async with asyncio.timeout(self._config.start_timeout_s):
                await self._client.connect()
        self._drain = asyncio.create_task(self._drain_messages(), name="claude-drain")
        self._connected = True
        await self._prompt(self._request.prompt, str(uuid.uuid4()))

    async def _spawn(self) -> None:
        try:
            await self._transport.connect()
        except OSError as error:
            raise ImplementerError(
                f"Claude Code could not be started: {error.strerror or error}.",
                where=str(error.filename or ""),
                fix=advice(error) or "Check claude.cli_path, or reinstall Obra; `obra doctor` shows what is there.",
            ) from error
        self._translation.pid = self._transport.pid
        if self._level.problem:
            text = f"Claude Code runs with your rights, not confined: {self._level.problem}"
            self._tell(ClaudeNoticed(level="warning", text=text))

    async def _prompt(self, text: str, ident: str) -> None:
        message = {"role": "user", "content": text}
        self._state.sent(ident)
        await self._client.query(_once({"type": "user", "message": message, "parent_tool_use_id": None, "uuid": ident}))

    async def _drain_messages(self) -> None:
        """Empty the SDK's queue until the program's output ends; what was in it has been read on its way in."""
        try:
            while not await self._drain_some():
                pass
        finally:
            self._ended_output.set()
            self._changed.set()

    async def _drain_some(self) -> bool:
        """Read until the end (True) or until a message that the SDK cannot parse."""
        try:
            async for _ in self._client.receive_messages():
                pass
        except MessageParseError:
            return False
        except ClaudeSDKError:
            return True
        return True

    async def _live(self) -> None:
        """Wait until the work is done, the program is gone or somebody wants the end."""
        while self._cause is Cause.NONE and not self._ended_output.is_set():
            now = monotonic()
            if self._state.over(now, self._config.background_wait_s):
                return
            self._look_at_the_clock(now)
            self._changed.clear()
            if self._cause is Cause.NONE and not self._ended_output.is_set():
                await self._pause()

    async def _pause(self) -> None:
        before = monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(TICK_S):  # unlike `wait_for` without a task for each wait
                await self._changed.wait()
        if self._permissions.waiting:
            # A person thinks: neither the program's silence nor the task's time counts meanwhile.
            self._paused_s += monotonic() - before
            self._state.last_frame = monotonic()

    def _look_at_the_clock(self, now: float) -> None:
        limit = self._limits.seconds
        if limit is not None and now - self._began - self._paused_s >= limit:
            self._end_with(Cause.TIME, f"{limit:g} s")
        elif now >= self._state.silence_ends(self._config.silence_kill_s):
            self._end_with(Cause.HUNG, f"{self._config.silence_kill_s:g} s")
        elif now >= self._state.silence_ends(self._config.silence_warn_s):
            self._warn_of_silence(now)

    def _warn_of_silence(self, now: float) -> None:
        """Tell of a silence once."""
        if self._warned_at != self._state.last_frame:
            self._warned_at = self._state.last_frame
            text = f"Claude Code has been silent for {now - self._state.last_frame:.0f} s."
            self._tell(ClaudeNoticed(level="warning", text=text))

    # --- the end ---

    async def _leave(self) -> None:
        """Interrupt if a turn still runs, let the program go, kill what is left. Bounded in every state."""
        ours = self._cause is not Cause.NONE
        if ours and self._connected and self._state.turn_running and self._transport.is_ready():
            await self._interrupt_turn()
        pid = self._transport.pid
        processes = await asyncio.to_thread(family, pid) if pid else []
        await self._transport.end_input()
        await self._transport.wait(STOPPED_EXIT_S if ours else self._config.exit_grace_s)
        await self._kill(processes)
        with suppress(TimeoutError, ClaudeSDKError):
            await asyncio.wait_for(self._client.disconnect(), 1.0)
        await self._transport.close()
        if self._drain:
            self._drain.cancel()
            await asyncio.wait((self._drain,), timeout=0.2)
        self._connected = False

    async def _interrupt_turn(self) -> None:
        with suppress(Exception):
            await asyncio.wait_for(self._client.interrupt(), INTERRUPT_S)
            async with asyncio.timeout(RESULT_AFTER_INTERRUPT_S):
                while self._state.turn_running and not self._ended_output.is_set():
                    self._changed.clear()
                    await self._changed.wait()

    async def _kill(self, processes: list[psutil.Process]) -> None:
        self._transport.kill_group()
        await asyncio.to_thread(_kill_all, processes, self._mark)

    def _result(self) -> ImplementResult:
        for event in self._translation.close():
            self._tell(event)
        if left_out := self._stderr.left_out():
            self._tell(ClaudeNoticed(level="warning", text=left_out))
        if (lost := self._state.unreported()).total_tokens:
            self._tell(UsageReported(usage=lost))
        classified = classify(self._ending())
        return ImplementResult(
            outcome=classified.outcome,
            claude_session=ClaudeSessionId(self._state.claude_session or self._request.claude_session),
            detail=classified.detail,
            remedy=classified.remedy,
            until=classified.until,
            usage=self._usage,
            final_text=self._state.final_text,
            duration_s=monotonic() - self._began,
            confinement=self._level.confinement,
        )

    def _exit_code(self) -> int | None:
        """Return how the program ended; bubblewrap says 128 and the signal's number when a signal ended it."""
        code = self._transport.exit_code
        is_signal = self._level.confinement is Confinement.BWRAP and code is not None and code > 128
        return 128 - code if is_signal and code is not None else code

    def _ending(self) -> Ending:
        broken = self._state.turn_running and self._cause is Cause.NONE
        return Ending(
            result=None if broken else self._state.result,
            cause=self._cause,
            error="; ".join(part.rstrip(". ") for part in (self._error, *self._stderr.tail) if part),
            exit_code=self._exit_code(),
            is_begun=self._state.is_answered or self._request.reason in _GOING_ON,
            starved=memory_kills() > self._memory_kills,
            rejected=self._state.rejected,
            rejected_until=self._state.rejected_until,
            limit=self._limit,
            max_turns=_turns(self._limits.turns),
            max_cost=_dollars(self._limits.cost_usd),
        )


def _turns(limit: int | None) -> str:
    return "" if limit is None else f"{limit} turns"


def _dollars(limit: float | None) -> str:
    return "" if limit is None else f"${limit:.2f}" if limit >= 0.01 else f"${limit:g}"


def _kill_all(processes: list[psutil.Process], mark: str) -> None:
    kill([*processes, *(other for other, _ in marked(ATTEMPT_MARK, mark) if other.pid != os.getpid())])


async def _once(message: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    yield message
