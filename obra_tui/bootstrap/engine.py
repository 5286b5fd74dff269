"""The engine with its adapters and its store, built on the engine's own thread.

The one place that opens the Journal and joins it with what works (`bootstrap/adapters.py`). Tests replace the
adapters by `adapters`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.agents import sweep
from obra_tui.bootstrap.adapters import Adapters, Hands, real_adapters, secrets_of
from obra_tui.core.errors import JudgeError, ObraError, StoreError
from obra_tui.core.gate import GateRules
from obra_tui.core.judging.authority import JudgeRecord, record_in
from obra_tui.core.judging.standing import Standing
from obra_tui.core.model import JudgeIdentity
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.orchestrator import Orchestrator
from obra_tui.engine.thread import Assembly, EngineThread
from obra_tui.evidence.workspace import GitWorkspace
from obra_tui.judge import JudgeConfig, probe
from obra_tui.services.archive import database, labels_file, writer_name
from obra_tui.services.doctor import versions
from obra_tui.services.judge_idle import IdleTrials
from obra_tui.services.judge_priority import JudgeWithPriority
from obra_tui.services.judge_trials import lane_of, rules_of
from obra_tui.services.models import Models, real_models
from obra_tui.services.plans import PlanUpdater
from obra_tui.services.project import refuse_data_inside
from obra_tui.services.remote_engine import serve_commands
from obra_tui.store.commands import CommandTable
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.store.ownership import Owner, acquire
from obra_tui.store.redact import Redactor
from obra_tui.store.redact_streams import StreamRedactor
from obra_tui.system.clock import SystemClock
from obra_tui.system.git import trusted_folders

if TYPE_CHECKING:
    from obra_tui.bootstrap.run_request import RunRequest
    from obra_tui.config.load import Settings
    from obra_tui.core import events
    from obra_tui.core.ports import Journal


class EngineParts(Struct, frozen=True, kw_only=True):
    """Parts of a running engine that readers need."""

    orchestrator: Orchestrator
    history: SqlHistory
    workspace: GitWorkspace
    journal: Journal


class Store(Struct, frozen=True, kw_only=True):
    """The database of the owner, and the table by which others send commands."""

    journal: SqlJournal
    history: SqlHistory
    commands: CommandTable

    def close(self) -> None:
        with ExitStack() as closing:
            closing.callback(self.journal.close)
            closing.callback(self.history.close)


class EngineHandle:
    """An engine thread with its parts. `parts` are there once `start` has returned."""

    def __init__(
        self,
        settings: Settings,
        request: RunRequest,
        models: Callable[[], Models] | None = None,
        adapters: Callable[[Settings, RunRequest, Models], Adapters] = real_adapters,
    ) -> None:
        """Without `models`, those that the settings name are used."""
        self.request = request
        self.settings = settings
        self._models = models or (lambda: real_models(settings))
        self._adapters = adapters
        self._parts: EngineParts | None = None
        self.plan_updater: PlanUpdater | None = None
        self.engine = EngineThread(self._build)

    @property
    def project(self) -> Path:
        return self.request.project

    @property
    def parts(self) -> EngineParts:
        assert self._parts is not None, "the engine was not started"
        return self._parts

    def redaction(self) -> Callable[[events.Record], Iterable[events.Record]]:
        """Return what takes out of records, in their order, all that the database does not keep of them."""
        return StreamRedactor(Redactor(secrets_of(self.settings))).take

    def start(self) -> None:
        """Build everything and return when commands are taken. Raises `ObraError` when something is missing."""
        self.engine.start()
        if self.settings.workspace.update_plan:
            self.plan_updater = PlanUpdater(self.engine)

    def stop(self) -> None:
        """Stop the engine; the work is kept. Repeating it is harmless."""
        self.engine.stop()

    def finish_plan(self) -> Sequence[ObraError]:
        """Wait until the person's plan file is up to date; returns what failed. After the engine's stop."""
        if self.plan_updater is None:
            return ()
        self.plan_updater.close()
        return tuple(self.plan_updater.problems)

    async def _build(self) -> Assembly:
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as closing:
            closing.callback(loop.run_in_executor(None, trusted_folders).cancel)  # git answers while the rest is built
            models = self._models()
            closing.callback(self._own(models).release)
            adapters = self._adapters(self.settings, self.request, models)
            closing.push_async_callback(adapters.claude.close)
            store = await asyncio.to_thread(_open_store, self.settings, self._on_disk_full(), self._on_lease_lost())
            closing.callback(store.close)
            hands = await self._hands(adapters)
            closing.push_async_callback(hands.implementer.close)
            config = _config(self.settings, self.request, models.rehearsal, await asyncio.to_thread(versions))
            assembly = self._assemble(adapters, hands, store, models, config)
            kept = closing.pop_all()

        async def close() -> None:
            async with kept:
                await assembly.close()

        return replace(assembly, close=close)

    def _own(self, models: Models) -> Owner:
        """Become the owner of the data directory, who alone may end what an earlier owner left running."""
        refuse_data_inside(self.project, self.settings.data_dir)
        owner = acquire(self.settings.data_dir)
        sweep.sweep_leftovers(models.claude.tmp_dir)
        return owner

    def _on_disk_full(self) -> Callable[[], None]:
        """Return the journal's callback, called from any thread in the middle of a write: the work stops after it."""
        loop, stops = asyncio.get_running_loop(), set[asyncio.Task[None]]()

        def on_disk_full() -> None:
            loop.call_soon_threadsafe(lambda: stops.add(loop.create_task(self.parts.orchestrator.space_ran_out())))

        return on_disk_full

    def _on_lease_lost(self) -> Callable[[StoreError], None]:
        """Return the journal's callback, called from any thread when its lease ends soon or has ended."""
        loop = asyncio.get_running_loop()

        def tell_orchestrator(error: StoreError) -> None:
            if self._parts is not None:
                self._parts.orchestrator.right_lost(error)

        def on_lease_lost(error: StoreError) -> None:
            with suppress(RuntimeError):  # the loop has ended, and all work with it
                loop.call_soon_threadsafe(tell_orchestrator, error)

        return on_lease_lost

    async def _hands(self, adapters: Adapters) -> Hands:
        if not self.settings.fleet.enabled:
            return Hands(implementer=adapters.claude, checks=adapters.checks, judge=adapters.judge)
        from obra_tui.bootstrap.fleet import fleet_hands

        return await fleet_hands(self.settings, self.project, adapters)

    def _assemble(
        self, adapters: Adapters, hands: Hands, store: Store, models: Models, config: EngineConfig
    ) -> Assembly:
        by_record = self.settings.gate.trust == "record"
        records = _records_of(store.history, self.settings, self.project, rehearsal=bool(models.rehearsal))
        ports = Ports(
            implementer=hands.implementer,
            workspace=adapters.workspace,
            checks=hands.checks,
            judge=JudgeWithPriority(hands.judge, lane_of(self.settings)),
            journal=store.journal,
            ledger=store.history,
            clock=SystemClock(),
            judge_standing=_standing_of(records, self.settings) if by_record else None,
            judge_records=records,
            look_at_judge=None
            if models.rehearsal or self.settings.fleet.enabled
            else partial(_look_at_judge, models.judge),
        )
        orchestrator = Orchestrator(ports, config)
        self._parts = EngineParts(
            orchestrator=orchestrator, history=store.history, workspace=adapters.workspace, journal=store.journal
        )

        async def close() -> None:  # Claude and the judge must end before the journal does
            await hands.implementer.close()
            await hands.judge.close()

        return Assembly(
            orchestrator=orchestrator,
            close=close,
            beside=lambda: self._beside(store, orchestrator, adapters, models),
        )

    async def _beside(self, store: Store, orchestrator: Orchestrator, adapters: Adapters, models: Models) -> None:
        """Serve other processes, and where it is wanted ask the judge about kept cases while nobody works."""
        serving = serve_commands(store.commands, orchestrator.handle)
        minutes = self.settings.judge.probe_minutes
        if not minutes or models.rehearsal:
            await serving
            return
        trials = IdleTrials(
            judge=adapters.judge,
            identify=adapters.judge.identify,
            history=store.history,
            project=self.project,
            rules=rules_of(self.settings),
            lane=lane_of(self.settings),
            write=orchestrator.handle,
            is_idle=lambda: not any(orchestrator.is_running(session) for session, _ in orchestrator.open_sessions()),
            minutes_per_day=minutes,
        )
        await asyncio.gather(serving, trials.run())


