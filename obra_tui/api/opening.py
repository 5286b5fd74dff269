"""Starting an engine for a script, on a project or on a rehearsal; heavy imports wait until then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.bootstrap.run_request import RunRequest

if TYPE_CHECKING:
    from obra_tui.bootstrap.engine import EngineHandle
    from obra_tui.config.load import Settings
    from obra_tui.services.models import Models


def open_project(
    project: Path, config: Mapping[str, object], *, attended: bool, models: Callable[[Settings], Models] | None
) -> tuple[EngineHandle, ExitStack]:
    """Return an engine at work on a git repository, and what ends it."""
    from obra_tui.bootstrap.engine import EngineHandle
    from obra_tui.config.load import load
    from obra_tui.services.project import project_root

    root = project_root(project)
    settings = load(root, {"gate.undo_s": 0, **config})
    request = RunRequest(project=root, attended=attended)
    handle = EngineHandle(settings, request, (lambda: models(settings)) if models else None)
    handle.start()
    closing = ExitStack()
    closing.callback(handle.stop)
    return handle, closing


def open_rehearsal(scenario: str, config: Mapping[str, object]) -> tuple[EngineHandle, ExitStack, Path]:
    """Return an engine at work on a rehearsal, what ends both, and the path of its plan."""
    from obra_tui.bootstrap.engine import EngineHandle
    from obra_tui.bootstrap.rehearsal import open_rehearsal as begin
    from obra_tui.config.load import load

    settings = load(None, config)
    rehearsal = begin(scenario, settings, pace=0.0)
    closing = ExitStack()
    closing.callback(rehearsal.close)
    try:
        handle = EngineHandle(settings, RunRequest(project=rehearsal.project), lambda: rehearsal.models)
        handle.start()
    except BaseException:
        closing.close()
        raise
    closing.callback(handle.stop)
    return handle, closing, rehearsal.plan
