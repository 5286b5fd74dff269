"""The application: paints first, opens everything heavy in a thread, and hands records to the screens.

Knows no database, no process and no model: what it needs of them comes through `ui.ports`.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.filter import LineFilter
from textual.screen import Screen

from obra_tui.core.errors import ObraError
from obra_tui.core.ids import GateId, QuestionId, SessionId, TaskId
from obra_tui.ui import keys
from obra_tui.ui.backend import Connection, connect
from obra_tui.ui.bindings import bindings
from obra_tui.ui.bridge import Bridge
from obra_tui.ui.choices import cancel_choices, quit_choices, stop_choices
from obra_tui.ui.crash import crash_sentence, save_crash
from obra_tui.ui.hub import Hub
from obra_tui.ui.notify import Notices
from obra_tui.ui.ports import Backend, Clock, Doctor, Engine, Launch, OpenBackend, UiResult
from obra_tui.ui.requests import Requests
from obra_tui.ui.screens.index import SCREENS
from obra_tui.ui.screens.live import LiveScreen
from obra_tui.ui.state import TaskView
from obra_tui.ui.statusline import Part
from obra_tui.ui.wakeup import Wakeup
from obra_tui.ui.words import Tone
from widgets.text import SafeLineFilter, clean
from widgets.themes import register

PANE_KEYS = {"log.start": "home"}
"""`g` reviews a gate everywhere, so the panes give it up."""


def _commands() -> type[Provider]:
    from obra_tui.ui.palette import ObraCommands

    return ObraCommands


class SystemClock:
    def now(self) -> float:
        return time.time()


class ObraApp(App[UiResult]):
    """`run()` returns why the screen was left."""

    TITLE = "Obra"
    CSS_PATH = "obra.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("app"),
        Binding("ctrl+c", "help_quit", show=False, system=True),
    ]
    COMMAND_PALETTE_BINDING = "f12"
    COMMANDS = {_commands}
    DEFAULT_MODE = "live"

    def __init__(
        self,
        open_backend: OpenBackend,
        doctor: Doctor,
        launch: Launch,
        *,
        open_demo: OpenBackend | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`open_backend` is called once in a thread after the first paint; `open_demo` when `d` is pressed."""
        self._safe = SafeLineFilter()
        super().__init__()
        self.launch = launch
        self.doctor = doctor
        self.open_demo = open_demo
        self.clock: Clock = clock or SystemClock()
        self.hub = Hub()
        self.requests = Requests(self)
        self.failure: list[str] = []
        self.phase = "starting…"
        self.crash_file: Path | None = None
        self._open_backend = open_backend
        self._connection: Connection | None = None
        self._bridge: Bridge | None = None
        self._wakeup: Wakeup | None = None
        self._notices = Notices(launch.notify)
        self._leaving = False
        self._quitting = False
        self._overrides = keys.check_overrides(launch.keys)

    MODES: ClassVar[dict[str, str | Callable[[], Screen[object]]]] = dict(SCREENS)

    # -- start ---------------------------------------------------------------------------------

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The last choke point: no control character of anybody's text reaches the terminal."""
        return [*super().get_line_filters(), self._safe]

    def on_mount(self) -> None:
        register(self)
        self.theme = self.launch.theme if self.launch.theme in self.available_themes else "obra-cb-dark"
        self.set_keymap({**PANE_KEYS, **self._overrides})
        self._ui_loop = asyncio.get_running_loop()
        self._ui_context = contextvars.copy_context()
        self._wakeup = Wakeup(self._drain)
        self._bridge = Bridge(self._wakeup.poke)
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """The first screen is painted: what lives until the end need not be looked at by the collector again."""
        gc.collect()
        gc.freeze()
        self._open(self._open_backend)
        if self.launch.first_screen != "live":
            self.show(self.launch.first_screen)

    def _open(self, open_backend: OpenBackend) -> None:
        self.run_worker(
            partial(self._connect, open_backend), thread=True, exit_on_error=False, group="backend", exclusive=True
        )

    def _connect(self, open_backend: OpenBackend) -> None:
        """In a worker thread: everything heavy is imported here."""
        assert self._bridge is not None
        try:
            connection = connect(open_backend, self._bridge)
        except ObraError as refused:
            self.soon(partial(self._not_opened, refused))
        except Exception as error:  # noqa: BLE001 - the edge of the thread: becomes a sentence and a file
            self.soon(partial(self._broken_start, error))
        else:
            self.soon(partial(self._opened, connection))

    def _opened(self, connection: Connection) -> None:
        if self._leaving:
            self.run_worker(connection.close, thread=True, exit_on_error=False)
            return
        self._connection = connection
        self.phase, self.failure = "Nothing is running", []
        self.hub.tell(())
        self.refresh_bindings()

    def _not_opened(self, refused: ObraError) -> None:
        self.phase = "could not start"
        self.failure = [part for part in (refused.what, refused.where, refused.fix) if part]
        self.hub.tell(())

    def _broken_start(self, error: Exception) -> None:
        path = self._save_crash(error, "while starting")
        self.phase = "could not start"
        self.failure = ["Obra could not start because of an error in Obra itself.", f"Details: {path}"]
        self.hub.tell(())

    # -- what the screens ask ------------------------------------------------------------------

    @property
    def backend(self) -> Backend | None:
        return self._connection.backend if self._connection else None

    @property
    def engine(self) -> Engine | None:
        return self._connection.backend.engine if self._connection else None

    @property
    def session(self) -> SessionId | None:
        """The session that was asked for; None = the newest."""
        return self.backend.session if self.backend else None

    def lead_parts(self) -> tuple[Part, ...]:
        """What stands first on every screen: that this is a rehearsal, or somebody else's run."""
        parts = []
        session = self.hub.view.newest_session
        name = self.launch.rehearsal or (session.rehearsal if session else "")
        if name:
            parts.append(Part(text=f"REHEARSAL {name}", tone=Tone.ASK, strong=True))
        if self.backend is not None and self.backend.viewer_of:
            parts.append(Part(text=f"looking on ({self.backend.viewer_of})", tone=Tone.WARN))
        return tuple(parts)

    def key_shown(self, key_id: str) -> str:
        """The key of a binding as people read it."""
        first = keys.keys_of(key_id, self._overrides).split(",")[0]
        return self.get_key_display(Binding(first, "none"))

    def soon(self, call: Callable[[], None]) -> None:
        """Call on the screen's thread; may be called from any thread, also after the end."""
        try:
            self._ui_loop.call_soon_threadsafe(self._guarded, call, context=self._ui_context)
        except RuntimeError:  # the loop is closed: there is no screen left to tell
            return

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - called by the loop: nobody else would see it
            self.unexpected(error, "while showing news")

    def tell(self, text: str, *, problem: bool = False) -> None:
        """A short word to the person."""
        self.notify(clean(text), severity="warning" if problem else "information", markup=False, timeout=6)

    # -- records -------------------------------------------------------------------------------

    def _drain(self) -> None:
        self._guarded(self._take)

    def _take(self) -> None:
        if self._bridge is None or self._wakeup is None:
            return
        batch = self._bridge.take()
        if batch.overflowed:
            self._listen_again()
            return
        if batch.records:
            self.hub.take(batch.records)
            self._notices.look(self, batch.records)
            if self._quitting and not self._something_works():
                self._quit()
        if batch.more:
            self._wakeup.poke()

    def _listen_again(self) -> None:
        """Too much was missed: forget the view and be told everything anew."""
        connection, bridge = self._connection, self._bridge
        if connection is None or bridge is None:
            return
        connection.unsubscribe()
        bridge.clear()
        self.hub.forget()
        backend = connection.backend
        self.run_worker(partial(self._connect, lambda: backend), thread=True, exit_on_error=False)

    def _tick(self) -> None:
        """Only what is at work changes with the clock; otherwise nothing is drawn."""
        from obra_tui.ui.screens.base import ObraScreen

        screen = self.screen
        if isinstance(screen, ObraScreen) and screen.ready and self._something_runs():
            screen.tick()

    def _something_works(self) -> bool:
        return any(task.working for task in self.hub.view.tasks.values())

    def _something_runs(self) -> bool:
        view = self.hub.view
        return bool(view.permissions or view.problems or view.waiting_gates) or any(
            task.working for task in view.tasks.values()
        )

    def write_sequence(self, text: str) -> None:
        """Write an escape sequence of our own making to the terminal."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(text)

    # -- screens -------------------------------------------------------------------------------

    def show(self, name: str) -> None:
        """Switch to a screen, making it the first time."""
        if name != self.current_mode:
            self.switch_mode(name)

    def action_show_live(self) -> None:
        self.show("live")

    def action_show_tasks(self) -> None:
        self.show("tasks")

    def action_show_gates(self) -> None:
        self.show("gates")

    def action_show_history(self) -> None:
        self.show("history")

    def action_show_setup(self) -> None:
        self.show("setup")

    def action_show_help(self) -> None:
        from obra_tui.ui.screens.help import HelpScreen, live_rows

        self.push_screen(HelpScreen(live_rows(self, self.screen)))

    def watch_task(self, task: TaskId) -> None:
        """Go to Live and stay with this task."""
        self.show("live")
        self.call_after_refresh(self._pin, task)

    def _pin(self, task: TaskId) -> None:
        if isinstance(self.screen, LiveScreen):
            self.screen.pin(task)

    def action_answer_question(self) -> None:
        """Open the oldest question; only ever because somebody asked for it."""
        self.answer_next(after=None)

    def answer_next(self, after: QuestionId | None) -> None:
        from obra_tui.ui.screens.permission import PermissionScreen

        asked = sorted(self.hub.view.permissions.values(), key=lambda item: item.asked_at)
        first = next((item for item in asked if item.id != after), None)
        if first is not None and not isinstance(self.screen, PermissionScreen):
            self.push_screen(PermissionScreen(first))

    def start_demo(self) -> None:
        """Leave the present engine and rehearse in the same screen."""
        if self.open_demo is None or self._something_works():
            self.tell("Stop the present run first.", problem=True)
            return
        connection, self._connection = self._connection, None
        self.hub.forget()
        self.phase = "starting the rehearsal…"
        self.show("live")
        self.run_worker(
            partial(self._swap, connection, self.open_demo), thread=True, exit_on_error=False, group="backend"
        )

    def _swap(self, connection: Connection | None, open_backend: OpenBackend) -> None:
        """In a worker thread: one engine ends before the next begins."""
        if connection is not None:
            connection.close()
        self._connect(open_backend)

    # -- leaving -------------------------------------------------------------------------------

    def action_ask_quit(self) -> None:
        if self._quitting or not self._something_works():
            self._quit()
            return
        from obra_tui.ui.screens.dialogs import ChoiceDialog

        self.push_screen(ChoiceDialog("A run is active", quit_choices(), first="stay"), self._quit_as)

    def _quit_as(self, answer: str | None) -> None:
        sessions = [session.id for session in self.hub.view.sessions.values() if session.running]
        match answer:
            case "after_stage":
                self._quitting = True
                self.tell("Obra quits when the present stage is done; ctrl+q quits at once.")
                for session in sessions:
                    self.requests.stop_run(session, "after_stage")
            case "now":
                for session in sessions:
                    self.requests.stop_run(session, "now")
                self._quit()
            case _:
                pass

    def _quit(self) -> None:
        if not self._leaving:
            self._leaving = True
            self.run_worker(self._leave(), exit_on_error=False)

    # -- requests ------------------------------------------------------------------------------

    def pause(self, session: SessionId) -> None:
        self.requests.pause(session)

    def resume(self, session: SessionId) -> None:
        self.requests.resume(session)

    def interrupt(self, task: TaskId) -> None:
        self.requests.interrupt(task)

    def send_text(self, task: TaskId, text: str) -> None:
        self.requests.send_text(task, text)

    def ask_new_task(self) -> None:
        """Let the person write a task and run it in a session of its own."""
        from obra_tui.ui.screens.dialogs import WriteDialog, Writing

        writing = Writing(
            title="New task",
            explanation="What shall Claude do? The first line becomes the title. It works in a copy of the project.",
            send_label="Start it",
            placeholder="Add a --verbose flag to the command line…",
        )
        self.push_screen(WriteDialog(writing), lambda text: self.requests.new_task(text) if text else None)

    def ask_cancel(self, task: TaskView) -> None:
        from obra_tui.ui.screens.dialogs import ChoiceDialog

        self.push_screen(
            ChoiceDialog(f"Cancel {task.spec.key}?", cancel_choices(task), first="none"),
            lambda answer: self.requests.cancel_task(task.id) if answer == "task" else None,
        )

    def ask_stop(self, session: SessionId, task: TaskView | None) -> None:
        """Three ways to stop, with what becomes of the work; the focus is on none of them."""
        from obra_tui.ui.screens.dialogs import ChoiceDialog

        self.push_screen(
            ChoiceDialog("Stop this run?", stop_choices(task), first="none"),
            lambda answer: self._stop(answer, session, task),
        )

    def _stop(self, answer: str | None, session: SessionId, task: TaskView | None) -> None:
        match answer:
            case "after_stage":
                self.requests.stop_run(session, "after_stage")
            case "now":
                self.requests.stop_run(session, "now")
            case "task" if task is not None:
                self.requests.cancel_task(task.id)
            case _:
                pass

    def review_oldest(self) -> None:
        """Open the gate that waits longest; only ever because somebody asked for it."""
        waiting = self.hub.view.waiting_gates
        if waiting:
            self.review(waiting[0].id)

    def review(self, gate: GateId) -> None:
        from obra_tui.ui.screens.review import ReviewScreen

        self.push_screen(ReviewScreen(gate))

    # -- the end -------------------------------------------------------------------------------

    async def _leave(self) -> None:
        """Stop the engine without blocking the screen, then go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self.phase = "stopping…"
            await asyncio.to_thread(connection.close)
        self.exit(UiResult())

    def unexpected(self, error: BaseException, what: str) -> None:
        """An error of ours that the person need not die of: a file and a sentence."""
        path = self._save_crash(error, what)
        self.tell(f"An error in Obra itself {what}. Details: {path}", problem=True)

    def _fatal_error(self) -> None:
        """Replaces Textual's report, which prints the values of variables."""
        self.bell()
        self._print_at_exit(self._exception, "in the screen")

    def panic(self, *renderables: object) -> None:
        """Replaces Textual's report for errors that draw themselves."""
        self._print_at_exit(self._exception, "in the screen")

    def _print_at_exit(self, error: BaseException | None, what: str) -> None:
        from rich.segment import Segment, Segments

        path = self._save_crash(error, what) if error is not None else None
        self._exit_renderables.append(Segments([Segment(f"{crash_sentence(path)}\n")]))
        self._return_value = UiResult(reason="crashed", crash_file=str(path or ""))
        self._close_messages_no_wait()

    def _save_crash(self, error: BaseException, what: str) -> Path | None:
        path = save_crash(error, Path(self.launch.data_dir) / "crashes", self.launch.version, what)
        self.crash_file = path or self.crash_file
        return path
