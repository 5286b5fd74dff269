"""Commands to the engine, one method per key; answers and refusals become sentences. Nothing here waits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol, cast

from obra_tui.core import commands as c
from obra_tui.core.errors import ObraError
from obra_tui.core.ids import GateId, SessionId, TaskId
from obra_tui.core.model import SessionKind, TaskSpec
from obra_tui.core.plans.sources import typed_task

if TYPE_CHECKING:
    from obra_tui.core.ports import Engine
    from obra_tui.ui.launch import LaunchOptions

Done = Callable[[object], None]
Failed = Callable[[ObraError], None]
_HANDED = {
    True: "Your change is checked and judged now, without Claude.",
    False: "Nothing was changed in the copy: the gate is as it was.",
}


class CommandHost(Protocol):
    """What the sender needs of the services."""

    @property
    def launch(self) -> LaunchOptions: ...
    @property
    def engine(self) -> Engine | None: ...
    def notify(self, text: str, *, problem: bool = False) -> None: ...
    def report_error(self, error: BaseException, what: str) -> None: ...
    def call_soon(self, call: Callable[[], None]) -> None:
        """Call on the screen's thread; from any thread."""
        ...


class CommandSender:
    """Sends commands; tells the person what was refused and why."""

    def __init__(self, host: CommandHost) -> None:
        self._host = host

    def send(self, command: c.Command, on_done: Done | None = None, on_failed: Failed | None = None) -> None:
        """Submit `command`; its answer comes to `on_done` or `on_failed` on the screen's thread."""
        engine = self._host.engine
        if engine is None:
            self._host.notify("Obra is still starting; try again in a moment.", problem=True)
            return
        future = engine.submit(command)
        future.add_done_callback(
            lambda ended: self._host.call_soon(partial(self._on_ended, ended, command, on_done, on_failed))
        )

    def _on_ended(
        self, future: Future[object], command: c.Command, on_done: Done | None, on_failed: Failed | None
    ) -> None:
        try:
            answer = future.result(timeout=0)
        except ObraError as refused:
            if on_failed is not None:
                on_failed(refused)
            else:
                self._host.notify(str(refused), problem=True)
        except CancelledError:
            self._host.notify("Obra's engine was stopped before it could answer.", problem=True)
        except Exception as error:  # noqa: BLE001 - the edge between the threads: becomes a sentence and a file
            self._host.report_error(error, f"while answering {type(command).__name__}")
        else:
            if on_done is not None:
                on_done(answer)

    # -- one request per key -------------------------------------------------------------------

    def pause(self, session: SessionId) -> None:
        self.send(c.Pause(session=session, by=self._by), self._say("Pauses after the current stage."))

    def resume(self, session: SessionId) -> None:
        self.send(c.Resume(session=session, by=self._by), lambda _: self._run(session))

    def _run(self, session: SessionId) -> None:
        self.send(c.StartRun(session=session))

    def stop_run(self, session: SessionId, mode: Literal["after_stage", "now"]) -> None:
        said = "Stops after this stage." if mode == "after_stage" else "Stopping; the work is kept."
        self.send(c.StopRun(session=session, mode=mode, by=self._by), self._say(said))

    def undo(self, gate: GateId) -> None:
        self.send(c.UndoDecision(gate=gate, by=self._by), self._say("Undone: the gate waits again."))

    def revert(self, session: SessionId, task: TaskId, note: str) -> None:
        self.send(
            c.RevertWork(session=session, task=task, by=self._by, note=note),
            lambda commit: self._host.notify(f"Reverted by commit {str(commit)[:12]}."),
        )

    def hand_back(self, gate: GateId) -> None:
        """Say that the person worked in the copy themselves."""
        self.send(c.HandBack(gate=gate, by=self._by), lambda changed: self._host.notify(_HANDED[bool(changed)]))

    def cancel_task(self, task: TaskId) -> None:
        self.send(c.CancelTask(task=task, by=self._by), self._say("The task was cancelled; its work is kept."))

    def run_from(self, task: TaskId) -> None:
        self.send(c.RunFrom(task=task, by=self._by), self._say("Runs from here; what comes before is held."))

    def interrupt(self, task: TaskId) -> None:
        self.send(c.InterruptClaude(task=task, by=self._by), self._say("Claude was interrupted; write to it with m."))

    def hold_prompt(self, task: TaskId, *, on: bool) -> None:
        said = "The next prompt waits for you before Claude gets it." if on else "The next prompt goes out by itself."
        self.send(c.HoldPrompt(task=task, by=self._by, on=on), self._say(said))

    def take_over(self, task: TaskId, on_done: Callable[[], None]) -> None:
        """Interrupt what works on the task; `on_done` is called when the copy is the person's."""
        self.send(c.TakeOver(task=task, by=self._by), lambda _: on_done())

    def give_back(self, task: TaskId, then: Literal["check", "claude"]) -> None:
        goes_on = "it is checked and judged as yours" if then == "check" else "Claude goes on from there"

        def on_files(files: object) -> None:
            changed = f"{len(files)} changed" if isinstance(files, tuple | list) and files else "nothing was changed"
            self._host.notify(f"Handed back ({changed}): {goes_on}.")

        self.send(c.GiveBack(task=task, by=self._by, then=then), on_files)

    def send_text(self, task: TaskId, text: str) -> None:
        self.send(c.SendText(task=task, text=text, by=self._by))

    def new_task(self, prompt: str) -> None:
        """Open a standalone session with one task and start it."""
        spec = typed_task(prompt)
        opened = c.OpenSession(kind=SessionKind.STANDALONE, title=spec.title, project=self._host.launch.project)
        self.send(opened, lambda session: self._fill(cast(SessionId, session), spec))

    def _fill(self, session: SessionId, spec: TaskSpec) -> None:
        started = c.StartRun(session=session, close_when_done=True)
        self.send(c.AddTasks(session=session, tasks=(spec,), by=self._by), lambda _: self.send(started))

    @property
    def _by(self) -> str:
        return self._host.launch.person

    def _say(self, text: str) -> Done:
        return lambda _: self._host.notify(text)
