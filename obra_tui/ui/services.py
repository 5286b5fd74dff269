"""What all screens share: the view, the connection to the engine, actions, and words for the person.

One per app, on the screen's thread. Imported after the first paint: it brings the whole vocabulary of records with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import Any

from textual.app import App
from textual.screen import Screen

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record, StandingChanged
from obra_tui.core.ids import GateId, SessionId, TaskId
from obra_tui.core.judging.authority import change_words
from obra_tui.core.ports import Clock, Engine
from obra_tui.notices.channels import run_command
from obra_tui.system.gc_tuning import loaded
from obra_tui.ui import keys
from obra_tui.ui.actions.confirm import Confirmations
from obra_tui.ui.actions.plan_changes import PlanChanges, PlanFileWatch
from obra_tui.ui.actions.takeover import TakeoverActions
from obra_tui.ui.actions.undo import UndoActions
from obra_tui.ui.connection.bridge import RecordBatch
from obra_tui.ui.connection.commands import CommandSender
from obra_tui.ui.connection.engine_connection import EngineConnection
from obra_tui.ui.connection.view_store import ViewStore
from obra_tui.ui.host import Host
from obra_tui.ui.launch import LaunchOptions
from obra_tui.ui.navigator import Navigator
from obra_tui.ui.notify import Notifications
from obra_tui.ui.ports import Backend, DeliverNotices, Doctor, OpenBackend
from obra_tui.ui.state import ViewState
from obra_tui.ui.view.blinding import Blinded, blinded_by, blinded_by_audits, redact_view
from obra_tui.ui.view.review_draft import ReviewDraft
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart


class AppServices:
    """Implements `host.Services`, and listens to the connection."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.launch: LaunchOptions = host.launch
        self.clock: Clock = host.clock
        self.doctor: Doctor = host.doctor
        self.open_demo: OpenBackend | None = host.open_demo
        self.view_store = ViewStore()
        self.commands = CommandSender(self)
        self.confirm = Confirmations(host, self)
        self.plan_changes = PlanChanges(self)
        self.plan_file = PlanFileWatch(self, self.plan_changes)
        self.takeover = TakeoverActions(host, self, self.confirm)
        self.undo = UndoActions(host, self, self.confirm)
        self.prompt_drafts: dict[TaskId, str] = {}
        """Prompts that the person began to change and did not send yet."""
        self.navigator = Navigator(host, self, self.prompt_drafts)
        self.phase = "starting…"
        self.failure: list[str] = []
        self.drafts: dict[GateId, ReviewDraft] = {}
        """What was prepared at gates and not sent yet."""
        self.blind = False
        """The judge's score stays hidden until the person gave their own."""
        self._store_fault: ObraError | None = None
        self._deliver: DeliverNotices | None = None
        self._connection = EngineConnection(host, self)
        self._notifications = Notifications(
            self.launch.notify, self._run_notice if self.launch.notify_command else None
        )

    # -- the engine ----------------------------------------------------------------------------

    @property
    def backend(self) -> Backend | None:
        return self._connection.backend

    @property
    def engine(self) -> Engine | None:
        return self._connection.engine

    @property
    def session(self) -> SessionId | None:
        """The session that was asked for; None = the newest."""
        return self.backend.session if self.backend else None

    def open(self, open_backend: OpenBackend) -> None:
        self._connection.open(open_backend)

    def start_demo(self) -> None:
        """Leave the current engine and rehearse in the same screen."""
        if self.open_demo is None or self.is_working:
            self.notify("Stop the present run first.", problem=True)
            return
        self.view_store.reset()
        self.phase = "starting the rehearsal…"
        self.open(self.open_demo)
        self.navigator.show("live")

    def close(self) -> None:
        """Blocks up to 2 s, so call it from a thread."""
        self.plan_file.stop()
        self._connection.close()

    @property
    def view(self) -> ViewState:
        return self.view_store.view

    @property
    def blinded(self) -> Blinded:
        """Whose scores blind mode, or an audit, hides now."""
        return blinded_by(self.view, self.drafts) if self.blind else blinded_by_audits(self.view)

    @property
    def visible_view(self) -> ViewState:
        """The view as the person may see it now."""
        return redact_view(self.view, self.blinded)

    @property
    def is_working(self) -> bool:
        """Something is at work now that quitting would end."""
        return any(task.working for task in self.view.tasks.values())

    @property
    def is_ticking(self) -> bool:
        """Something on screen changes with the clock."""
        view = self.view
        return self.is_working or bool(view.permissions or view.problems or view.waiting_gates or view.held_gates)

    # -- the connection's callbacks ------------------------------------------------------------

    def on_opened(self) -> None:
        loaded()
        self.phase, self.failure = "Nothing is running", []
        if self.backend is not None and self.backend.plans is not None:
            self.backend.plans.on_problem(lambda error: self.call_soon(lambda: self.notify(str(error), problem=True)))
        self.plan_file.follow()
        self._redraw()

    def on_refused(self, error: ObraError) -> None:
        self.phase = "could not start"
        self.failure = [part for part in (error.what, error.where, error.fix) if part]
        self._redraw()

    def on_failure(self, error: Exception) -> None:
        path = self._host.save_crash(error, "while starting")
        self.phase = "could not start"
        self.failure = ["Obra could not start because of an error in Obra itself.", f"Details: {path}"]
        self._redraw()

    def on_store_changed(self, error: ObraError | None) -> None:
        """Nothing can be recorded any more, or it can again: no record can say either."""
        self._store_fault = error
        words = f"Nothing can be recorded, so nothing goes on. {error}" if error else "Recording works again."
        self.notify(words, problem=error is not None)
        self._redraw()

    def on_batch(self, batch: RecordBatch) -> None:
        if not batch.records:
            return
        self.view_store.apply(batch.records, batch.passed)
        self.plan_file.follow()
        for sequence in self._notifications.of(batch.records, self.view, self.clock.now(), self._host.has_focus):
            self._host.write_sequence(sequence)
        self._deliver_notices(batch.records)
        for record in batch.records:
            if isinstance(record.event, StandingChanged):
                told = record.event
                words = change_words(told.model, told.before, told.after, told.why)
                self.notify(words, problem=told.after < told.before)
        self.confirm.leave_when_done()

    def _deliver_notices(self, records: Sequence[Record]) -> None:
        if self._deliver is None and self.backend is not None and self.backend.start_notices is not None:
            self._deliver = self.backend.start_notices(
                lambda text: self.call_soon(lambda: self.notify(text, problem=True))
            )
        if self._deliver is not None:
            self._deliver(records, self._host.has_focus)

    def on_reset(self) -> None:
        self.view_store.reset()

    def run_guarded(self, call: Callable[[], None]) -> None:
        """Call for the loop, where nobody else would see an error."""
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the edge of the loop: becomes a sentence and a file
            self.report_error(error, "while showing news")

    def _redraw(self) -> None:
        self.view_store.publish(())
        self._host.refresh_bindings()

    # -- threads -------------------------------------------------------------------------------

    def in_thread(self, work: Callable[[], None]) -> None:
        """Let a worker thread do what blocks."""
        self._host.in_thread(work, "services")

    def call_soon(self, call: Callable[[], None]) -> None:
        """Call on the screen's thread; may be called from any thread."""
        self._host.call_soon(call)

    def _run_notice(self, kind: str, words: str) -> None:
        """Run the person's own command, in a thread."""

        def run() -> None:
            problem = run_command(self.launch.notify_command, kind, words)
            if problem:
                self.call_soon(lambda: self.notify(problem, problem=True))

        self._host.in_thread(run, "notice")

    # -- words ---------------------------------------------------------------------------------

    def lead_parts(self) -> tuple[StatusPart, ...]:
        """What stands first on every screen: that this is a rehearsal, or somebody else's run."""
        return tuple(self._lead_parts())

    def _lead_parts(self) -> Iterator[StatusPart]:
        session = self.view.newest_session
        name = self.launch.rehearsal or (session.rehearsal if session else "")
        if name:
            yield StatusPart(text=f"REHEARSAL {name}", tone=Tone.ASK, strong=True)
        if self._store_fault is not None:
            yield StatusPart(text=f"READ-ONLY: {self._store_fault.what}", tone=Tone.FAIL, strong=True, urgent=True)
        if self.backend is not None and self.backend.viewer_of:
            yield StatusPart(text=f"viewer ({self.backend.viewer_of})", tone=Tone.WARN)

    def rehearsal_part(self, name: str) -> StatusPart:
        """That what is shown is a rehearsal, unless the status line begins with it anyway."""
        text = f"REHEARSAL {name}" if name else ""
        said = any(part.text == text for part in self.lead_parts())
        return StatusPart(text="" if said else text, tone=Tone.ASK, strong=True, urgent=True)

    def key_label(self, key_id: str) -> str:
        """The key of a binding as people read it."""
        return self._host.key_name(self._key(key_id))

    def press(self, key_id: str) -> None:
        """Press the key of a binding for the person, as a click on what names it does."""
        self._host.press_key(self._key(key_id))

    def _key(self, key_id: str) -> str:
        return keys.keys_of(key_id, self._host.overrides).split(",")[0]

    def notify(self, text: str, *, problem: bool = False, for_s: float | None = None) -> None:
        """Show a short sentence for some seconds, or for as long as it is of use."""
        self._host.show_notice(text, problem=problem, for_s=for_s)

    def show_notices_on(self, screen: Screen[Any]) -> None:
        self._host.show_notices_on(screen)

    def report_error(self, error: BaseException, what: str) -> None:
        """An error in Obra that the app survives: a file and a sentence."""
        path = self._host.save_crash(error, what)
        self.notify(f"An error in Obra itself {what}. Details: {path}", problem=True)

    @property
    def project_name(self) -> str:
        return PurePath(self.launch.project).name or "Tasks"

    def redact(self, text: str) -> str:
        """A text without the secrets in it."""
        archive = self.backend.archive if self.backend else None
        return archive.clean(text) if archive is not None else text

    def copy(self, text: str, what: str = "") -> None:
        """Copy a text; `what` names it when it is too long to be shown."""
        clean = self.redact(text)
        self._host.copy_to_clipboard(clean)
        left_out = " A secret was left out of the copy." if clean != text else ""
        self.notify(f"Copied {what}.{left_out}" if what else f"Copied: {clean}{left_out}", problem=bool(left_out))


def services_of(app: App[Any]) -> AppServices:
    """Return the services of the app; screens are made only when they are there."""
    services: AppServices = app.services  # type: ignore[attr-defined]
    return services
