"""A command from the command line: carried out here, or handed to the Obra that owns the data directory."""

from __future__ import annotations

import time
from concurrent.futures import TimeoutError as TooLate
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.bootstrap.engine import Plant, database
from obra_tui.bootstrap.models import real_models
from obra_tui.bootstrap.run_request import Start
from obra_tui.core.errors import AlreadyOwned, StoreError
from obra_tui.core.lifecycle import State
from obra_tui.services.settle import wait_until_settled

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.commands import Command, Decide
    from obra_tui.core.ids import SessionId, TaskId
    from obra_tui.services.viewer import Viewer

_ANSWER_LIMIT_S = 30.0
_SETTLE_LIMIT_S = 60.0
_LOOK_EVERY_S = 0.05
_ON_ITS_WAY = frozenset({State.AWAITING_HUMAN, State.ACCEPTING})


def decide(settings: Settings, project: Path, command: Decide, session: SessionId, task: TaskId) -> State:
    """Answer a gate and return where the task stands then."""
    plant = _plant(settings, project)
    try:
        plant.start()
    except AlreadyOwned:
        return _hand_over_decision(settings, command, session, task)
    try:
        plant.engine.submit(command).result()
        return wait_until_settled(plant, session, task)
    finally:
        plant.engine.stop()


def carry_out(settings: Settings, project: Path, command: Command) -> object:
    """Carry a command out here, or have it carried out by the Obra at work; returns its answer."""
    plant = _plant(settings, project)
    try:
        plant.start()
    except AlreadyOwned:
        return hand_over(settings, command)
    try:
        return plant.engine.submit(command).result()
    finally:
        plant.engine.stop()


def hand_over(settings: Settings, command: Command) -> object:
    """Have a command carried out by the Obra that is at work. Raises `StoreError` when there is none."""
    viewer = _viewer(settings)
    try:
        return _hand_over(viewer, command)
    finally:
        viewer.stop()


def _plant(settings: Settings, project: Path) -> Plant:
    return Plant(settings, Start(project=project, attended=False), lambda: real_models(settings))


def _viewer(settings: Settings) -> Viewer:
    from obra_tui.services.viewer import Viewer

    return Viewer(settings.data_dir, database(settings))


def _hand_over_decision(settings: Settings, command: Decide, session: SessionId, task: TaskId) -> State:
    viewer = _viewer(settings)
    try:
        _hand_over(viewer, command)
        deadline = time.monotonic() + _SETTLE_LIMIT_S
        while True:
            tasks = viewer.history.session(session).tasks
            state = next(found.state for found in tasks if found.id == task)
            if state not in _ON_ITS_WAY or time.monotonic() > deadline:
                return state
            time.sleep(_LOOK_EVERY_S)
    finally:
        viewer.stop()


def _hand_over(viewer: Viewer, command: Command) -> object:
    try:
        return viewer.submit(command).result(timeout=_ANSWER_LIMIT_S)
    except TooLate:
        raise StoreError(
            "The Obra that is at work does not answer.",
            fix="It was told, and may still do it: look with `obra review`. If it hangs, end it and try again.",
        ) from None
