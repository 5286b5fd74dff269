"""The app with everything behind it.

Before the first paint only the standard library and Textual are imported: settings, database, SDK and HTTP are loaded
by the worker thread that opens the backend.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from obra_tui import __version__
from obra_tui.bootstrap.run_request import RunRequest
from obra_tui.bootstrap.terminal_guard import guarded, leave_on_signals, outlive_the_terminal
from obra_tui.config.early import EarlySettings, early_settings
from obra_tui.services.project import look_for_root
from obra_tui.system.user import person

if TYPE_CHECKING:
    from obra_tui.bootstrap.engine import EngineHandle
    from obra_tui.config.load import Settings
    from obra_tui.core.doctor import DoctorLine
    from obra_tui.notices.channels import Channel
    from obra_tui.ui.app import ObraApp
    from obra_tui.ui.launch import LaunchOptions
    from obra_tui.ui.ports import Backend, DeliverNotices, Setting, StartNotices

Opener = Callable[[ExitStack, Callable[[], None]], "Backend"]
"""Opens the backend; gets what closes with it, and the callback for a remote owner that is gone."""

_IN_A_FILE = re.compile(r"(?P<file>.+\.toml)(?::(?P<line>\d+))?")
_DEMO = "calculator"
_EXIT_INTERRUPTED = 130


def open_app(request: RunRequest, flags: Mapping[str, object] | None = None) -> int:
    """Open the app on the project around the request's folder, and begin with its work if there is some."""
    return guarded(lambda: _open_app(request, flags or {}))


def _open_app(request: RunRequest, flags: Mapping[str, object]) -> int:
    root = look_for_root(request.project)
    # git looks while Textual is loaded
    importlib.import_module("obra_tui.ui.app")
    request = replace(request, project=root(), attended=True)
    return _show(
        _launch(request.project, early_settings()),
        lambda closing, on_owner_gone: _open_real(request, flags, closing, on_owner_gone),
    )


def open_demo_app(scenario: str, flags: Mapping[str, object], *, pace: float, jobs: int = 1) -> int:
    """Open the app on a rehearsal: the project is the scenario's own repository."""
    launch = _launch(Path(), early_settings(), rehearsal=scenario)
    return guarded(lambda: _show(launch, lambda closing, _: _open_demo(scenario, flags, pace, closing, jobs=jobs)))


def open_judge_demo(flags: Mapping[str, object], *, pace: float) -> int:
    """Open the app on the Judge screen while a month of two judges goes by."""
    return guarded(lambda: _open_judge_demo(flags, pace))


def _open_judge_demo(flags: Mapping[str, object], pace: float) -> int:
    from obra_tui.bootstrap.judge_demo import Month, make_project, month_handle
    from obra_tui.config.load import load

    settings = load(None, flags)
    project = make_project(settings.data_dir)
    launch = replace(_launch(project, early_settings(), rehearsal="judge"), first_screen="judge")

    def open_month(closing: ExitStack, _: Callable[[], None]) -> Backend:
        handle = month_handle(settings, project)
        backend = _own_backend(handle, settings, closing)
        month = Month(handle, pace=pace)
        month.start()
        closing.callback(month.stop)
        return backend

    return _show(launch, open_month)


def _show(launch: LaunchOptions, open_backend: Opener) -> int:
    from obra_tui.ui.app import ObraApp

    with ExitStack() as closing:
        app = ObraApp(
            lambda: open_backend(closing, lambda: app.call_soon(app.owner_gone)),
            LazyDoctor(Path(launch.project)),
            launch,
            open_demo=lambda: _open_demo(_DEMO, {}, 1.0, closing),
        )
        asked_to_end = leave_on_signals(lambda: _leave(app))
        outlive_the_terminal()
        result = app.run(mouse=launch.mouse)
    if asked_to_end():
        return asked_to_end()
    return 1 if result is not None and result.reason == "crashed" else 0


class LazyDoctor:
    """The doctor of this machine, imported when it runs."""

    def __init__(self, project: Path) -> None:
        self._project = project

    def run(self) -> Iterable[DoctorLine]:
        from obra_tui.services.doctor import MachineDoctor

        return MachineDoctor(self._project).run()


def _leave(app: ObraApp) -> None:
    if not app.is_running:
        raise SystemExit(_EXIT_INTERRUPTED)
    app.call_soon(app.leave)


def _launch(project: Path, early: EarlySettings, *, rehearsal: str = "") -> LaunchOptions:
    from obra_tui.ui.launch import LaunchOptions

    return LaunchOptions(
        project=str(project.absolute()),
        person=person(),
        data_dir=str(early.data_dir),
        version=__version__,
        rehearsal=rehearsal,
        theme=early.ui.theme,
        keys=early.keys,
        ascii_glyphs=early.ui.glyphs == "ascii",
        mouse=early.ui.mouse,
        reduce_motion=early.ui.reduce_motion,
        notify=early.ui.notify,
        notify_command=early.ui.notify_command,
        guides=_guides,
    )


