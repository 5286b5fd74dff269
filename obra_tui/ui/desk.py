"""What all screens stand on: the view, the engine, and the questions that more than one of them asks.

Imported after the first paint: it brings the whole vocabulary of records with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from obra_tui.core.collector import loaded
from obra_tui.core.errors import ObraError
from obra_tui.core.ids import GateId, QuestionId, SessionId, TaskId
from obra_tui.ui import keys
from obra_tui.ui.bridge import Batch
from obra_tui.ui.choices import (
    Choice,
    by_hand_choices,
    cancel_choices,
    open_choices,
    quit_choices,
    stop_choices,
    take_over_choices,
    taken_choices,
)
from obra_tui.ui.drafts import Draft
from obra_tui.ui.hub import Hub
from obra_tui.ui.kept_back import NOTHING, KeptBack, kept_back, view_without
from obra_tui.ui.launch import Launch
from obra_tui.ui.link import Link
from obra_tui.ui.notify import Notices, run_command
from obra_tui.ui.outside import step_aside
from obra_tui.ui.plan_changes import PlanChanges
from obra_tui.ui.plan_watch import PlanWatch
from obra_tui.ui.ports import Backend, Clock, Doctor, Engine, OpenBackend
from obra_tui.ui.requests import Requests
from obra_tui.ui.state import TaskView, ViewState
from obra_tui.ui.statusline import Part
from obra_tui.ui.words import Tone

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
        self.step_aside = step_aside
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
        self._quitting = False

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
        if self._quitting and not self.works:
            self._app.leave()

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

    # -- where to go ---------------------------------------------------------------------------

    def show(self, name: str) -> None:
        self._app.show(name)

    def watch_task(self, task: TaskId) -> None:
        """Go to Live and stay with this task."""
        from obra_tui.ui.screens.live import LiveScreen

        def pin() -> None:
            if isinstance(self._app.screen, LiveScreen):
                self._app.screen.pin(task)

        self.show("live")
        self._app.call_after_refresh(pin)

    def search_history(self, line: str) -> None:
        """Go to History and show what this line finds."""
        from obra_tui.ui.screens.history import HistoryScreen

        def search() -> None:
            if isinstance(self._app.screen, HistoryScreen):
                self._app.screen.search(line)

        self.show("history")
        self._app.call_after_refresh(search)

    def review_oldest(self) -> None:
        """Open the gate that waits longest; only ever because somebody asked for it."""
        waiting = self.hub.view.waiting_gates
        if waiting:
            self.review(waiting[0].id)

    def review(self, gate: GateId) -> None:
        from obra_tui.ui.screens.review import ReviewScreen

        self._app.push_screen(ReviewScreen(gate))

    def undo_last(self) -> None:
        """Take back an answer to a gate that was not carried out yet: that of the gate on screen, else the last."""
        held = self.hub.view.held_gates
        if held:
            shown = self._gate_shown
            self.requests.undo(next((gate.id for gate in held if gate.id == shown), held[0].id))

    @property
    def _gate_shown(self) -> GateId | None:
        from obra_tui.ui.screens.base import ObraScreen

        screen = self._app.screen
        return screen.gate_shown if isinstance(screen, ObraScreen) else None

    @property
    def revertible(self) -> TaskView | None:
        """The task whose accepted work can be taken back: that of the gate on screen, else the last one."""
        view = self.hub.view
        gate = view.gates.get(shown) if (shown := self._gate_shown) else None
        task = view.tasks.get(gate.task) if gate else view.revertible
        taken = task is not None and task.acceptance is not None and task.reverted is None
        return task if taken else None

    def ask_revert(self) -> None:
        """Let the person take accepted work back, with a reason."""
        from obra_tui.ui.screens.dialogs import WriteDialog, Writing

        task = self.revertible
        if task is None or task.acceptance is None:
            return
        taken = task.acceptance
        later = [
            other.spec.key for other in self.hub.view.tasks_of(task.session) if task.spec.key in other.spec.depends_on
        ]
        built = f" {', '.join(later)} may build on it." if later else ""
        writing = Writing(
            title=f"Revert {task.spec.key}",
            explanation=f"It was taken in as {taken.commit[:12]} on {taken.branch}. One more commit there undoes it; "
            f"nothing else is touched, and the task stays accepted in the history.{built}",
            send_label="Revert the commit",
            placeholder="Why is it not wanted any more?",
        )

        def written(text: str | None) -> None:
            if text is not None:
                self.requests.revert(task.session, task.id, text)

        self._app.push_screen(WriteDialog(writing), written)

    def answer_next(self, after: QuestionId | None = None) -> None:
        """Open the oldest question of Claude; only ever because somebody asked for it."""
        from obra_tui.ui.screens.permission import PermissionScreen

        asked = sorted(self.hub.view.permissions.values(), key=lambda item: item.asked_at)
        first = next((item for item in asked if item.id != after), None)
        if first is not None and not isinstance(self._app.screen, PermissionScreen):
            self._app.push_screen(PermissionScreen(first))

    def edit_prompt(self, task: TaskView | None) -> None:
        """Show the prompt that waits; without one, ask for the next one of this task to wait, or no longer."""
        from obra_tui.ui.screens.prompt import PromptScreen

        waiting = sorted((item for item in self.hub.view.tasks.values() if item.held_prompt is not None), key=_since)
        held = task if task is not None and task.held_prompt is not None else next(iter(waiting), None)
        if held is not None and held.held_prompt is not None:
            self._app.push_screen(PromptScreen(held.id, held.held_prompt, self.prompt_drafts.get(held.id)))
        elif task is not None:
            self.requests.hold_prompt(task.id, on=not task.hold_next)

    def take_over(self, task: TaskView) -> None:
        """Let the person work in the copy themselves, and say what becomes of it."""
        if task.taken_by:
            self._choose(f"{task.spec.key} is in your hands", taken_choices(task.spec.key), partial(self._taken, task))
            return

        def answered(answer: str) -> None:
            if answer in ("shell", "editor"):
                self.requests.take_over(task.id, lambda: self._work_there(task, answer))

        self._choose(f"Take {task.spec.key} over?", by_hand_choices(), answered)

    def _taken(self, task: TaskView, answer: str) -> None:
        match answer:
            case "check" | "claude":
                self.requests.give_back(task.id, answer)
            case "shell" | "editor":
                self._work_there(task, answer)
            case _:
                pass

    def _work_there(self, task: TaskView, where: str) -> None:
        problem = self.step_aside(self._app, "shell" if where == "shell" else "editor", task.copy_path)
        if problem:
            self.tell(problem, problem=True)
        self._choose(f"Back from {task.spec.key}", taken_choices(task.spec.key), partial(self._taken, task))

    def show_rules(self) -> None:
        """List what was allowed for the session."""
        from obra_tui.ui.screens.rules import RulesScreen

        self._app.push_screen(RulesScreen())

    def start_demo(self) -> None:
        """Leave the present engine and rehearse in the same screen."""
        if self.open_demo is None or self.works:
            self.tell("Stop the present run first.", problem=True)
            return
        self.hub.forget()
        self.phase = "starting the rehearsal…"
        self.open(self.open_demo)
        self.show("live")

    # -- questions -----------------------------------------------------------------------------

    def ask_new_task(self) -> None:
        """Let the person write a task and run it in a session of its own."""
        from obra_tui.ui.screens.dialogs import WriteDialog, Writing

        writing = Writing(
            title="New task",
            explanation="What shall Claude do? The first line becomes the title. It works in a copy of the project.",
            send_label="Start it",
            placeholder="Add a --verbose flag to the command line…",
        )
        self._app.push_screen(WriteDialog(writing), lambda text: self.requests.new_task(text) if text else None)

    def ask_cancel(self, task: TaskView) -> None:
        def answered(answer: str) -> None:
            if answer == "task":
                self.requests.cancel_task(task.id)

        self._choose(f"Cancel {task.spec.key}?", cancel_choices(task), answered)

    def ask_open(self, task: TaskView, back: Callable[[], None]) -> None:
        """Let the person work in the copy of a task; `back` is called when they come back."""

        def answered(answer: str) -> None:
            if answer not in ("shell", "editor"):
                return
            problem = self.step_aside(self._app, "shell" if answer == "shell" else "editor", task.copy_path)
            if problem:
                self.tell(problem, problem=True)
            else:
                back()

        self._choose(f"Open the copy of {task.spec.key}", open_choices(task.copy_path), answered)

    def ask_stop(self, session: SessionId, task: TaskView | None) -> None:
        """Ways to stop, with what becomes of the work; the focus is on none of them."""

        def answered(answer: str) -> None:
            match answer:
                case "after_stage":
                    self.requests.stop_run(session, "after_stage")
                case "now":
                    self.requests.stop_run(session, "now")
                case "task" if task is not None:
                    self.requests.cancel_task(task.id)
                case _:
                    pass

        self._choose("Stop this run?", stop_choices(task), answered)

    def ask_quit(self) -> None:
        """Quit at once when nothing is at work; else ask, with the focus on staying."""
        if self._quitting or not self.works or (self.backend is not None and self.backend.viewer_of):
            self._app.leave()
        else:
            self._choose("A run is active", quit_choices(), self._quit_as)

    def ask_take_over(self, open_backend: OpenBackend) -> None:
        """The other Obra has ended: its work can be taken over, or looked at as it is."""

        def answered(answer: str) -> None:
            if answer == "take_over":
                self.hub.forget()
                self.open(open_backend)

        self._choose("The other Obra has ended", take_over_choices(), answered)

    def _quit_as(self, answer: str) -> None:
        running = [session.id for session in self.hub.view.sessions.values() if session.running]
        match answer:
            case "after_stage":
                self._quitting = True
                self.tell("Obra quits when the present stage is done; ctrl+q quits at once.")
                for session in running:
                    self.requests.stop_run(session, "after_stage")
            case "now":
                for session in running:
                    self.requests.stop_run(session, "now")
                self._app.leave()
            case _:
                pass

    def _choose(self, title: str, choices: list[Choice], answered: Callable[[str], None]) -> None:
        from obra_tui.ui.screens.dialogs import ChoiceDialog

        self._app.push_screen(ChoiceDialog(title, choices, first=choices[0].id), lambda answer: answered(answer or ""))


def _since(task: TaskView) -> float:
    return task.held_since
