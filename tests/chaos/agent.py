"""In place of Claude Code: a shell that says some lines, writes one file, and leaves a process behind.

A process of its own with the marks that a real run has, so that what a killed
Obra leaves is what it would really leave. Fast, so that a campaign is long.
"""

import asyncio
import os
from pathlib import Path

from obra_tui.agents.environment import OWNER_MARK
from obra_tui.agents.sweep import owner_mark
from obra_tui.core.events import ClaudeStarted, TextStreamed, UsageReported
from obra_tui.core.model import ImplementResult, Outcome, Usage
from obra_tui.system.process_env import ATTEMPT_MARK
from obra_tui.system.process_sweep import kill, marked

_SCRIPT = """
(setsid sleep 600 >/dev/null 2>&1 &)
for i in 1 2 3; do echo "line $i of $1"; sleep 0.01; done
printf '%s\\n' "$1" > "work-$1.txt"
"""


def _end(attempt):
    """End what carries the mark of the attempt, and what it started while it was ended."""
    while found := [process for process, _ in marked(ATTEMPT_MARK, attempt)]:
        kill(found)


def end_all(folder):
    """End what a campaign below `folder` left behind, however it came to its end."""
    kill(process for process, env in marked(OWNER_MARK) if str(folder) in env[OWNER_MARK])


def _preloaded():
    """What makes a disk fail for the agent, too."""
    names = ("LD_PRELOAD", "FAILING_DISK_ROOT", "FAILING_DISK_STATE")
    return {name: os.environ[name] for name in names if name in os.environ}


_ENDLESS = """
(setsid sleep 600 >/dev/null 2>&1 &)
echo "line 1 of $1"; exec sleep 600 2>/dev/null
"""


class ScriptedAgent:
    """The port `Implementer`. An endless one is at work until somebody ends it, and what it left with it."""

    endless = False

    def __init__(self, tmp_dir: Path) -> None:
        self._tmp_dir = tmp_dir
        self._script = _ENDLESS if self.endless else _SCRIPT

    async def start(self, request, emit, ask):
        self._tmp_dir.mkdir(parents=True, exist_ok=True)
        marks = {OWNER_MARK: owner_mark(self._tmp_dir), ATTEMPT_MARK: request.attempt}
        try:
            process = await asyncio.create_subprocess_exec(
                "sh", "-c", self._script, "agent", request.task,
                cwd=request.cwd, env={"PATH": os.environ["PATH"], **_preloaded(), **marks}, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except asyncio.CancelledError:
            _end(request.attempt)
            raise
        emit(
            ClaudeStarted(
                claude_session=request.claude_session, model="agent", version="0", pid=process.pid,
                permission_mode="default", cwd=request.cwd,
            )
        )  # fmt: skip
        return _Conversation(request, process, emit)

    async def close(self):
        pass


class _Conversation:
    def __init__(self, request, process, emit):
        self._request = request
        self._process = process
        self._emit = emit
        self._end = asyncio.ensure_future(self._follow())

    async def finished(self):
        return await asyncio.shield(self._end)

    async def send(self, text):
        return False

    async def interrupt(self):
        await self.stop()

    async def stop(self):
        await asyncio.to_thread(_end, self._request.attempt)
        await asyncio.wait((self._end,))

    async def _follow(self):
        async for line in self._process.stdout:
            self._emit(TextStreamed(block="b", text=line.decode()))
        code = await self._process.wait()
        await asyncio.to_thread(_end, self._request.attempt)
        self._emit(UsageReported(usage=Usage(input_tokens=10, output_tokens=1, turns=1), model="agent"))
        return ImplementResult(
            outcome=Outcome.COMPLETED if code == 0 else Outcome.KILLED,
            claude_session=self._request.claude_session,
            usage=Usage(input_tokens=10, output_tokens=1, turns=1),
            final_text="Done." if code == 0 else "",
        )
