"""The app with everything behind it.

What happens before the first paint is kept to the standard library and
Textual: settings, database, SDK and HTTP are loaded in the worker thread that
opens the backend.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui import __version__
from obra_tui.bootstrap.run_request import Order, Start, person
from obra_tui.bootstrap.terminal_guard import guarded, leave_on_signals
from obra_tui.config.early import EarlySettings, early_settings
from obra_tui.services.project import look_for_root

if TYPE_CHECKING:
    from obra_tui.bootstrap.engine import Plant
    from obra_tui.config.load import Settings
    from obra_tui.core.doctor import DoctorLine
    from obra_tui.ui.app import ObraApp
    from obra_tui.ui.launch import LaunchOptions
    from obra_tui.ui.ports import Backend

Opener = Callable[[ExitStack, Callable[[], None]], "Backend"]
"""Opens the backend; told what closes with it, and whom to tell that the owner it looks at is gone."""

_DEMO = "calculator"
_EXIT_INTERRUPTED = 130


def open_app(
    folder: Path, order: Order | None = None, flags: Mapping[str, object] | None = None, *, jobs: int = 1
) -> int:
    """Open the app on the project around `folder`, and begin with `order` if there is one."""
    return guarded(lambda: _open_app(folder, order, flags or {}, jobs))


def _open_app(folder: Path, order: Order | None, flags: Mapping[str, object], jobs: int) -> int:
    root = look_for_root(folder)
    # git looks while Textual is loaded
    importlib.import_module("obra_tui.ui.app")
    project = root()
    return _show(
        _launch(project, early_settings()),
        lambda closing, gone: _open_real(project, order or Order(), flags, closing, jobs=jobs, owner_gone=gone),
    )


def open_demo_app(scenario: str, flags: Mapping[str, object], *, pace: float, jobs: int = 1) -> int:
    """Open the app on a rehearsal: the project is the scenario's own repository."""
    launch = _launch(Path(), early_settings(), rehearsal=scenario)
    return guarded(lambda: _show(launch, lambda closing, _: _open_demo(scenario, flags, pace, closing, jobs=jobs)))


def _show(launch: LaunchOptions, open_backend: Opener) -> int:
    from obra_tui.ui.app import ObraApp

    with ExitStack() as closing:
        app = ObraApp(
            lambda: open_backend(closing, lambda: app.call_soon(app.owner_gone)),
            _LateDoctor(Path(launch.project)),
            launch,
            open_demo=lambda: _open_demo(_DEMO, {}, 1.0, closing),
        )
        asked_to_end = leave_on_signals(lambda: _leave(app))
        result = app.run(mouse=launch.mouse)
    if asked_to_end():
        return asked_to_end()
    return 1 if result is not None and result.reason == "crashed" else 0


class _LateDoctor:
    """The doctor of this machine, loaded when it is asked."""

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
    project: Path,
    order: Order,
    flags: Mapping[str, object],
    closing: ExitStack,
    *,
    jobs: int = 1,
    owner_gone: Callable[[], None] = lambda: None,
) -> Backend:
    from obra_tui.bootstrap.engine import Plant
    from obra_tui.bootstrap.models import real_models
    from obra_tui.config.load import load
    from obra_tui.core.errors import AlreadyOwned

    settings = load(project, flags)
    plant = Plant(settings, Start(project=project, attended=True, jobs=jobs), lambda: real_models(settings))
    try:
        return _backend(plant, order, settings, closing)
    except AlreadyOwned:
        if order.plan is not None or order.resume:
            raise
        return _look_on(settings, project, owner_gone)


def _look_on(settings: Settings, project: Path, owner_gone: Callable[[], None]) -> Backend:
    """Another process owns the data directory: show what it does, and hand decisions over to it."""
    from obra_tui.bootstrap.engine import database
    from obra_tui.services.plan_files import PlanFiles
    from obra_tui.services.settings_view import shown_settings
    from obra_tui.services.shelf import Shelf
    from obra_tui.services.viewer import Viewer, ViewerReader, words_of
    from obra_tui.store.ownership import holder_of
    from obra_tui.ui.ports import Backend

    viewer = Viewer(settings.data_dir, database(settings), owner_gone)
    reader = ViewerReader(viewer.history, settings.data_dir)
    holder = words_of(holder_of(settings.data_dir))
    return Backend(
        engine=viewer,
        reader=reader,
        history=viewer.history,
        archive=Shelf(settings, viewer.history),
        plans=PlanFiles(project),
        viewer_of=holder,
        settings=shown_settings(settings, project),
        friction=settings.gate.friction,
    )


def _open_demo(
    scenario: str, flags: Mapping[str, object], pace: float, closing: ExitStack, *, jobs: int = 1
) -> Backend:
    from obra_tui.bootstrap.engine import Plant
    from obra_tui.bootstrap.rehearsal import open_rehearsal
    from obra_tui.config.load import load
    from obra_tui.services.plans import read_plan

    settings = load(None, flags)
    rehearsal = open_rehearsal(scenario, settings, pace=pace)
    closing.callback(rehearsal.close)
    order = Order(plan=read_plan(rehearsal.plan))
    start = Start(project=rehearsal.project, attended=True, jobs=jobs)
    return _backend(Plant(settings, start, lambda: rehearsal.models), order, settings, closing)


def _backend(plant: Plant, order: Order, settings: Settings, closing: ExitStack) -> Backend:
    """Start the engine and its first work, and hand both to the screen."""
    from obra_tui.bootstrap.start import enter_session, start_work_beside
    from obra_tui.services.diffs import PlantReader
    from obra_tui.services.plan_files import PlanFiles
    from obra_tui.services.settings_view import shown_settings
    from obra_tui.services.shelf import Shelf
    from obra_tui.ui.ports import Backend

    plant.start()
    closing.callback(plant.engine.stop)
    session = None
    if order.plan is not None or order.resume:
        session = enter_session(plant.engine, order)
        start_work_beside(plant.engine, session, order, person())
    return Backend(
        engine=plant.engine,
        reader=PlantReader(plant),
        history=plant.parts.history,
        archive=Shelf(settings, plant.parts.history, plant.parts.journal),
        plans=PlanFiles(plant.project, plant.plan_updater),
        session=session,
        settings=shown_settings(settings, plant.project),
        friction=settings.gate.friction,
        watch_store=plant.engine.watch_store,
    )
