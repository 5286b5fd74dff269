"""The engine and all that it needs, built on the engine's own thread."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.core.errors import ObraError
from obra_tui.core.gate import GateRules
from obra_tui.core.model import SandboxLevel
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.thread import Assembly, EngineThread
from obra_tui.wiring.work import Start

if TYPE_CHECKING:
    from obra_tui.engine.orchestrator import Orchestrator
    from obra_tui.evidence.workspace import GitWorkspace
    from obra_tui.settings import Settings
    from obra_tui.store.queries import SqlHistory
    from obra_tui.wiring.models import Models
    from obra_tui.wiring.plan_update import PlanUpdater


_LOGINS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "OPENAI_API_KEY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a reader needs beside the engine."""

    orchestrator: Orchestrator
    history: SqlHistory
    workspace: GitWorkspace


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
            from obra_tui.wiring.plan_update import PlanUpdater

            self.plan_updater = PlanUpdater(self.engine)

    def finish_plan(self) -> Sequence[ObraError]:
        """Wait until the person's plan file is up to date; returns what stood in the way. After the engine's stop."""
        if self.plan_updater is None:
            return ()
        self.plan_updater.close()
        return tuple(self.plan_updater.problems)

    def _build(self) -> Assembly:
        from obra_tui.engine.orchestrator import Orchestrator
        from obra_tui.store.commands import CommandTable
        from obra_tui.wiring.errands import run_errands

        models = self._models()
        with ExitStack() as closing:
            loop, stops = asyncio.get_running_loop(), set[asyncio.Task[None]]()

            def space_ran_out() -> None:  # called in the middle of a write: what stops the work begins after it
                loop.call_soon(lambda: stops.add(loop.create_task(orchestrator.space_ran_out())))

            ports, history, workspace = _ports(self._settings, self._start, models, closing, space_ran_out)
            orchestrator = Orchestrator(ports, _config(self._settings, self._start, models.rehearsal))
            self._parts = Parts(orchestrator=orchestrator, history=history, workspace=workspace)
            table = CommandTable(self._settings.data_dir)
            table.clear()
            kept = closing.pop_all()

        async def close() -> None:
            with kept:
                await ports.implementer.close()
                await ports.judge.close()

        return Assembly(orchestrator=orchestrator, close=close, beside=lambda: run_errands(table, orchestrator.handle))


def _ports(
    settings: Settings,
    start: Start,
    models: Models,
    closing: ExitStack,
    space_ran_out: Callable[[], None] = lambda: None,
) -> tuple[Ports, SqlHistory, GitWorkspace]:
    from obra_tui.agents.claude_code import ClaudeCode
    from obra_tui.agents.sweep import sweep_leftovers
    from obra_tui.engine.clock import SystemClock
    from obra_tui.evidence.checks import LocalCheckRunner
    from obra_tui.evidence.sandbox import Sandbox
    from obra_tui.evidence.workspace import GitWorkspace
    from obra_tui.judge import QwenJudge
    from obra_tui.store.journal import SqlJournal
    from obra_tui.store.owner import acquire
    from obra_tui.store.queries import SqlHistory

    closing.callback(acquire(settings.data_dir).release)
    # Only the owner of the directory may end what an earlier owner left running.
    sweep_leftovers(models.claude.tmp_dir)
    journal = SqlJournal(database(settings), _secrets(settings), space_ran_out=space_ran_out)
    closing.callback(journal.close)
    history = SqlHistory(database(settings))
    closing.callback(history.close)
    sandbox = Sandbox(data_dir=settings.data_dir, lowest=_lowest_sandbox(settings))
    workspace = GitWorkspace(
        project=start.project,
        data_dir=settings.data_dir,
        sandbox=sandbox,
        setup=settings.workspace.setup,
        protected=settings.workspace.protected,
    )
    checks = LocalCheckRunner(configured=models.checks, sandbox=sandbox, data_dir=settings.data_dir)
    ports = Ports(
        implementer=ClaudeCode(models.claude),
        workspace=workspace,
        checks=checks,
        judge=QwenJudge(models.judge),
        journal=journal,
        ledger=history,
        clock=SystemClock(),
    )
    return ports, history, workspace


def _secrets(settings: Settings) -> Iterator[str]:
    """Yield the exact values that must never be stored: the logins in the settings and in the environment."""
    yield settings.claude.api_key.get_secret_value()
    yield settings.judge.api_key.get_secret_value()
    yield from (os.environ.get(name, "") for name in _LOGINS)


def _config(settings: Settings, start: Start, rehearsal: str) -> EngineConfig:
    from obra_tui.wiring.versions import versions

    gate = settings.gate
    return EngineConfig(
        project=str(start.project),
        rules=GateRules(
            policy=gate.policy,
            threshold=gate.threshold,
            max_attempts=gate.max_attempts,
            weights=gate.weights.pairs(),
        ),
        jobs=start.jobs,
        attended=start.attended,
        wait_for_limit_s=settings.claude.wait_for_limit_s,
        task_budget=settings.budget.of_task(),
        session_budget=settings.budget.of_session(),
        undo_s=gate.undo_s if start.attended else 0.0,
        keep_copies=settings.workspace.keep_copies,
        rehearsal=rehearsal,
        versions=versions(),
    )


def database(settings: Settings) -> str | Path:
    return settings.database.url or settings.data_dir / "obra.db"


def _lowest_sandbox(settings: Settings) -> SandboxLevel:
    return SandboxLevel.BWRAP if settings.sandbox.level == "required" else SandboxLevel.NONE
