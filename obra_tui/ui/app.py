"""The application: paints first, then imports and opens everything else in a thread.

Imports next to nothing: what a record is, what the screens look like and what
the engine is made of comes after the first paint.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ScreenError
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen
from textual.worker import Worker

from obra_tui.system.clock import SystemClock
from obra_tui.ui import keys
from obra_tui.ui.bindings import bindings
from obra_tui.ui.launch import LaunchOptions, UiResult
from obra_tui.ui.screens.parts import ScreenPart, add_part
from obra_tui.ui.screens.registry import MAIN_SCREENS, ON_TOP, FirstScreen
from obra_tui.ui.type_ahead import TypeAhead
from widgets.glyphs import AsciiLineFilter
from widgets.text import SafeLineFilter, clean
from widgets.themes import DEFAULT_THEME, register

if TYPE_CHECKING:
    from textual.command import Provider

    from obra_tui.core.ids import GateId, QuestionId
    from obra_tui.core.ports import Clock
    from obra_tui.ui.notice_board import NoticeBoard
    from obra_tui.ui.ports import Doctor, OpenBackend
    from obra_tui.ui.recovery import Recovery
    from obra_tui.ui.services import AppServices

PANE_KEYS = {"log.start": "home"}
"""`g` reviews a gate everywhere, so the panes give it up."""


def _commands() -> type[Provider]:
    from obra_tui.ui.palette import ObraCommands

    return ObraCommands


@contextmanager
def keeping(name: str) -> Iterator[None]:
    """Textual takes `NO_COLOR` out of the environment; what it starts, and what we start, shall still see it."""
    value = os.environ.get(name)
    yield
    if value is not None:
        os.environ[name] = value


class ObraApp(TypeAhead[UiResult]):
    """`run()` returns why the screen was left."""

    TITLE = "Obra"
    CSS_PATH = Path(__file__).with_name("first.tcss")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("app"),
        Binding("ctrl+c", "help_quit", show=False, system=True),
    ]
    COMMAND_PALETTE_BINDING = "f12"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {"first": FirstScreen, **MAIN_SCREENS}

    def __init__(
        self,
        open_backend: OpenBackend,
        doctor: Doctor,
        launch: LaunchOptions,
        *,
        open_demo: OpenBackend | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`open_backend` is called once in a thread after the first paint; `open_demo` when `d` is pressed.

        Raises `ConfigError` when the keys of `launch` cannot be.
        """
        self._last_filters: list[LineFilter] = [SafeLineFilter()]
        if launch.ascii_glyphs:
            self._last_filters.append(AsciiLineFilter())
        with keeping("NO_COLOR"):
            super().__init__()
        register(self)
        self.theme = launch.theme if launch.theme in self.available_themes else DEFAULT_THEME
        if launch.reduce_motion:
            self.animation_level = "none"
        self.launch = launch
        self.doctor = doctor
        self.open_demo = open_demo
        self.clock: Clock = clock or SystemClock()
        self.overrides = keys.check_overrides(launch.keys)
        self.services: AppServices | None = None
        self.recovery: Recovery | None = None
        self.notices: NoticeBoard | None = None
        self._open_backend = open_backend
        self._leaving = False
        self._parts: dict[str, ScreenPart] = {}
        add_part(self._parts, self, AppKeys(self))

    # -- start ---------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        """What is painted first. As a mode like the others it would have all styles parsed once more before it."""
        return FirstScreen()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The last choke point: no control character of anybody's text, and no symbol that the font has not."""
        return [*super().get_line_filters(), *self._last_filters]

    def on_mount(self) -> None:
        self.set_keymap({**PANE_KEYS, **self.overrides})
        self._ui_loop = asyncio.get_running_loop()
        self._ui_context = contextvars.copy_context()
        self.call_after_refresh(self.painted)

    def painted(self) -> None:
        """The first screen is there: now the rest may take its time."""

        def work() -> None:
            import obra_tui.ui.screens.live.screen  # noqa: F401 - so that showing it does not hold up the screen

            self.call_soon(self._imported)

        self.in_thread(work, "backend")

    def _imported(self) -> None:
        from obra_tui.ui.notice_board import NoticeBoard
        from obra_tui.ui.recovery import Recovery
        from obra_tui.ui.services import AppServices

        sheet = Path(__file__).with_name("obra.tcss")
        # To the app's own sheet: breakpoints match there for every screen, in a screen's own they do not.
        self.stylesheet.add_source(sheet.read_text(encoding="utf-8"), read_from=(str(sheet), ""))
        self.notices = NoticeBoard(self)
        self.services = AppServices(self)
        self.recovery = Recovery(self, self.clock, self.save_crash, partial(self.show_notice, problem=True))
        self.show(self.launch.first_screen)
        self.set_interval(1.0, self._tick)
        self.services.open(self._open_backend)
        # What is there now lives until the end: the collector need not look at it again.
        gc.collect()
        gc.freeze()

    def _tick(self) -> None:
        """Only what is at work changes with the clock; otherwise nothing is drawn."""
        screen = _front(self)
        tick = getattr(screen, "tick", None)
        if screen is None or tick is None or not screen.is_running:  # its widgets go before it knows
            return
        if self.services is not None and self.services.is_ticking and getattr(screen, "ready", False):
            tick()

    # -- what the services need (host.Host) ----------------------------------------------------

    def in_thread(self, work: Callable[[], None], group: str) -> None:
        self.run_worker(work, thread=True, exit_on_error=False, group=group)

    def call_soon(self, call: Callable[[], None]) -> None:
        """Call on the screen's thread; may be called from any thread, also after the end."""
        try:
            self._ui_loop.call_soon_threadsafe(self._call, call, context=self._ui_context)
        except (AttributeError, RuntimeError):  # no loop yet, or closed: there is no screen to tell
            return

    def _call(self, call: Callable[[], None]) -> None:
        if not self.is_running:
            return
        if self.services is not None:
            self.services.run_guarded(call)
        else:
            call()

    def owner_gone(self) -> None:
        """The Obra that this one looked at has ended."""
        if self.services is not None:
            self.services.confirm.take_over_engine(self._open_backend)

    def show_notice(self, text: str, *, problem: bool = False, for_s: float | None = None) -> None:
        """Show a short sentence for some seconds, in place of the one before."""
        if self.notices is not None:
            self.notices.tell(clean(text), is_problem=problem, for_s=for_s)

    def notify(self, message: str, *, severity: str = "information", **more: Any) -> None:
        """Textual's own words take the line for notices, too: they would cover what is below them."""
        self.show_notice(message, problem=severity != "information")

    def show_notices_on(self, screen: Screen[Any]) -> None:
        if self.notices is not None:
            self.notices.show_on(screen)

    def copy_to_clipboard(self, text: str) -> None:
        """Every copy of every screen and widget goes through here: no secret leaves by the clipboard."""
        clean = self.services.redact(text) if self.services is not None else text
        super().copy_to_clipboard(clean)
        if clean != text:
            self.show_notice("A secret was left out of the copy.", problem=True)

    def key_name(self, key: str) -> str:
        """A key as people read it."""
        return self.get_key_display(Binding(key, "none"))

    def press_key(self, key: str) -> None:
        self.simulate_key(key)

    @property
    def has_focus(self) -> bool:
        return bool(self.app_focus)

    @property
    def front_screen(self) -> Screen[Any]:
        return self.screen

    @property
    def gate_shown(self) -> GateId | None:
        gate: GateId | None = getattr(self.screen, "gate_shown", None)
        return gate

    @property
    def question_shown(self) -> QuestionId | None:
        question: QuestionId | None = getattr(self.screen, "question_shown", None)
        return question

    def write_sequence(self, text: str) -> None:
        """Write an escape sequence of our own making to the terminal."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(text)

    # -- keys ----------------------------------------------------------------------------------

    def show(self, name: str) -> None:
        """Switch to a screen, making it the first time."""
        if name != self.current_mode:
            self.switch_mode(name)

    def open_screen(
        self, name: str, *arguments: object, on_result: Callable[[Any], None] | None = None, replace: bool = False
    ) -> None:
        """Open a screen or a dialog of `registry.ON_TOP`."""
        screen = ON_TOP[name](*arguments)
        if replace:
            self.switch_screen(screen)
        else:
            self.push_screen(screen, on_result)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        part = self._parts.get(action)
        if action == "command_palette" and self.services is None:
            return False
        return super().check_action(action, parameters) if part is None else part.check_action(action)

    # -- the end -------------------------------------------------------------------------------

    def leave(self) -> None:
        """Stop the engine without blocking the screen, then go."""
        if not self._leaving:
            self._leaving = True
            self.run_worker(self._leave(), exit_on_error=False, group="leave")

    async def _leave(self) -> None:
        if self.services is not None:
            self.services.phase = "stopping…"
            await asyncio.to_thread(self.services.close)
        self.exit(UiResult())

    async def on_unmount(self) -> None:
        """However the screen ended, the engine ends with it in order."""
        if self.services is not None:
            await asyncio.to_thread(self.services.close)

    def _handle_exception(self, error: Exception) -> None:
        """A widget that fails takes its screen with it; only what cannot be held up ends the app."""
        if self.recovery is None or not self.recovery.take(error):
            super()._handle_exception(error)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker of the app that failed must not do so in silence."""
        failed = event.worker.error
        if failed is not None and self.services is not None:
            self.services.report_error(failed, "in the background")

    def _fatal_error(self) -> None:
        """Replaces Textual's report, which prints the values of variables."""
        self.bell()
        self._end_with_a_sentence()

    def panic(self, *renderables: object) -> None:
        """Replaces Textual's report for errors that draw themselves."""
        self._end_with_a_sentence()

    def _end_with_a_sentence(self) -> None:
        from rich.text import Text

        from obra_tui.ui.recovery import crash_sentence

        path = self.save_crash(self._exception, "in the screen") if self._exception is not None else None
        # Wrapped, not cut: the path of the file stands at its end.
        self._exit_renderables.append(Text(crash_sentence(path), overflow="fold", no_wrap=False))
        self._return_value = UiResult(reason="crashed", crash_file=str(path or ""))
        self._close_messages_no_wait()

    def save_crash(self, error: BaseException, what: str) -> Path | None:
        from obra_tui.ui.recovery import save_crash

        return save_crash(error, Path(self.launch.data_dir) / "crashes", self.launch.version, what)