def _guides() -> dict[str, str]:
    from obra_tui.services.guides import guides

    return guides()


def _open_real(
    request: RunRequest, flags: Mapping[str, object], closing: ExitStack, on_owner_gone: Callable[[], None]
) -> Backend:
    from obra_tui.bootstrap.engine import EngineHandle
    from obra_tui.config.load import load
    from obra_tui.core.errors import AlreadyOwned

    settings = load(request.project, flags)
    try:
        return _own_backend(EngineHandle(settings, request), settings, closing)
    except AlreadyOwned:
        if request.has_work:
            raise
        return _remote_backend(settings, request.project, on_owner_gone)


def _open_demo(
    scenario: str, flags: Mapping[str, object], pace: float, closing: ExitStack, *, jobs: int = 1
) -> Backend:
    from obra_tui.bootstrap.engine import EngineHandle
    from obra_tui.bootstrap.rehearsal import open_rehearsal
    from obra_tui.config.load import load

    settings = load(None, flags)
    rehearsal = open_rehearsal(scenario, settings, pace=pace)
    closing.callback(rehearsal.close)
    request = replace(rehearsal.request, attended=True, jobs=jobs)
    return _own_backend(EngineHandle(settings, request, lambda: rehearsal.models), settings, closing)


def _own_backend(handle: EngineHandle, settings: Settings, closing: ExitStack) -> Backend:
    """Start the engine and its first work, and hand both to the screen."""
    from obra_tui.bootstrap.start import enter_session, start_work_in_thread
    from obra_tui.services.diffs import DiffReader
    from obra_tui.services.history_archive import HistoryArchive
    from obra_tui.services.notices import remote_channels
    from obra_tui.services.plans import PlanFiles
    from obra_tui.ui.ports import Backend

    channels = remote_channels(settings)
    handle.start()
    closing.callback(handle.stop)
    engine, parts = handle.engine, handle.parts
    session = None
    if handle.request.has_work:
        session = enter_session(engine, handle.request)
        start_work_in_thread(engine, session, handle.request, person())
    return Backend(
        engine=engine,
        reader=DiffReader(
            parts.history,
            lambda _: parts.workspace,
            lambda gate, note, chosen: engine.ask(parts.orchestrator.next_prompt, gate, note, chosen),
        ),
        history=parts.history,
        archive=HistoryArchive(settings, parts.history, parts.journal),
        plans=PlanFiles(handle.project, handle.plan_updater),
        session=session,
        settings=shown_settings(settings, handle.project),
        friction=settings.gate.friction,
        watch_store=engine.watch_store,
        start_notices=_notices_starter(settings, channels, closing) if channels else None,
    )


def _notices_starter(settings: Settings, channels: Sequence[Channel], closing: ExitStack) -> StartNotices:
    from obra_tui.services.notices import start_delivery

    def start(on_problem: Callable[[str], None]) -> DeliverNotices:
        delivery = start_delivery(settings, channels, on_problem)
        closing.callback(delivery.close)
        return lambda records, is_seen: delivery.take(records, is_seen=is_seen)

    return start


def _remote_backend(settings: Settings, project: Path, on_owner_gone: Callable[[], None]) -> Backend:
    """Another process owns the data directory: a read-only viewer that hands decisions over to it."""
    from obra_tui.services.archive import database
    from obra_tui.services.diffs import replica_reader
    from obra_tui.services.history_archive import HistoryArchive
    from obra_tui.services.plans import PlanFiles
    from obra_tui.services.remote_engine import RemoteEngine
    from obra_tui.store.ownership import holder_of
    from obra_tui.ui.ports import Backend

    remote = RemoteEngine(settings.data_dir, database(settings), on_owner_gone)
    holder = holder_of(settings.data_dir)
    return Backend(
        engine=remote,
        reader=replica_reader(remote.history, settings.data_dir),
        history=remote.history,
        archive=HistoryArchive(settings, remote.history),
        plans=PlanFiles(project),
        viewer_of=f"pid {holder.pid}" if holder else "another Obra",
        settings=shown_settings(settings, project),
        friction=settings.gate.friction,
    )


def shown_settings(settings: Settings, project: Path | None) -> tuple[Setting, ...]:
    """Return the settings in force as the screen shows them: secrets masked, each with the place to change it."""
    from obra_tui.config.load import explain

    return tuple(_setting(row.key, row.value, row.source, project) for row in explain(settings))


def _setting(name: str, value: str, origin: str, project: Path | None) -> Setting:
    """What is not in a file yet would be written in the person's own."""
    from obra_tui.config.load import user_file
    from obra_tui.ui.ports import Setting

    found = _IN_A_FILE.fullmatch(origin)
    if found is None:
        return Setting(name=name, value=value, origin=origin, file=str(user_file()))
    file = (project or Path()) / found["file"]
    return Setting(name=name, value=value, origin=origin, file=str(file), line=int(found["line"] or 0))
