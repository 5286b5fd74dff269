"""Answers to gates: bound to exact content, one per gate, and delayed for a while in which they can be undone.

Knows gates and what an answer leads to; its callers look up the sessions.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import NoReturn, assert_never

from obra_tui.core import commands as do
from obra_tui.core.errors import GateDecided, NotAllowed, ObraError, StaleDecision, UnknownId, Unwritable
from obra_tui.core.events import DecisionHeld, DecisionMade, DecisionUndone, WorkHandedBack
from obra_tui.core.ids import GateId, SessionId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import Binding, Decision, DecisionKind, Finding
from obra_tui.core.ports import EngineClock
from obra_tui.engine.acceptance import read_session, revert_work
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.prompts import changes_prompt
from obra_tui.engine.session_run import SessionRun
from obra_tui.engine.task_journal import moved
from obra_tui.engine.work import TaskWork


class DelayedDecisions:
    def __init__(self, clock: EngineClock, carry_out: Callable[[GateId], Awaitable[None]]) -> None:
        self._clock = clock
        self._carry_out = carry_out
        self._waiting: dict[GateId, asyncio.Task[None]] = {}

    def hold(self, gate: GateId, until: float) -> None:
        """Carry the answer out at `until` (epoch seconds), at once when that is past."""
        self.drop(gate)
        waits = asyncio.create_task(self._wait(gate, until), name=f"undo of {gate}")
        self._waiting[gate] = waits
        waits.add_done_callback(lambda done: self._waiting.pop(gate, None) if self._waiting.get(gate) is done else None)

    def drop(self, gate: GateId) -> None:
        """Forget the answer; it is not carried out."""
        waits = self._waiting.pop(gate, None)
        if waits is not None:
            waits.cancel()

    def drop_all(self) -> tuple[GateId, ...]:
        """Stop waiting and return the gates whose answers were not carried out yet."""
        gates = tuple(self._waiting)
        for gate in gates:
            self.drop(gate)
        return gates

    async def _wait(self, gate: GateId, until: float) -> None:
        left = until - self._clock.now()
        if left > 0:
            await self._clock.sleep(left)
        # From here on it cannot be undone: `drop` finds nothing to cancel.
        self._waiting.pop(gate, None)
        with contextlib.suppress(Unwritable):  # it stays held, and is held anew when writing works again
            await self._carry_out(gate)


_TRIGGER_OF = {
    DecisionKind.APPROVE: Trigger.APPROVE,
    DecisionKind.CHANGES: Trigger.REQUEST_CHANGES,
    DecisionKind.REJECT: Trigger.REJECT,
}


class Gates:
    """The gates of all open sessions."""

    def __init__(
        self, ports: Ports, config: EngineConfig, outbox: Outbox, runs: Mapping[SessionId, SessionRun]
    ) -> None:
        self._ports = ports
        self._config = config
        self._outbox = outbox
        self._runs = runs
        self._holds = DelayedDecisions(ports.clock, self._carry_out)

    def take_up(self, tasks: Iterable[TaskWork]) -> None:
        """Go on holding what was held when an earlier Obra ended."""
        for task in tasks:
            if task.held is not None:
                self._holds.hold(task.held.gate, task.held.until)

    async def settle_all(self) -> None:
        """Let every answer that could still be undone stand."""
        for gate in self._holds.drop_all():
            await self._carry_out(gate, go_on=False)

    async def change(self, command: do.HandBack | do.UndoDecision | do.RevertWork) -> object:
        """Change what a gate is about, or take an answer back. Raises one of `core.errors`; nothing is changed then."""
        match command:
            case do.UndoDecision(gate=gate, by=by):
                self.undo(gate, by)
            case do.HandBack(gate=gate, by=by):
                return await self.hand_back(gate, by)
            case do.RevertWork():
                return await self.revert(command)
            case _:
                assert_never(command)
        return None

    async def decide(self, command: do.Decide) -> None:
        """Take the first answer to a gate. Raises `NotAllowed` and has changed nothing when it cannot stand."""
        run, task = self._find(command.gate)
        gate = task.gate
        assert gate is not None
        if task.held is not None:
            self._refuse_answered(command.gate)
        if command.binding != gate.binding:
            raise StaleDecision(gate.id, "the work")
        if command.decision.kind is DecisionKind.APPROVE:
            self._refuse_author(task, command.decision.by)
        check_decision(command.decision, passes=task.quality is not None and task.quality.passes_gate)
        if command.decision.kind is DecisionKind.APPROVE:
            if task.diff is None or task.diff.empty:
                raise NotAllowed(
                    "Nothing was changed: there is nothing to accept.", fix="Ask for changes, or reject it."
                )
            await self._check_unchanged(task, gate.id, command.binding)
        if task.gate is not gate or task.held is not None:
            self._refuse_answered(command.gate)
        if self._config.undo_s > 0:
            self._hold(run, task, command)
        else:
            self._make(run, task, command.decision)
            self._follow_up(run, task, command.decision.by)

    def _refuse_author(self, task: TaskWork, by: str) -> None:
        if self._config.other_approver and by in task.authors:
            raise NotAllowed(
                f"{task.spec.key} was asked for, or worked on, by {by}: somebody else must approve it.",
                fix="Ask another person, or send it back with what is to change (gate.other_approver).",
            )

    def _make(self, run: SessionRun, task: TaskWork, decision: Decision) -> None:
        """Write the answer to the task's gate and the move that it leads to."""
        gate = task.gate
        assert gate is not None
        move = moved(task, _TRIGGER_OF[decision.kind], decision.note)
        made = DecisionMade(gate=gate.id, binding=gate.binding, decision=decision)
        ids = (task.spec.id, task.attempt)
        self._outbox.commit(run.work.id, [(*ids, made), (*ids, move)])

    def _hold(self, run: SessionRun, task: TaskWork, command: do.Decide) -> None:
        until = self._ports.clock.now() + self._config.undo_s
        held = DecisionHeld(gate=command.gate, binding=command.binding, decision=command.decision, until=until)
        self._outbox.commit(run.work.id, [(task.spec.id, task.attempt, held)])
        self._holds.hold(command.gate, until)

    async def hand_back(self, gate_id: GateId, by: str) -> bool:
        """Return whether the person changed the work; it is then checked and judged anew, as theirs."""
        run, task = self._find(gate_id)
        gate = task.gate
        assert gate is not None
        assert task.copy is not None
        now = await self._ports.workspace.take_diff(task.copy)
        if (now.tree, now.digest) == (gate.binding.tree, gate.binding.diff_digest):
            return False
        if task.gate is not gate or task.held is not None:
            self._refuse_answered(gate_id)
        move = moved(task, Trigger.HAND_BACK, f"Changed by hand by {by}.")
        ids = (task.spec.id, task.attempt)
        self._outbox.commit(run.work.id, [(*ids, WorkHandedBack(gate=gate_id, by=by)), (*ids, move)])
        run.start(close_when_done=False)
        return True

    def undo(self, gate: GateId, by: str) -> None:
        """Take back an answer that is still held. Raises `NotAllowed` when there is none."""
        found = self._find_held(gate)
        if found is None:
            raise NotAllowed(
                f"The answer to gate {gate} cannot be undone any more.",
                fix="It was carried out, or there is none. `obra review --undo GATE --note …` reverts accepted work.",
            )
        self._holds.drop(gate)
        self._write_undone(*found, DecisionUndone(gate=gate, by=by))

    async def revert(self, command: do.RevertWork) -> str:
        """Take accepted work back, also that of a closed session; returns the commit that does so."""
        run = self._runs.get(command.session)
        work = run.work if run else read_session(self._ports.ledger, command.session, self._config.project)
        return await revert_work(self._ports, self._outbox, work, command)

    def next_prompt(self, gate: GateId, note: str, chosen: tuple[Finding, ...]) -> str:
        """Return the prompt that a request for changes with this note and these findings would send."""
        _, task = self._find(gate)
        decision = Decision(kind=DecisionKind.CHANGES, by="", note=note, chosen=chosen)
        return changes_prompt(task.number + 1, decision, task.checks, task.notes)

    async def _carry_out(self, gate: GateId, *, go_on: bool = True) -> None:
        """The time to undo is over: make the held decision, if it still is about what is there."""
        found = self._find_held(gate)
        if found is None:
            return  # the task was cancelled meanwhile
        run, task = found
        held = task.held
        assert held is not None
        if held.decision.kind is DecisionKind.APPROVE:
            try:
                await self._check_unchanged(task, gate, held.binding)
            except ObraError as error:
                if task.held is held:
                    self._write_undone(run, task, DecisionUndone(gate=gate, by="policy", reason=str(error)))
                return
        if task.held is not held:
            return
        self._make(run, task, held.decision)
        if go_on or task.state is State.ACCEPTING:
            self._follow_up(run, task, held.decision.by)

    def _follow_up(self, run: SessionRun, task: TaskWork, by: str) -> None:
        if task.state is State.QUEUED:
            run.renew_budgets(by)
        if task.state is State.ACCEPTING:
            run.accept_now(task)
        elif task.state is State.QUEUED and run.work.started:
            run.start(close_when_done=False)
        else:
            run.settle()

    async def _check_unchanged(self, task: TaskWork, gate: GateId, binding: Binding) -> None:
        assert task.copy is not None
        now = await self._ports.workspace.take_diff(task.copy)
        if (now.tree, now.digest) != (binding.tree, binding.diff_digest):
            raise StaleDecision(gate, "the files in the copy")

    def _write_undone(self, run: SessionRun, task: TaskWork, undone: DecisionUndone) -> None:
        self._outbox.commit(run.work.id, [(task.spec.id, task.attempt, undone)])

    # --- finding them ---

    def _find(self, gate: GateId) -> tuple[SessionRun, TaskWork]:
        for run in self._runs.values():
            for task in run.work.tasks.values():
                if task.gate is not None and task.gate.id == gate:
                    return run, task
        return self._refuse_answered(gate)

    def _find_held(self, gate: GateId) -> tuple[SessionRun, TaskWork] | None:
        for run in self._runs.values():
            for task in run.work.tasks.values():
                if task.held is not None and task.held.gate == gate:
                    return run, task
        return None

    def _refuse_answered(self, gate: GateId) -> NoReturn:
        """Say who was first, or that there is no such gate."""
        for run in self._runs.values():
            if gate in run.work.answered:
                by, at = run.work.answered[gate]
                raise GateDecided(gate, by, clock_time(at))
        raise UnknownId(f"There is no open gate {gate}.", fix="`obra review` lists the gates that wait.")


def check_decision(decision: Decision, *, passes: bool) -> None:
    """Refuse an answer that lacks what it needs. Raises `NotAllowed` with what is missing."""
    note = decision.note.strip()
    match decision.kind:
        case DecisionKind.APPROVE if not passes and not (decision.override and note):
            raise NotAllowed(
                "This work does not pass the gate: an approval needs a reason.",
                fix="Say why it is right nevertheless; it is stored as an override.",
            )
        case DecisionKind.APPROVE if decision.overridden and not note:
            raise NotAllowed(
                f"Approving goes against this: {decision.overridden[0]}", fix="Say why it is right nevertheless."
            )
        case DecisionKind.CHANGES if not (note or decision.chosen or decision.prompt.strip()):
            raise NotAllowed(
                "A request for changes needs a note or a chosen finding.", fix="Say what Claude should change."
            )
        case DecisionKind.REJECT if not note:
            raise NotAllowed("A rejection needs a reason.", fix="Say why the work is not wanted.")


def clock_time(at: float) -> str:
    """Return the local time of day, as people read it."""
    return datetime.fromtimestamp(at).strftime("%H:%M:%S")