def _records_of(
    history: SqlHistory, settings: Settings, project: Path, *, rehearsal: bool
) -> Callable[[], Awaitable[tuple[JudgeRecord, ...]]]:
    """Return what reads the records anew each time: a revert counts from the moment in which it is made."""
    read = partial(history.judge_records, str(project), rehearsal=rehearsal, limit=settings.gate.false_pass_limit)

    async def look() -> tuple[JudgeRecord, ...]:
        return await asyncio.to_thread(read)

    return look


def _standing_of(
    records: Callable[[], Awaitable[tuple[JudgeRecord, ...]]], settings: Settings
) -> Callable[[JudgeIdentity], Awaitable[Standing]]:
    async def look(identity: JudgeIdentity) -> Standing:
        return record_in(await records(), identity, settings.gate.false_pass_limit).standing

    return look


async def _look_at_judge(config: JudgeConfig) -> ObraError | None:
    health = await probe(config)
    if health.ready or health.state == "loading":
        return None
    return JudgeError(f"{health.what} Until it is there every gate asks you.", fix=health.fix)


def _open_store(
    settings: Settings, on_disk_full: Callable[[], None], on_lease_lost: Callable[[StoreError], None]
) -> Store:
    """In a thread, so that the loop can go on meanwhile. Raises `StoreError`."""
    with ExitStack() as closing:
        journal = SqlJournal(
            database(settings),
            secrets_of(settings),
            space_ran_out=on_disk_full,
            holder=writer_name(settings),
            away=on_lease_lost,
        )
        closing.callback(journal.close)
        history = SqlHistory(database(settings), labels=labels_file(settings))
        closing.callback(history.close)
        commands = CommandTable(settings.data_dir)
        commands.clear()
        closing.pop_all()
    return Store(journal=journal, history=history, commands=commands)


def _config(
    settings: Settings, request: RunRequest, rehearsal: str, versions: tuple[tuple[str, str], ...]
) -> EngineConfig:
    gate = settings.gate
    return EngineConfig(
        project=str(request.project),
        rules=GateRules(
            policy=gate.policy,
            threshold=gate.threshold,
            judged_floor=gate.judged_floor,
            max_attempts=gate.max_attempts,
            weights=gate.weights.pairs(),
        ),
        jobs=request.jobs,
        attended=request.attended,
        wait_for_limit_s=settings.claude.wait_for_limit_s,
        hold_prompts=settings.claude.hold_prompts,
        task_budget=settings.budget.of_task(),
        session_budget=settings.budget.of_session(),
        false_pass_limit=gate.false_pass_limit,
        other_approver=gate.other_approver,
        undo_s=gate.undo_s if request.attended else 0.0,
        keep_copies=settings.workspace.keep_copies,
        rehearsal=rehearsal,
        versions=versions,
    )
