"""Which screens there are. All but the first are imported when they are first shown."""

from collections.abc import Callable, Mapping

from textual.screen import Screen

from obra_tui.ui.screens.live import LiveScreen


def _tasks() -> Screen[object]:
    from obra_tui.ui.screens.tasks import TasksScreen

    return TasksScreen()


def _gates() -> Screen[object]:
    from obra_tui.ui.screens.gates import GatesScreen

    return GatesScreen()


def _history() -> Screen[object]:
    from obra_tui.ui.screens.history import HistoryScreen

    return HistoryScreen()


def _setup() -> Screen[object]:
    from obra_tui.ui.screens.setup import SetupScreen

    return SetupScreen()


SCREENS: Mapping[str, Callable[[], Screen[object]]] = {
    "live": LiveScreen,
    "tasks": _tasks,
    "gates": _gates,
    "history": _history,
    "setup": _setup,
}
