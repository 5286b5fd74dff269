"""Every screen by its name, with a factory that imports it when it is first shown. Only the app calls them.

`FirstScreen` stands here because it is painted before anything else is imported. It is one widget that draws the frame
of the Live screen: a widget for each pane would need a second layout and a third more time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

if TYPE_CHECKING:
    from obra_tui.core.ids import AttemptId, GateId, SessionId, TaskId
    from obra_tui.ui.screens.base import ObraScreen
    from obra_tui.ui.state import PermissionView
    from obra_tui.ui.view.menus import Choice, Writing


def _live() -> ObraScreen:
    from obra_tui.ui.screens.live.screen import LiveScreen

    return LiveScreen()


def _tasks() -> ObraScreen:
    from obra_tui.ui.screens.tasks.screen import TasksScreen

    return TasksScreen()


def _gates() -> ObraScreen:
    from obra_tui.ui.screens.review.gates import GatesScreen

    return GatesScreen()


def _history() -> ObraScreen:
    from obra_tui.ui.screens.history.screen import HistoryScreen

    return HistoryScreen()


def _metrics() -> ObraScreen:
    from obra_tui.ui.screens.metrics.screen import MetricsScreen

    return MetricsScreen()


def _setup() -> ObraScreen:
    from obra_tui.ui.screens.setup.screen import SetupScreen

    return SetupScreen()


def _judge() -> ObraScreen:
    from obra_tui.ui.screens.judge.screen import JudgeScreen

    return JudgeScreen()


def _main(name: str, make: Callable[[], ObraScreen]) -> Screen[Any]:
    screen = make()
    screen.mode = name
    return screen


MAIN_SCREENS: Mapping[str, Callable[[], Screen[Any]]] = {
    "live": partial(_main, "live", _live),
    "tasks": partial(_main, "tasks", _tasks),
    "gates": partial(_main, "gates", _gates),
    "history": partial(_main, "history", _history),
    "metrics": partial(_main, "metrics", _metrics),
    "setup": partial(_main, "setup", _setup),
    "judge": partial(_main, "judge", _judge),
}


def mode_of(screen: Screen[Any]) -> str:
    """Return the name of a main screen; empty for one that was opened on top."""
    mode: str = getattr(screen, "mode", "")
    return mode


# -- screens and dialogs that are opened on top --------------------------------------------------------


def _review(gate: GateId) -> Screen[Any]:
    from obra_tui.ui.screens.review.screen import ReviewScreen

    return ReviewScreen(gate)


def _attempt(attempt: AttemptId, page: str) -> Screen[Any]:
    from obra_tui.ui.screens.attempt.screen import AttemptScreen

    return AttemptScreen(attempt, page)


def _replay(session: SessionId) -> Screen[Any]:
    from obra_tui.ui.screens.live.replay import ReplayScreen

    return ReplayScreen(session)


def _compare_attempts(a: AttemptId, b: AttemptId) -> Screen[Any]:
    from obra_tui.ui.screens.compare.attempts import CompareScreen

    return CompareScreen(a, b)


def _compare_sessions(a: SessionId, b: SessionId) -> Screen[Any]:
    from obra_tui.ui.screens.compare.sessions import CompareSessionsScreen

    return CompareSessionsScreen(a, b)


def _permission(question: PermissionView) -> Screen[Any]:
    from obra_tui.ui.screens.dialogs.permission import PermissionScreen

    return PermissionScreen(question)


def _prompt(task: TaskId, built: str, kept: str | None) -> Screen[Any]:
    from obra_tui.ui.screens.dialogs.prompt import PromptScreen

    return PromptScreen(task, built, kept)


def _rules() -> Screen[Any]:
    from obra_tui.ui.screens.dialogs.rules import RulesScreen

    return RulesScreen()


def _guide(name: str, text: str) -> Screen[Any]:
    from obra_tui.ui.screens.dialogs.help import GuideScreen

    return GuideScreen(name, text)


def _choice(title: str, choices: Sequence[Choice]) -> Screen[Any]:
    from obra_tui.ui.screens.dialogs.questions import ChoiceDialog

    return ChoiceDialog(title, choices, first=choices[0].id)


def _write(writing: Writing, check: Callable[[str], str]) -> Screen[Any]:
    from obra_tui.ui.screens.dialogs.questions import WriteDialog

    return WriteDialog(writing, check)


ON_TOP: Mapping[str, Callable[..., Screen[Any]]] = {
    "review": _review,
    "attempt": _attempt,
    "replay": _replay,
    "compare_attempts": _compare_attempts,
    "compare_sessions": _compare_sessions,
    "permission": _permission,
    "prompt": _prompt,
    "rules": _rules,
    "guide": _guide,
    "choice": _choice,
    "write": _write,
}


# -- the first paint ---------------------------------------------------------------------------------

NARROW = 100
_STATUS_ROWS, _QUALITY_ROWS = 2, 7
_LINE, _NAME, _STATUS = "$foreground 30%", "$foreground 80%", "$foreground on $panel"


class FirstScreen(Screen[None]):
    def compose(self) -> ComposeResult:
        rehearsal = getattr(getattr(self.app, "launch", None), "rehearsal", "")
        yield Frame(f"REHEARSAL {rehearsal} │ starting…" if rehearsal else "starting…")


class Frame(Widget):
    """A line that says what happens, and the three empty panes."""

    def __init__(self, status: str) -> None:
        super().__init__(id="first")
        self._status = status

    def render(self) -> Content:
        width, height = self.size
        status = Content.styled(f" {self._status}"[:width].ljust(width), _STATUS)
        rest = Content.styled(" " * width, _STATUS)
        rows = [status, *[rest] * (_STATUS_ROWS - 1), *_panes(width, height - _STATUS_ROWS)]
        return Content("\n").join(rows[:height])


def _panes(width: int, height: int) -> list[Content]:
    claude, validation, quality = "Claude Code · implementer", "Qwen · validator", "Quality"
    if width < NARROW:
        upper = height * 3 // 5
        lower = height - upper - _QUALITY_ROWS
        return [*_pane(claude, width, upper), *_pane(validation, width, lower), *_pane(quality, width, _QUALITY_ROWS)]
    left = width * 3 // 5
    right = [
        *_pane(validation, width - left, height - _QUALITY_ROWS),
        *_pane(quality, width - left, _QUALITY_ROWS),
    ]
    return [one.append(other) for one, other in zip(_pane(claude, left, height), right, strict=False)]


def _pane(name: str, width: int, height: int) -> list[Content]:
    if width < 6 or height < 2:
        return []
    shown = name[: width - 6]
    top = Content.assemble(("╭─ ", _LINE), (shown, _NAME), (f" {'─' * (width - len(shown) - 5)}╮", _LINE))
    side = Content.styled(f"│{' ' * (width - 2)}│", _LINE)
    return [top, *[side] * (height - 2), Content.styled(f"╰{'─' * (width - 2)}╯", _LINE)]
