"""The coordinator's and the worker's composition: the fleet's ports with the rooms of one machine behind them."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from obra_tui import __version__
from obra_tui.agents import sweep
from obra_tui.agents.claude_code import ClaudeCode
from obra_tui.bootstrap.adapters import Adapters, Hands, lowest_sandbox, secrets_of
from obra_tui.core.errors import ConfigError
from obra_tui.core.events import Event
from obra_tui.evidence.bundles import Bundles, Mirror
from obra_tui.evidence.checks import LocalCheckRunner
from obra_tui.evidence.copies import make_private, project_key
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace
from obra_tui.judge import QwenJudge
from obra_tui.services.models import Models, real_models
from obra_tui.store.ownership import acquire
from obra_tui.store.redact import Redactor
from obra_tui.system.process import watch_without_threads

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.ports import CheckRunner, Implementer, Judge
    from obra_tui.fleet.jobs import StageKind

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")


def refuse_without_fleet(settings: Settings) -> None:
    """Refuse to begin without the extra or the database. Raises `ConfigError`."""
    try:
        import procrastinate  # noqa: F401
        import psycopg_pool  # noqa: F401
    except ImportError as missing:
        raise ConfigError(
            f"The packages for a fleet are not installed ({missing.name}).",
            fix="Install them on every host: pip install 'obra-tui[fleet]'.",
        ) from None
    from obra_tui.fleet.database import address_of

    address_of(settings.database.url)
    for logger in ("procrastinate", "psycopg.pool"):  # what they say, the fleet says in its own words
        logging.getLogger(logger).setLevel(logging.CRITICAL)


# --- the coordinator -----------------------------------------------------------------------------


async def fleet_hands(settings: Settings, project: Path, adapters: Adapters) -> Hands:
    """Return the ports that hand the work of one project out, connected. Raises `ObraError`."""
    refuse_without_fleet(settings)
    from obra_tui.fleet.dispatch import Dispatcher, FleetOptions
    from obra_tui.fleet.evidence import FleetCheckRunner, FleetJudge
    from obra_tui.fleet.implementer import FleetImplementer

    if settings.workspace.include:
        raise ConfigError(
            "Ignored files of your checkout do not travel to workers.",
            where="workspace.include",
            fix="Leave it empty, or work without a fleet.",
        )
    options = FleetOptions(
        project=project_key(project),
        setup=settings.workspace.setup,
        labels=settings.fleet.labels,
        blob_limit=settings.fleet.blob_mb * 1_000_000,
    )
    dispatcher = Dispatcher(settings.database.url, Bundles(adapters.workspace), options, __version__)
    await dispatcher.open()
    return Hands(
        implementer=FleetImplementer(dispatcher),
        checks=FleetCheckRunner(dispatcher, adapters.checks),
        judge=FleetJudge(dispatcher, adapters.judge),
    )


# --- the worker ----------------------------------------------------------------------------------


class WorkerRequest(Struct, frozen=True, kw_only=True):
    """What one start of `obra worker` is asked to be."""

    name: str = ""
    labels: tuple[str, ...] = ()
    places: int = 1
    kinds: tuple[str, ...] = ("implement", "check", "judge")


class _ProjectTools(Struct, frozen=True, kw_only=True):
    workspace: GitWorkspace
    carrier: Bundles
    checks: CheckRunner


class WorkerTools:
    """The rooms of this machine, for projects that come from elsewhere."""

    def __init__(self, settings: Settings, models: Models) -> None:
        self._settings = settings
        self._models = models
        self._data_dir = settings.data_dir.resolve()
        self._sandbox = Sandbox(
            data_dir=settings.data_dir,
            lowest=lowest_sandbox(settings),
            readable=settings.sandbox.readable_paths(),
            limits=settings.sandbox.limits(),
        )
        self._projects: dict[tuple[str, tuple[str, ...]], _ProjectTools] = {}
        self.implementer: Implementer = ClaudeCode(dataclasses.replace(models.claude, project=None))
        self.judge: Judge = QwenJudge(models.judge)

    @property
    def sandbox(self) -> Sandbox:
        return self._sandbox

    def mirror(self, project: str) -> Mirror:
        if not re.fullmatch(r"[0-9a-f]{16}", project):
            raise ConfigError(f"{project!r} cannot name a project.", fix="This is a fault of Obra.")
        return Mirror(self._data_dir / "fleet" / f"{project}.git")

    def project(self, project: str, setup: tuple[str, ...]) -> _ProjectTools:
        """Return the tools of a project; its environments are made here, once, and kept."""
        if (project, setup) not in self._projects:
            workspace = GitWorkspace(
                project=self.mirror(project).directory,
                data_dir=self._settings.data_dir,
                sandbox=self._sandbox,
                setup=setup,
                protected=self._settings.workspace.protected,
                is_mirror=True,
            )
            checks = LocalCheckRunner(
                configured=self._models.checks, sandbox=self._sandbox, data_dir=self._settings.data_dir
            )
            self._projects[project, setup] = _ProjectTools(
                workspace=workspace, carrier=Bundles(workspace), checks=checks
            )
        return self._projects[project, setup]

    async def close(self) -> None:
        await self.implementer.close()
        await self.judge.close()


def run_worker(
    settings: Settings,
    request: WorkerRequest,
    say: Callable[[str], None],
    tools: Callable[[Settings, Models], WorkerTools] = WorkerTools,
) -> None:
    """Be a worker until drained by a signal, or from the coordinator's side. Raises `ObraError`."""
    refuse_without_fleet(settings)
    name = request.name or default_name(settings)
    _refuse_names(name, request)
    make_private(settings.data_dir)
    with acquire(settings.data_dir):
        models = real_models(settings)
        sweep.sweep_leftovers(models.claude.tmp_dir)
        watch_without_threads()
        asyncio.run(_work(settings, tools(settings, models), name, request, say))


