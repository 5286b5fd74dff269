"""Claude Code as the engine's `Implementer`.

Importing this is cheap; the SDK is loaded by the first start, or before by `warm_up`.
"""

import asyncio
import importlib
import importlib.util
import logging
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from obra_tui.agents.config import ClaudeConfig
from obra_tui.agents.confinement import ConfinementLevel, confined, launcher, level, targets
from obra_tui.agents.environment import child_environment
from obra_tui.agents.path_policy import PathPolicy
from obra_tui.agents.program_home import ProgramHome, program_home, remove_links, visible_to
from obra_tui.agents.proxy import ApiProxy, api_port
from obra_tui.agents.sdk_import import load_sdk
from obra_tui.agents.sweep import owner_mark
from obra_tui.core.errors import ImplementerError
from obra_tui.core.ids import ClaudeSessionId
from obra_tui.core.model import Confinement, ConversationReason, ImplementRequest
from obra_tui.core.ports import AskPermission, Conversation, Emit
from obra_tui.system.os_errors import advice

if TYPE_CHECKING:
    from claude_agent_sdk import ClaudeAgentOptions

    from obra_tui.agents.conversation import ClaudeConversation, ConversationLimits
    from obra_tui.agents.permissions import Permissions
    from obra_tui.agents.transport import Call

Number = TypeVar("Number", int, float)
SDK = "claude_agent_sdk"
SUPERVISED = (
    "You work in an isolated copy of the project, supervised by a program called Obra. When you are done it looks at "
    "the difference in the files, runs the project's own checks and has the work reviewed; your words are not counted. "
    "Do not commit, push, switch branches or change anything outside the working directory: the supervisor takes the "
    "files as they are. Some commands need a person's permission; if one is denied, find another way or say what is "
    "missing."
)
NOT_OFFERED = ("EnterWorktree", "ExitWorktree", "CronCreate", "CronDelete", "CronList", "ScheduleWakeup", "Workflow")
"""Tools that leave the copy or act when nobody watches any more."""


_warm = threading.Event()


def warm_up() -> None:
    """Load the SDK and what stands on it; for a thread that has nothing else to do."""
    # Without a handler of its own the SDK's warnings would be printed across the screen.
    logging.getLogger(SDK).addHandler(logging.NullHandler())
    load_sdk()
    importlib.import_module("obra_tui.agents.conversation")
    importlib.import_module("anyio._backends._asyncio")  # the SDK would, at its first start
    launcher()
    _warm.set()


def bundled_program() -> Path | None:
    """Return the Claude Code program that came with the SDK, without loading the SDK."""
    spec = importlib.util.find_spec(SDK)
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "_bundled" / "claude"
    return program if program.is_file() else None


def program_of(config: ClaudeConfig) -> Path:
    """Return the program to run. Raises `ImplementerError` when there is none or it cannot be executed."""
    program = config.cli_path.expanduser() if config.cli_path else bundled_program()
    if program is None:
        found = shutil.which("claude")
        program = Path(found) if found else None
    if program is None:
        fix = "Reinstall claude-agent-sdk, or set claude.cli_path."
        raise ImplementerError("There is no Claude Code program.", fix=fix)
    if not program.is_file():
        raise ImplementerError("There is no such program.", where=str(program), fix="Correct claude.cli_path.")
    if not os.access(program, os.X_OK):
        raise ImplementerError("The program may not be executed.", where=str(program), fix=f"Run: chmod +x {program}")
    return program


