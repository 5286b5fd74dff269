"""Starting an engine for a script, on a project or on a rehearsal; heavy imports wait until then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.bootstrap.run_request import Start

if TYPE_CHECKING:
    from obra_tui.bootstrap.engine import Plant
    from obra_tui.bootstrap.models import Models
    from obra_tui.config.load import Settings


def open_project(
    project: Path, config: Mapping[str, object], *, attended: bool, models: Callable[[Settings], Models] | None
) -> tuple[Plant, ExitStack]:
    """Return an engine at work on a git repository, and what ends it."""
    from obra_tui.bootstrap.engine import Plant
    from obra_tui.bootstrap.models import real_models
    from obra_tui.config.load import load
    from obra_tui.services.project import project_root

    root = project_root(project)
    settings = load(root, {"gate.undo_s": 0, **config})
    plant = Plant(settings, Start(project=root, attended=attended), lambda: (models or real_models)(settings))
    plant.start()
    closing = ExitStack()
    closing.callback(plant.engine.stop)
    return plant, closing


def open_rehearsal(scenario: str, config: Mapping[str, object]) -> tuple[Plant, ExitStack, Path]:
    """Return an engine at work on a rehearsal, what ends both, and the path of its plan."""
    from obra_tui.bootstrap.engine import Plant
    from obra_tui.bootstrap.rehearsal import open_rehearsal as begin
    from obra_tui.config.load import load

    settings = load(None, config)
    rehearsal = begin(scenario, settings, pace=0.0)
    closing = ExitStack()
    closing.callback(rehearsal.close)
    try:
        plant = Plant(settings, Start(project=rehearsal.project, attended=False), lambda: rehearsal.models)
        plant.start()
    except BaseException:
        closing.close()
        raise
    closing.callback(plant.engine.stop)
    return plant, closing, rehearsal.plan