class AppKeys(ScreenPart):
    """The keys that are the same on every screen: other screens, help, an answer for Claude, undo, the end."""

    def __init__(self, app: ObraApp) -> None:
        self._app = app

    def check_action(self, action: str) -> bool | None:
        """Before the rest is imported there is nowhere to go but out."""
        services = self._app.services
        if action in ("show_help", "ask_quit", "quit_app", "help_quit"):
            return True
        if services is None:
            return False
        match action:
            case "undo":
                return bool(services.view.held_gates)
            case "revert":
                return not services.view.held_gates and services.undo.revertible is not None
            case "answer_question":
                return bool(services.view.permissions)
            case _:
                return True

    def action_undo(self) -> None:
        if self._app.services is not None:
            self._app.services.undo.undo_last()

    def action_revert(self) -> None:
        if self._app.services is not None:
            self._app.services.undo.ask_revert()

    def action_answer_question(self) -> None:
        if self._app.services is not None:
            self._app.services.navigator.answer_next()

    def action_show_live(self) -> None:
        self._app.show("live")

    def action_show_tasks(self) -> None:
        self._app.show("tasks")

    def action_show_gates(self) -> None:
        self._app.show("gates")

    def action_show_history(self) -> None:
        self._app.show("history")

    def action_show_metrics(self) -> None:
        self._app.show("metrics")

    def action_show_setup(self) -> None:
        self._app.show("setup")

    def action_show_judge(self) -> None:
        self._app.show("judge")

    def action_show_help(self) -> None:
        from obra_tui.ui.screens.dialogs.help import HelpScreen, live_rows

        self._app.push_screen(HelpScreen(live_rows(self._app, self._app.screen)))

    def action_show_notices(self) -> None:
        """What was told lately: the line shows the newest alone."""
        if self._app.services is not None and self._app.notices is not None:
            self._app.services.navigator.show_notices(self._app.notices.told)

    def action_help_quit(self) -> None:
        """Who presses what ends most programs is told what ends this one."""
        self._app.show_notice(f"{self._app.key_name('ctrl+q')} quits Obra.")

    def action_ask_quit(self) -> None:
        if self._app.services is not None:
            self._app.services.confirm.quit()
        else:
            self._app.leave()

    def action_quit_app(self) -> None:
        """The same by a letter: unlike `ctrl+q` it is text in a text field."""
        self.action_ask_quit()


def _front(app: ObraApp) -> Screen[Any] | None:
    """Return the screen on top; none while the app is closing."""
    try:
        return app.screen
    except ScreenError:
        return None
