"""The engine and all that it needs, built on the engine's own thread."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from functools import partial
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.bootstrap.run_request import Start, Versions
from obra_tui.core.errors import JudgeError, ObraError, StoreError
from obra_tui.core.model import SandboxLevel
from obra_tui.engine.thread import Assembly, EngineThread

if TYPE_CHECKING:
    from obra_tui.agents.claude_code import ClaudeCode
    from obra_tui.bootstrap.models import Models
    from obra_tui.config.load import Settings
    from obra_tui.core.judging.standing import Standing
    from obra_tui.core.model import JudgeIdentity
    from obra_tui.core.ports import Journal
    from obra_tui.engine.config import EngineConfig
    from obra_tui.engine.orchestrator import Orchestrator
    from obra_tui.evidence.checks import LocalCheckRunner
    from obra_tui.evidence.workspace import GitWorkspace
    from obra_tui.judge import JudgeConfig
    from obra_tui.services.plan_update import PlanUpdater
    from obra_tui.store.commands import CommandTable
    from obra_tui.store.history import SqlHistory
    from obra_tui.store.journal import SqlJournal
    from obra_tui.store.ownership import Owner


_LOGINS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "OPENAI_API_KEY")


class Parts(Struct, frozen=True, kw_only=True):
    """What a reader needs beside the engine."""

    orchestrator: Orchestrator
    history: SqlHistory
    workspace: GitWorkspace
    journal: Journal


class Adapters(Struct, frozen=True, kw_only=True):
    """What works on the project: the engine's ports towards Claude Code, the copies and the checks."""

    claude: ClaudeCode
    workspace: GitWorkspace
    checks: LocalCheckRunner


class Plant:
    """An engine thread with its parts. `parts` are there once `start` has returned."""

    def __init__(self, settings: Settings, start: Start, models: Callable[[], Models]) -> None:
        self._settings = settings
        self._start = start
        self._models = models
        self._parts: Parts | None = None
        self.plan_updater: PlanUpdater | None = None
        self.engine = EngineThread(self._build)

    @property
    def project(self) -> Path:
        return self._start.project

    @property
    def parts(self) -> Parts:
        assert self._parts is not None, "the engine was not started"
        return self._parts

    def start(self) -> None:
        """Build everything and return when commands are taken. Raises `ObraError` when something is missing."""
        self.engine.start()
        if self._settings.workspace.update_plan:
            from obra_tui.services.plan_update import PlanUpdater

            self.plan_updater = PlanUpdater(self.engine)

    def finish_plan(self) -> Sequence[ObraError]:
        """Wait until the person's plan file is up to date; returns what stood in the way. After the engine's stop."""
        if self.plan_updater is None:
            return ()
        self.plan_updater.close()
        return tuple(self.plan_updater.problems)

    async def _build(self) -> Assembly:
        from obra_tui.system.git import trusted_folders

        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as closing:
            closing.callback(loop.run_in_executor(None, trusted_folders).cancel)  # it answers while the rest is loaded
            models = self._models()
            closing.callback(self._own(models).release)
            adapters = _adapters(self._settings, self._start, models)
            closing.push_async_callback(adapters.claude.close)
            store = await asyncio.to_thread(_open_store, self._settings, self._space_ran_out(), self._store_away())
            closing.callback(store.close)
            versions = await asyncio.to_thread(_versions)
            assembly = self._assemble(adapters, store, models, versions)
            kept = closing.pop_all()

        async def close() -> None:
            async with kept:
                await assembly.close()

        return replace(assembly, close=close)

    def _own(self, models: Models) -> Owner:
        """Become the owner of the data directory, who alone may end what an earlier owner left running."""
        from obra_tui.agents.sweep import sweep_leftovers
        from obra_tui.services.project import refuse_data_inside
        from obra_tui.store.ownership import acquire

        refuse_data_inside(self.project, self._settings.data_dir)
        owner = acquire(self._settings.data_dir)
        sweep_leftovers(models.claude.tmp_dir)
        return owner

    def _space_ran_out(self) -> Callable[[], None]:
        """Return what the journal calls in the middle of a write, from any thread; the work is stopped after it."""
        loop, stops = asyncio.get_running_loop(), set[asyncio.Task[None]]()

        def space_ran_out() -> None:
            loop.call_soon_threadsafe(lambda: stops.add(loop.create_task(self.parts.orchestrator.space_ran_out())))

        return space_ran_out

    def _store_away(self) -> Callable[[StoreError], None]:
        """Return what the journal calls, from any thread, when it may not write much longer."""
        loop = asyncio.get_running_loop()

        def tell(error: StoreError) -> None:
            if self._parts is not None:
                self._parts.orchestrator.right_lost(error)

        def store_away(error: StoreError) -> None:
            with suppress(RuntimeError):  # the loop has ended, and all work with it
                loop.call_soon_threadsafe(tell, error)

        return store_away

    def _assemble(self, adapters: Adapters, store: Store, models: Models, versions: Versions) -> Assembly:
        from obra_tui.engine.clock import SystemClock
        from obra_tui.engine.config import Ports
        from obra_tui.engine.orchestrator import Orchestrator
        from obra_tui.judge import QwenJudge
        from obra_tui.services.errands import run_errands

        judge = QwenJudge(models.judge)
        by_record = self._settings.gate.trust == "record"
        ports = Ports(
            implementer=adapters.claude,
            workspace=adapters.workspace,
            checks=adapters.checks,
            judge=judge,
            journal=store.journal,
            ledger=store.history,
            clock=SystemClock(),
            judge_standing=_standing_of(store.history, self._settings, self._start) if by_record else None,
            look_at_judge=None if models.rehearsal else partial(_look_at_judge, models.judge),
        )
        orchestrator = Orchestrator(ports, _config(self._settings, self._start, models.rehearsal, versions))
        self._parts = Parts(
            orchestrator=orchestrator, history=store.history, workspace=adapters.workspace, journal=store.journal
        )

        async def close() -> None:  # what still speaks must end before the journal does
            await adapters.claude.close()
            await judge.close()

        return Assembly(
            orchestrator=orchestrator,
            close=close,
            beside=lambda: run_errands(store.commands, orchestrator.handle),
        )


