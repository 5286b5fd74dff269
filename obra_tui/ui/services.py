"""What all screens stand on: the view, the engine and its news, and words for the person.

Imported after the first paint: it brings the whole vocabulary of records with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

from obra_tui.core.errors import ObraError
from obra_tui.core.ids import GateId, SessionId, TaskId
from obra_tui.core.ports import Engine
from obra_tui.system.gc_tuning import loaded
from obra_tui.ui import keys
from obra_tui.ui.actions.confirm import Asking
from obra_tui.ui.actions.plan_changes import PlanChanges
from obra_tui.ui.actions.plan_watch import PlanWatch
from obra_tui.ui.actions.takeover import ByHand
from obra_tui.ui.actions.undo import TakingBack
from obra_tui.ui.commands import Requests
from obra_tui.ui.connection.bridge import Batch
from obra_tui.ui.connection.engine_connection import Link
from obra_tui.ui.connection.view_store import Hub
from obra_tui.ui.drafts import Draft
from obra_tui.ui.launch import Launch
from obra_tui.ui.navigator import Going
from obra_tui.ui.notify import Notices, run_command
from obra_tui.ui.ports import Backend, Clock, Doctor, OpenBackend
from obra_tui.ui.state import ViewState
from obra_tui.ui.statusline import Part
from obra_tui.ui.view.blinding import NOTHING, KeptBack, kept_back, view_without
from obra_tui.ui.view.status_words import Tone

if TYPE_CHECKING:
    from obra_tui.ui.app import ObraApp


class Desk:
    """One per app; lives on the screen's thread."""

    def __init__(self, app: ObraApp) -> None:
        self._app = app
        self.launch: Launch = app.launch
        self.clock: Clock = app.clock
        self.doctor: Doctor = app.doctor
        self.open_demo: OpenBackend | None = app.open_demo
        self.hub = Hub()
        self.requests = Requests(self)
        self.plan_changes = PlanChanges(self)
        self.plan_watch = PlanWatch(self)
        self.go = Going(app, self)
        self.asking = Asking(app, self)
        self.by_hand = ByHand(app, self)
        self.taking_back = TakingBack(app, self)
        self.prompt_drafts: dict[TaskId, str] = {}
        """Prompts that the person began to change and did not send yet."""
        self.phase = "starting…"
        self.failure: list[str] = []
        self.reviews: dict[GateId, Draft] = {}
        """What was prepared at gates and not sent yet."""
        self.blind = False
        """The judge's number stays hidden until the person gave their own."""
        self._store_fault: ObraError | None = None
        self._link = Link(app, self)
        self._notices = Notices(app.launch.notify, self._run_notice if app.launch.notify_command else None)

    # -- the engine ----------------------------------------------------------------------------

    @property
    def backend(self) -> Backend | None:
        return self._link.backend

    @property
    def engine(self) -> Engine | None:
        return self._link.engine

    @property
    def session(self) -> SessionId | None:
        """The session that was asked for; None = the newest."""
        return self.backend.session if self.backend else None

    def open(self, open_backend: OpenBackend) -> None:
        self._link.open(open_backend)

    def close(self) -> None:
        """Blocks up to 2 s, so call it from a thread."""
        self.plan_watch.stop()
        self._link.close()

    @property
    def kept_back(self) -> KeptBack:
        """Whose numbers blind mode hides now."""
        return kept_back(self.hub.view, self.reviews) if self.blind else NOTHING

    @property
    def seen(self) -> ViewState:
        """The view as the person may see it now."""
        return view_without(self.hub.view, self.kept_back)

    def opened(self) -> None:
        loaded()
        self.phase, self.failure = "Nothing is running", []
        if self.backend is not None and self.backend.plans is not None:
            self.backend.plans.on_problem(lambda error: self.soon(lambda: self.tell(str(error), problem=True)))
        self.plan_watch.follow()
        self._redraw()

    def refused(self, error: ObraError) -> None:
        self.phase = "could not start"
        self.failure = [part for part in (error.what, error.where, error.fix) if part]
        self._redraw()

    def broken(self, error: Exception) -> None:
        path = self._app.save_crash(error, "while starting")
        self.phase = "could not start"
        self.failure = ["Obra could not start because of an error in Obra itself.", f"Details: {path}"]
        self._redraw()

    def store_changed(self, error: ObraError | None) -> None:
        """Nothing can be recorded any more, or it can again: neither can be told by a record."""
        self._store_fault = error
        words = f"Nothing can be recorded, so nothing goes on. {error}" if error else "Recording works again."
        self.tell(words, problem=error is not None)
        self._redraw()

    def took(self, batch: Batch) -> None:
        if not batch.records:
            return
        self.hub.take(batch.records, batch.passed)
        self.plan_watch.follow()
        for sequence in self._notices.of(batch.records, self.hub.view, self.clock.now(), self._app.app_focus):
            self._app.write_sequence(sequence)
        self.asking.leave_when_done()

    def _run_notice(self, kind: str, words: str) -> None:
        """Run the person's own command, in a thread."""

        def run() -> None:
            problem = run_command(self.launch.notify_command, kind, words)
            if problem:
                self.soon(lambda: self.tell(problem, problem=True))

        self._app.in_thread(run, "notice")

    def forget(self) -> None:
        self.hub.forget()

    def _redraw(self) -> None:
        self.hub.tell(())
        self._app.refresh_bindings()

    @property
    def works(self) -> bool:
        """Something is at work now that quitting would end."""
        return any(task.working for task in self.hub.view.tasks.values())

    @property
    def ticks(self) -> bool:
        """Something on screen changes with the clock."""
        view = self.hub.view
        return self.works or bool(view.permissions or view.problems or view.waiting_gates or view.held_gates)

    # -- words ---------------------------------------------------------------------------------

    def lead_parts(self) -> tuple[Part, ...]:
        """What stands first on every screen: that this is a rehearsal, or somebody else's run."""
        return tuple(self._lead_parts())

    def _lead_parts(self) -> Iterator[Part]:
        session = self.hub.view.newest_session
        name = self.launch.rehearsal or (session.rehearsal if session else "")
        if name:
            yield Part(text=f"REHEARSAL {name}", tone=Tone.ASK, strong=True)
        if self._store_fault is not None:
            yield Part(text=f"READ-ONLY: {self._store_fault.what}", tone=Tone.FAIL, strong=True, urgent=True)
        if self.backend is not None and self.backend.viewer_of:
            yield Part(text=f"looking on ({self.backend.viewer_of})", tone=Tone.WARN)

    def key_shown(self, key_id: str) -> str:
        """The key of a binding as people read it."""
        return self._app.key_name(keys.keys_of(key_id, self._app.overrides).split(",")[0])

    def press(self, key_id: str) -> None:
        """Press the key of a binding for the person, as a click on what names it does."""
        self._app.simulate_key(keys.keys_of(key_id, self._app.overrides).split(",")[0])

    def tell(self, text: str, *, problem: bool = False) -> None:
        self._app.tell(text, problem=problem)

    def unexpected(self, error: BaseException, what: str) -> None:
        """An error of ours that the person need not die of: a file and a sentence."""
        path = self._app.save_crash(error, what)
        self.tell(f"An error in Obra itself {what}. Details: {path}", problem=True)

    def guarded(self, call: Callable[[], None]) -> None:
        """Call for the loop, where nobody else would see an error."""
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the edge of the loop: becomes a sentence and a file
            self.unexpected(error, "while showing news")

    @property
    def project_name(self) -> str:
        return PurePath(self.launch.project).name or "Tasks"

    def in_thread(self, work: Callable[[], None]) -> None:
        """Let a worker thread do what blocks."""
        self._app.in_thread(work, "desk")

    def soon(self, call: Callable[[], None]) -> None:
        """Call on the screen's thread; may be called from any thread."""
        self._app.soon(call)

    def clean(self, text: str) -> str:
        """A text without the secrets in it."""
        archive = self.backend.archive if self.backend else None
        return archive.clean(text) if archive is not None else text

    def copy(self, text: str, what: str = "") -> None:
        """Copy a text; `what` names it when it is too long to be shown."""
        self._app.copy_to_clipboard(text)
        self.tell(f"Copied {what}" if what else f"Copied: {self.clean(text)}")
