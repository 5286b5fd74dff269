"""Which screens there are. Each is imported when it is first shown."""

from collections.abc import Callable, Mapping
from typing import Any

from textual.screen import Screen


def _live() -> Screen[Any]:
    from obra_tui.ui.screens.live import LiveScreen

    return LiveScreen()


def _tasks() -> Screen[Any]:
    from obra_tui.ui.screens.tasks import TasksScreen

    return TasksScreen()


def _gates() -> Screen[Any]:
    from obra_tui.ui.screens.gates import GatesScreen

    return GatesScreen()


def _history() -> Screen[Any]:
    from obra_tui.ui.screens.history import HistoryScreen

    return HistoryScreen()


def _metrics() -> Screen[Any]:
    from obra_tui.ui.screens.metrics import MetricsScreen

    return MetricsScreen()


def _setup() -> Screen[Any]:
    from obra_tui.ui.screens.setup import SetupScreen

    return SetupScreen()


SCREENS: Mapping[str, Callable[[], Screen[Any]]] = {
    "live": _live,
    "tasks": _tasks,
    "gates": _gates,
    "history": _history,
    "metrics": _metrics,
    "setup": _setup,
}