def default_name(settings: Settings) -> str:
    """Return the name of a worker that was given none: its host and a mark of its data directory."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:24] or "worker"
    return f"{host}-{project_key(settings.data_dir)[:4]}"


def _refuse_names(name: str, request: WorkerRequest) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot name a worker.", where="--name", fix="Use letters, digits, dots and dashes, at most 40."
        )
    for label in request.labels:
        if not _LABEL.fullmatch(label):
            raise ConfigError(
                f"{label!r} cannot be a label.",
                where="--labels",
                fix="Use letters, digits, dots and dashes, at most 20.",
            )


async def _work(
    settings: Settings, tools: WorkerTools, name: str, request: WorkerRequest, say: Callable[[str], None]
) -> None:
    from obra_tui.fleet.desk import WorkerCard
    from obra_tui.fleet.worker import Worker, WorkerOptions

    level, note = await tools.sandbox.probe()
    card = WorkerCard(
        instance="",
        name=name,
        owner=f"{socket.gethostname()}, {settings.data_dir}",
        host=socket.gethostname(),
        pid=os.getpid(),
        version=__version__,
        kinds=_kinds(request.kinds),
        labels=request.labels,
        places=request.places,
        sandbox=level.value,
        sandbox_note=note,
    )
    options = WorkerOptions(
        url=settings.database.url,
        lease_s=settings.fleet.lease_s,
        checkpoint_s=settings.fleet.checkpoint_s,
        redact=_redaction(settings),
        say=say,
    )
    worker = Worker(card, tools, options)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_on_lost_exception)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.drain)
    try:
        await worker.run()
    finally:
        await tools.close()


def _on_lost_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A delivery that this worker lost cannot be ended by it: procrastinate raises where nobody listens."""
    from procrastinate.exceptions import ProcrastinateException

    if not isinstance(context.get("exception"), ProcrastinateException):
        loop.default_exception_handler(context)


def _kinds(given: tuple[str, ...]) -> tuple[StageKind, ...]:
    from obra_tui.fleet.jobs import StageKind

    known = [kind.value for kind in StageKind]
    for name in given:
        if name not in known:
            raise ConfigError(f"There is no kind of work {name!r}.", where="--kinds", fix=f"Use {', '.join(known)}.")
    return tuple(StageKind(name) for name in given)


def _redaction(settings: Settings) -> Callable[[Event], Event]:
    """Return what takes this host's secrets out of an event before it leaves it."""
    return Redactor(secrets_of(settings)).of
