"""The Obra that is killed: everything as the program has it, but for the agent, the checks and the judge.

Runs in a forked process. What its listener hears, it notes in a file beside the
data: what was told must be there afterwards.
"""

import os
import queue
import time
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

from msgspec.structs import replace

from obra_tui.bootstrap.adapters import real_adapters
from obra_tui.bootstrap.engine import EngineHandle
from obra_tui.bootstrap.run_request import RunRequest
from obra_tui.config.load import load
from obra_tui.core import commands as do
from obra_tui.core.errors import GateDecided, UnknownId
from obra_tui.core.events import AttemptStarted, GateOpened, RunFinished
from obra_tui.core.ids import new_task_id
from obra_tui.core.model import Decision, DecisionKind, SessionKind, TaskSpec
from tests.chaos.agent import ScriptedAgent
from tests.fakes.checks import FakeCheckRunner
from tests.fakes.judge import FakeJudge

ME = "person:ada"
UNDO_S = 0.2
"""Long enough for a kill to fall into it, short enough to wait for thousands of times."""

for _room in ("agents.claude_code", "evidence.checks", "evidence.workspace", "judge", "store.journal", "store.history",
              "engine.orchestrator", "services.doctor"):  # fmt: skip
    import_module(f"obra_tui.{_room}")  # once, before the first fork


@dataclass(frozen=True, slots=True)
class Place:
    """Folders and files of one campaign."""

    root: Path
    real: tuple[tuple[str, str], ...] = ()
    """Settings by which the real Claude Code talks to scripted models; without them a shell stands in for it."""

    @property
    def repo(self):
        return self.root / "repo"

    @property
    def data(self):
        return self.root / "data"

    @property
    def told(self):
        return self.root / "told.txt"


def scripted(settings, request, models, *, but_claude=False):
    """The real adapters, but for the checks, the judge, and a shell in the place of Claude Code."""
    made = replace(real_adapters(settings, request, models), checks=FakeCheckRunner(), judge=FakeJudge())
    return made if but_claude else replace(made, claude=ScriptedAgent(models.claude.tmp_dir))


def work(place, *, tell, policy, sessions, tasks):
    """Finish what is open, then work on `sessions` new sessions of `tasks` tasks each.

    `tell` hears `u` when it runs, and `a` at each attempt.
    """
    own = {"data_dir": str(place.data), "gate.policy": policy, "gate.undo_s": UNDO_S}
    settings = load(place.repo, {**own, **dict(place.real)})
    handle = EngineHandle(
        settings, RunRequest(project=place.repo, attended=True), adapters=partial(scripted, but_claude=bool(place.real))
    )
    handle.start()
    tell(b"u")
    told = os.open(place.told, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    heard = queue.SimpleQueue()

    def listen(records):
        lines = "".join(f"{record.session} {record.seq} {record.event.type}\n" for record in records)
        os.write(told, lines.encode())
        for _ in (record for record in records if isinstance(record.event, AttemptStarted)):
            tell(b"a")
        heard.put(records)

    handle.engine.subscribe(listen)
    try:
        for session, _ in handle.parts.history.open_sessions():
            _finish(handle, session, heard)
        for _ in range(sessions):
            _finish(handle, _open(handle, tasks), heard)
    finally:
        handle.stop()


def _open(handle, tasks):
    session = handle.engine.submit(do.OpenSession(kind=SessionKind.STANDALONE, title="Chaos")).result()
    handle.engine.submit(do.AddTasks(session=session, tasks=tasks_of(tasks))).result()
    return session


def tasks_of(number):
    """Return so many tasks; the second waits for the first."""
    specs = []
    for index in range(number):
        spec = TaskSpec(id=new_task_id(), key=f"T{index}", title=f"Task {index}", prompt="Write a file.")
        specs.append(replace(spec, depends_on=("T0",)) if index == 1 else spec)
    return tuple(specs)


def _finish(handle, session, heard):
    """Run one session until it is closed, answering its gates."""
    _answer(handle, session)
    handle.engine.submit(do.Resume(session=session, by=ME)).result()
    handle.engine.submit(do.StartRun(session=session, close_when_done=True)).result()
    deadline = time.monotonic() + 30
    while session in {known for known, _ in handle.parts.history.open_sessions()}:
        if time.monotonic() > deadline:
            raise TimeoutError(f"session {session} does not come to its end")
        for record in _next(heard):
            if record.session != session:
                continue
            if isinstance(record.event, GateOpened):
                _answer(handle, session)
            elif isinstance(record.event, RunFinished) and record.event.interrupted:
                handle.engine.submit(do.Resume(session=session, by=ME)).result()


def _next(heard):
    try:
        return heard.get(timeout=1)
    except queue.Empty:
        return ()


def _answer(handle, session):
    history = handle.parts.history
    for waiting in history.gates():
        if waiting.session == session:
            gate = history.gate(waiting.id).gate
            decision = Decision(kind=DecisionKind.APPROVE, by=ME, note="chaos", override=True)
            try:
                handle.engine.submit(do.Decide(gate=gate.id, binding=gate.binding, decision=decision)).result()
            except (GateDecided, UnknownId):
                continue