def _standing_of(
    history: SqlHistory, settings: Settings, start: Start
) -> Callable[[JudgeIdentity], Awaitable[Standing]]:
    """Return what reads a judge's record anew at every pass: a revert counts from the moment in which it is made."""
    from obra_tui.core.judging.standing import Record, standing_of

    limit = settings.gate.false_pass_limit

    async def look(identity: JudgeIdentity) -> Standing:
        found = await asyncio.to_thread(history.judge_records, str(start.project), limit=limit)
        mine = (item.standing for item in found if item.is_of(identity))
        return next(mine, None) or standing_of(Record(limit=limit))

    return look


async def _look_at_judge(config: JudgeConfig) -> ObraError | None:
    from obra_tui.judge import probe

    health = await probe(config)
    if health.ready or health.state == "loading":
        return None
    return JudgeError(f"{health.what} Until it is there every gate asks you.", fix=health.fix)


def _adapters(settings: Settings, start: Start, models: Models) -> Adapters:
    from obra_tui.agents.claude_code import ClaudeCode
    from obra_tui.evidence.checks import LocalCheckRunner
    from obra_tui.evidence.sandbox import Sandbox
    from obra_tui.evidence.workspace import GitWorkspace

    sandbox = Sandbox(
        data_dir=settings.data_dir, lowest=_lowest_sandbox(settings), readable=settings.sandbox.readable_paths()
    )
    workspace = GitWorkspace(
        project=start.project,
        data_dir=settings.data_dir,
        sandbox=sandbox,
        setup=settings.workspace.setup,
        protected=settings.workspace.protected,
        include=settings.workspace.include,
    )
    checks = LocalCheckRunner(configured=models.checks, sandbox=sandbox, data_dir=settings.data_dir)
    claude = ClaudeCode(dataclasses.replace(models.claude, project=start.project))
    return Adapters(claude=claude, workspace=workspace, checks=checks)


class Store(Struct, frozen=True, kw_only=True):
    """What keeps everything."""

    journal: SqlJournal
    history: SqlHistory
    commands: CommandTable

    def close(self) -> None:
        with ExitStack() as closing:
            closing.callback(self.journal.close)
            closing.callback(self.history.close)


def _open_store(
    settings: Settings, space_ran_out: Callable[[], None], store_away: Callable[[StoreError], None]
) -> Store:
    """In a thread, so that the loop can go on meanwhile. Raises `StoreError`."""
    from obra_tui.services.archive import labels_file
    from obra_tui.store.commands import CommandTable
    from obra_tui.store.history import SqlHistory
    from obra_tui.store.journal import SqlJournal

    with ExitStack() as closing:
        journal = SqlJournal(
            database(settings),
            _secrets(settings),
            space_ran_out=space_ran_out,
            holder=holder(settings),
            away=store_away,
        )
        closing.callback(journal.close)
        history = SqlHistory(database(settings), labels=labels_file(settings))
        closing.callback(history.close)
        commands = CommandTable(settings.data_dir)
        commands.clear()
        closing.pop_all()
    return Store(journal=journal, history=history, commands=commands)


def _versions() -> Versions:
    from obra_tui.services.versions import versions

    return versions()


def _secrets(settings: Settings) -> Iterator[str]:
    """Yield the exact values that must never be stored: the logins in the settings and in the environment."""
    yield settings.claude.api_key.get_secret_value()
    yield settings.judge.api_key.get_secret_value()
    yield from (os.environ.get(name, "") for name in _LOGINS)


def _config(settings: Settings, start: Start, rehearsal: str, versions: Versions) -> EngineConfig:
    from obra_tui.core.gate import GateRules
    from obra_tui.engine.config import EngineConfig

    gate = settings.gate
    return EngineConfig(
        project=str(start.project),
        rules=GateRules(
            policy=gate.policy,
            threshold=gate.threshold,
            judged_floor=gate.judged_floor,
            max_attempts=gate.max_attempts,
            weights=gate.weights.pairs(),
        ),
        jobs=start.jobs,
        attended=start.attended,
        wait_for_limit_s=settings.claude.wait_for_limit_s,
        hold_prompts=settings.claude.hold_prompts,
        task_budget=settings.budget.of_task(),
        session_budget=settings.budget.of_session(),
        undo_s=gate.undo_s if start.attended else 0.0,
        keep_copies=settings.workspace.keep_copies,
        rehearsal=rehearsal,
        versions=versions,
    )


def holder(settings: Settings) -> str:
    """Return who writes from here to a database that others can reach, too: the owner of this data directory."""
    return f"{gethostname()}, {settings.data_dir}"


def database(settings: Settings) -> str | Path:
    return settings.database.url or settings.data_dir / "obra.db"


def _lowest_sandbox(settings: Settings) -> SandboxLevel:
    return SandboxLevel.BWRAP if settings.sandbox.level == "required" else SandboxLevel.NONE