class ClaudeCode:
    """Starts runs; keeps what they share: the start gate and the conversations in use."""

    def __init__(self, config: ClaudeConfig, parent_environment: Mapping[str, str] | None = None) -> None:
        self._config = config
        self._parent = os.environ if parent_environment is None else parent_environment
        self._start_gate = asyncio.Semaphore(max(1, (os.cpu_count() or 2) // 2))
        self._running: dict[ClaudeSessionId, ClaudeConversation] = {}
        self._level = ConfinementLevel(confinement=Confinement.NONE)
        self._proxy = ApiProxy(config, self._parent)

    async def start(self, request: ImplementRequest, emit: Emit, ask: AskPermission) -> Conversation:
        program = await self._prepared(request)
        try:
            conversation = self._conversation(request, program, emit, ask)
        except OSError as error:
            raise _no_folder(error) from error
        self._running[request.claude_session] = conversation
        try:
            await conversation.start()
        except BaseException:
            await conversation.stop()
            raise
        return conversation

    async def close(self) -> None:
        await asyncio.gather(*(conversation.stop() for conversation in tuple(self._running.values())))
        await self._proxy.close()

    def _refuse_what_cannot_work(self, request: ImplementRequest) -> None:
        if request.claude_session in self._running:
            raise ImplementerError(
                "This conversation of Claude Code is still running.",
                where=request.claude_session,
                fix="Wait for its end, or stop it first: two at once lose one of the two histories.",
            )
        if request.reason is ConversationReason.FORK and request.parent is None:
            raise ImplementerError("There is no conversation to fork.", fix="Name its parent, or start a fresh one.")
        if not Path(request.cwd).is_dir():
            raise ImplementerError("The copy is not there.", where=request.cwd, fix="Prepare it again.")

    async def _prepared(self, request: ImplementRequest) -> Path:
        """Return the program to run when everything is there for it. Raises `ImplementerError`."""
        self._refuse_what_cannot_work(request)
        program = program_of(self._config)
        if not _warm.is_set():
            await asyncio.to_thread(warm_up)
        self._config.tmp_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._level = await asyncio.to_thread(self._level_here)
        if self._is_closed:
            await self._proxy.open(Path(request.cwd))
        return program

    def _level_here(self) -> ConfinementLevel:
        """Return how far the program is confined. Raises `ImplementerError` when the settings ask for more."""
        if self._config.sandbox == "off":
            return ConfinementLevel(confinement=Confinement.NONE, problem="claude.sandbox is off.")
        found = level(self._config.tmp_dir)
        if self._config.sandbox == "required" and found.confinement is Confinement.NONE:
            fix = "Mend that, or set claude.sandbox to auto; `obra doctor` shows what works here."
            raise ImplementerError(f"Claude Code may only run confined. {found.problem}", fix=fix)
        return found

    @property
    def _is_confined(self) -> bool:
        return self._level.confinement is Confinement.BWRAP

    @property
    def _is_closed(self) -> bool:
        """Whether the program has no network but our proxy."""
        return self._is_confined and self._config.network == "api"

    def _conversation(
        self, request: ImplementRequest, program: Path, emit: Emit, ask: AskPermission
    ) -> "ClaudeConversation":
        from obra_tui.agents.conversation import ClaudeConversation

        permissions, limits = self._permissions(request, ask), self._limits(request)
        options = self._options(request, program, permissions, limits)
        return ClaudeConversation(
            request,
            self._config,
            options=options,
            call=self._call(request, options, program),
            level=self._level,
            permissions=permissions,
            limits=limits,
            emit=emit,
            start_gate=self._start_gate,
            on_end=lambda: self._forget(request),
        )

    def _permissions(self, request: ImplementRequest, ask: AskPermission) -> "Permissions":
        from obra_tui.agents.permissions import Permissions

        plans = os.path.realpath(self._own_folder() / "plans")
        kept = self._home(request).plans if self._is_confined else Path(plans)
        return Permissions(self._paths(request, plans), self._config.allow, ask, plans=plans, plans_here=kept)

    def _home(self, request: ImplementRequest) -> ProgramHome:
        return program_home(self._config, self._parent, request.cwd)

    def _confined(self, request: ImplementRequest, program: Path) -> tuple[str, ...]:
        """Make what a confined program is to see, and return the words that start it so. Raises `OSError`."""
        proxy = self._proxy.path if self._is_closed else ""
        visible = visible_to(self._config, self._parent, request.cwd, program=program, proxy=proxy)
        remove_links(self._home(request), targets(visible))
        return confined(visible, ports=api_port(self._config))

    def _call(self, request: ImplementRequest, options: "ClaudeAgentOptions", program: Path) -> "Call":
        from claude_agent_sdk import __version__ as sdk_version

        from obra_tui.agents.transport import Call, command_line

        environment = child_environment(
            self._config,
            self._parent,
            attempt=request.attempt,
            owner=owner_mark(self._config.tmp_dir),
            cwd=request.cwd,
            sdk_version=sdk_version,
            confined=self._is_confined,
            proxy=self._proxy.address if self._is_closed else "",
        )
        before = self._confined(request, program) if self._is_confined else launcher()
        return Call(argv=(*before, *command_line(options)), environment=environment, cwd=request.cwd)

    def _forget(self, request: ImplementRequest) -> None:
        self._running.pop(request.claude_session, None)
        if self._is_confined:
            self._home(request).clear_tmp()

    def _own_folder(self) -> Path:
        """Return the program's own folder: its transcripts, stored tool results and plans."""
        home = Path(self._config.home or self._parent.get("HOME", ""))
        return Path(self._config.config_dir or self._parent.get("CLAUDE_CONFIG_DIR") or home / ".claude")

    def _paths(self, request: ImplementRequest, plans: str) -> PathPolicy:
        return PathPolicy(
            cwd=os.path.realpath(request.cwd),
            scratch=(os.path.realpath(self._config.tmp_dir), plans),
            readable=(os.path.realpath(self._own_folder() / "projects"),),
        )

    def _limits(self, request: ImplementRequest) -> "ConversationLimits":
        from obra_tui.agents.conversation import ConversationLimits

        return ConversationLimits(
            turns=_smaller(request.budget.max_turns, self._config.max_turns),
            cost_usd=_smaller(request.budget.max_cost_usd, self._config.max_budget_usd),
            tokens=request.budget.max_tokens,
            seconds=request.budget.max_seconds,
        )

    def _options(
        self, request: ImplementRequest, program: Path, permissions: "Permissions", limits: "ConversationLimits"
    ) -> "ClaudeAgentOptions":
        from claude_agent_sdk import ClaudeAgentOptions

        from obra_tui.agents.transport import MAX_LINE

        resume = request.reason is ConversationReason.RESUME
        fork = request.reason is ConversationReason.FORK
        return ClaudeAgentOptions(
            cli_path=program,
            cwd=request.cwd,
            resume=request.claude_session if resume else request.parent if fork else None,
            session_id=None if resume else request.claude_session,
            fork_session=fork,
            model=self._config.model or None,
            effort=self._config.effort,
            max_turns=limits.turns,
            max_budget_usd=limits.cost_usd,
            permission_mode="default",
            can_use_tool=permissions.may_use,
            hooks={"PreToolUse": permissions.hooks()},
            disallowed_tools=list(NOT_OFFERED),
            setting_sources=list(self._config.setting_sources),
            strict_mcp_config=not self._config.setting_sources,
            system_prompt={"type": "preset", "preset": "claude_code", "append": SUPERVISED},
            include_partial_messages=True,
            verbatim_prompts=True,
            max_buffer_size=MAX_LINE,
        )


def _no_folder(error: OSError) -> ImplementerError:
    """A folder of the program's own cannot be made: its home is not there, or belongs to somebody else."""
    return ImplementerError(
        f"A folder that Claude Code needs cannot be made ({error.strerror or error}).",
        where=str(error.filename or ""),
        fix=advice(error) or "Set HOME, or claude.config_dir, to a folder of yours.",
    )


def _smaller(one: Number | None, other: Number | None) -> Number | None:
    return min((value for value in (one, other) if value is not None), default=None)
