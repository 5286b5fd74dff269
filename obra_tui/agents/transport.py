"""The pipe between the SDK and the Claude Code program: our own spawn, every raw frame, bounded ends.

The SDK's own transport hands the whole parent environment to the program, hides frames and fields that it does not
know, and dies of one unreadable line. This one takes the command line from it and does the rest itself. It must not
know what a frame means.
"""

import asyncio
import json
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from claude_agent_sdk import ClaudeAgentOptions, CLIConnectionError, Transport
from claude_agent_sdk._internal.transport.subprocess_cli import SubprocessCLITransport
from msgspec import Struct
from msgspec.json import decode

from obra_tui.agents.messages import Message, User, decode_message, message_in
from obra_tui.system.process_env import ATTEMPT_MARK

Frame = dict[str, Any]

MAX_LINE = 256 << 20
MAX_ERROR_LINE = 1 << 16
CHUNK = 1 << 18
_TOLD_AT_ONCE = 20
_TAIL = 12
_LONGEST_TOLD = 4000


class Call(Struct, frozen=True, kw_only=True):
    """Everything that a program is started with."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str

    @property
    def mark(self) -> str:
        """The value of the environment variable by which the processes of this call are found."""
        return self.environment[ATTEMPT_MARK]


async def spawn(call: Call) -> asyncio.subprocess.Process:
    """Start a program in a session of its own. Raises `OSError`."""
    return await asyncio.create_subprocess_exec(
        *call.argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=call.cwd,
        env=dict(call.environment),
        start_new_session=True,
        limit=CHUNK,
    )


def release(process: asyncio.subprocess.Process) -> None:
    """Close the pipes also when a process that outlived the program still holds their other ends."""
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


class PipeTransport(Transport):
    """Runs one Claude Code program in a session of its own and hands on each line before the SDK sees it."""

    def __init__(
        self,
        call: Call,
        *,
        on_message: Callable[[Message], None],
        on_control: Callable[[Frame], None],
        on_notice: Callable[[str], None],
    ) -> None:
        self._call = call
        self._on_message = on_message
        self._on_control = on_control
        self._on_notice = on_notice
        self._process: asyncio.subprocess.Process | None = None
        self._stderr: asyncio.Task[None] | None = None
        self._write_lock = asyncio.Lock()
        self._answered = False
        self._in_turn = False
        """The SDK has seen that a turn is under way."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode if self._process else None

    async def connect(self) -> None:
        if self._process:
            return
        self._process = await spawn(self._call)
        self._stderr = asyncio.create_task(self._read_stderr(), name="claude-stderr")

    def is_ready(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def write(self, data: str) -> None:
        stdin = self._process.stdin if self._process else None
        if stdin is None or stdin.is_closing() or not self.is_ready():
            raise CLIConnectionError("Claude Code is not running any more.")
        async with self._write_lock:
            try:
                stdin.write(data.encode("utf-8", "backslashreplace"))
                await stdin.drain()
            except (ConnectionError, RuntimeError) as error:
                raise CLIConnectionError(f"Claude Code does not read its input any more: {error}") from error

    async def end_input(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()

    async def read_messages(self) -> AsyncIterator[Frame]:
        """Yield frames until the output ends; a line that cannot be read is told and left out.

        Raises when it ends before the first answer, else the SDK would wait for that one a whole minute.
        """
        if self._process is None or self._process.stdout is None:
            raise CLIConnectionError("Claude Code was not started.")
        lines = LineJoiner(MAX_LINE)
        while chunk := await self._process.stdout.read(CHUNK):
            for line in lines.push(chunk):
                if (frame := self._take(line)) is not None:
                    yield frame
            if lines.overflowed:
                self._on_notice(f"Claude Code sent a line over {MAX_LINE >> 20} MB; it was left out.")
                lines.overflowed = False
        await self.wait(0.5)
        if not self._answered:
            raise CLIConnectionError("Claude Code ended before it answered.")

    def _take(self, line: bytes) -> Frame | None:
        """Hand a line to whoever listens; returns the frame when the SDK has to see it, too."""
        message = decode_message(line)
        if message is not None and self._in_turn:
            self._on_message(message)
            return None
        frame = self._frame(line)
        if frame is None:
            return None
        message = message or message_in(frame)
        if message is None:
            self._on_control(frame)
        else:
            self._on_message(message)
        return frame if self._concerns_the_sdk(frame, message) else None

    def _concerns_the_sdk(self, frame: Frame, message: Message | None) -> bool:
        """Whether the SDK must receive a frame: the first message of a turn and everything that is no message.

        Parsing and queueing all other messages a second time would cost more than all that is done with them.
        """
        if message is None:
            self._in_turn = self._in_turn and frame.get("type") != "result"
            return True
        is_first = not self._in_turn
        if not isinstance(message, User) and frame.get("parent_tool_use_id") is None:
            self._in_turn = True
        return is_first

    def _frame(self, line: bytes) -> Frame | None:
        text = line.strip()
        if not text.startswith(b"{"):
            return None
        try:
            frame = parsed(text)
        except (ValueError, RecursionError) as error:
            self._on_notice(f"Claude Code sent a line that cannot be read ({error}); it was left out.")
            return None
        if not isinstance(frame, dict):
            return None
        if not self._answered:
            self._answered = frame.get("type") == "control_response"
        return frame

    async def _read_stderr(self) -> None:
        assert self._process is not None and self._process.stderr is not None
        lines = LineJoiner(MAX_ERROR_LINE)
        while chunk := await self._process.stderr.read(CHUNK):
            self._tell_errors(lines, lines.push(chunk))
        self._tell_errors(lines, [lines.rest()])

    def _tell_errors(self, joiner: "LineJoiner", lines: list[bytes]) -> None:
        for line in lines:
            if text := line.decode("utf-8", "replace").strip():
                self._on_notice(text)
        if joiner.overflowed:
            self._on_notice(f"Claude Code wrote an error line over {MAX_ERROR_LINE >> 10} KB; it was left out.")
            joiner.overflowed = False

    async def wait(self, seconds: float) -> bool:
        """Wait until the program has left; False when it has not within `seconds`."""
        if self._process is None:
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds)
        return self._process.returncode is not None

    def kill_group(self) -> None:
        """Kill the program and what shares its process group, while the group's number is surely still its own."""
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """Let go of the pipes; whoever owns the run waits for the program and kills it before this."""
        if self._process is None:
            return
        await self.end_input()
        if self._process.returncode is None and not await self.wait(0.5):
            self.kill_group()
            await self.wait(0.5)
        if self._stderr:
            await asyncio.wait((self._stderr,), timeout=0.2)  # what the program said last is still in the pipe
            self._stderr.cancel()
            await asyncio.wait((self._stderr,), timeout=0.2)
        release(self._process)


class ErrorLines:
    """What the program writes beside its answers: the first lines are told at once, of the rest a tail and a count."""

    def __init__(self) -> None:
        self._seen = 0
        self.tail: deque[str] = deque(maxlen=_TAIL)

    def take(self, line: str) -> str:
        """Return what is to be told now; empty once there were too many."""
        self._seen += 1
        self.tail.append(line[:_LONGEST_TOLD])
        return self.tail[-1] if self._seen <= _TOLD_AT_ONCE else ""

    def left_out(self) -> str:
        """Return the one text that stands for all lines that were not told; empty when there are none."""
        many = self._seen - _TOLD_AT_ONCE
        if many <= 0:
            return ""
        last = [line[:300] for line in self.tail][-many:]
        if many == len(last):
            return "\n".join(last)
        return f"Claude Code wrote {many:,} more error lines; the last {len(last)} of them:\n" + "\n".join(last)


def parsed(line: bytes) -> Any:
    """Return what a line of JSON says. Raises `ValueError` or `RecursionError` when it says nothing.

    The quick parser, a fifth of the time of Python's own, is strict about text; half a character in a line is no
    reason to lose the line.
    """
    try:
        return decode(line)
    except ValueError:
        return json.loads(line.decode("utf-8", "replace"))


def command_line(options: ClaudeAgentOptions) -> list[str]:
    """Return the program and its flags as the SDK composes them; permission questions come over the pipe."""
    asking = replace(options, permission_prompt_tool_name="stdio")
    return SubprocessCLITransport(prompt="", options=asking)._build_command()


class LineJoiner:
    """Puts lines together from chunks; a line over the limit is dropped up to its end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._dropping = False
        self.overflowed = False

    def push(self, chunk: bytes) -> list[bytes]:
        """Return the lines that `chunk` completed."""
        *ends, rest = chunk.split(b"\n")
        # But for the first, they began in this chunk: within a chunk that is no longer than a line may be, they fit.
        begun = 1 if len(chunk) <= self._limit else len(ends)
        lines = [line for line in map(self._finish, ends[:begun]) if line is not None]
        self._keep(rest)
        return lines + ends[begun:]

    def rest(self) -> bytes:
        """Return the last line when no newline ended it."""
        return self._finish(b"") or b""

    def _finish(self, end: bytes) -> bytes | None:
        self._keep(end)
        line = None if self._dropping else b"".join(self._parts)
        self._parts, self._size, self._dropping = [], 0, False
        return line

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit and not self._dropping:
            self._dropping = self.overflowed = True
            self._parts = []
        if not self._dropping and part:
            self._parts.append(part)
