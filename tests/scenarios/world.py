"""The engine with scripted rooms around it: no threads, no processes, no time."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from obra_tui.core import commands as do
from obra_tui.core.events import (
    GateJudged,
    PermissionAsked,
    ProblemRaised,
    PromptSent,
    RunFinished,
    SessionClosed,
    TaskMoved,
)
from obra_tui.core.gate import GateRules
from obra_tui.core.ids import new_task_id
from obra_tui.core.model import Decision, DecisionKind, SessionKind, TaskSpec
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.orchestrator import Orchestrator
from tests.fakes.checks import FakeCheckRunner
from tests.fakes.clock import FakeClock
from tests.fakes.implementer import FakeImplementer, Play
from tests.fakes.journal import MemoryJournal
from tests.fakes.judge import FakeJudge
from tests.fakes.workspace import FakeWorkspace

ME = "person:ada"
WRITES = Play(writes={"calc.py": "def add(a, b):\n    return a + b\n"})


def play(text, **fields):
    """A run that writes `text` into `calc.py`."""
    return Play(writes={"calc.py": text}, **fields)


class FolderWorkspace(FakeWorkspace):
    """The fake workspace with its copies in real folders, where the fake Claude writes."""

    def __init__(self, root: Path):
        super().__init__()
        self._root = root
        self._fake_path = {}

    async def prepare(self, session, task, base):
        copy = await super().prepare(session, task, base)
        folder = self._root / task
        if not folder.exists():
            folder.mkdir(parents=True)
            for name, text in self._copies[copy.path][1].items():
                (folder / name).write_text(text, encoding="utf-8")
        self._fake_path[str(folder)] = copy.path
        return replace(copy, path=str(folder))

    async def rebase(self, session, task, diff, tip):
        copy = await super().rebase(session, task, diff, tip)
        folder = self._root / task
        for old in folder.iterdir():
            old.unlink()
        for name, text in self._copies[copy.path][1].items():
            (folder / name).write_text(text, encoding="utf-8")
        return replace(copy, path=str(folder))

    async def take_diff(self, copy):
        fake = self._fake_path[copy.path]
        tree = self._copies[fake][1]
        tree.clear()
        tree.update({p.name: p.read_text("utf-8") for p in Path(copy.path).iterdir() if p.is_file()})
        return await super().take_diff(replace(copy, path=fake))


def task(key="T001", **fields):
    return TaskSpec(id=new_task_id(), key=key, title=f"Task {key}", prompt=f"Do {key}.", **fields)


class _Nowhere(MemoryJournal):
    """Takes everything and keeps nothing."""

    def append(self, records):
        pass


class World:
    patience_s = 10.0

    def __init__(self, tmp_path, *, plays=(WRITES,), rules=None, judge=(), attended=True, **config):
        self.implementer = FakeImplementer(plays)
        self.workspace = FolderWorkspace(tmp_path)
        self.checks = FakeCheckRunner()
        self.judge = FakeJudge(*judge)
        self.journal = MemoryJournal()
        self.clock = FakeClock()
        self.config = EngineConfig(
            project="/project",
            rules=rules or GateRules(),
            attended=attended,
            **{"wait_for_limit_s": 3600.0, **config},
        )
        self.told = []
        self._news = asyncio.Event()
        self.orchestrator = self.boot()
        self.session = None

    def boot(self):
        """Start an orchestrator on what the journal holds, as after a crash."""
        ports = Ports(
            implementer=self.implementer,
            workspace=self.workspace,
            checks=self.checks,
            judge=self.judge,
            journal=self.journal,
            ledger=self.journal,
            clock=self.clock,
        )
        self.orchestrator = Orchestrator(ports, self.config)
        self.orchestrator.start()
        self.orchestrator.subscribe(self._listen)
        return self.orchestrator

    async def crash(self):
        """End the orchestrator as `kill -9` does: what it does from now on reaches neither journal nor listeners."""
        old = self.orchestrator
        old._outbox._journal = _Nowhere()
        old._outbox._listeners = []
        for run in old._runs.values():
            run._halted = True
            for job in tuple(run._jobs.values()):
                job.cancel()
            await asyncio.gather(*run._jobs.values(), return_exceptions=True)
        self.boot()

    def _listen(self, records):
        self.told.extend(records)
        self._news.set()

    async def run(self, *tasks, kind=SessionKind.MILESTONE, close=True):
        """Open a session with these tasks and start it."""
        self.session = await self.do(do.OpenSession(kind=kind, title="Plan"))
        await self.do(do.AddTasks(session=self.session, tasks=tasks or (task(),)))
        await self.do(do.StartRun(session=self.session, close_when_done=close))

    async def do(self, command):
        return await self.orchestrator.handle(command)

    async def until(self, wanted, count=1):
        """Wait until `count` told events satisfy `wanted` (a class or a predicate); return the last one."""
        test = (lambda event: isinstance(event, wanted)) if isinstance(wanted, type) else wanted
        async with asyncio.timeout(self.patience_s):
            while len(found := [e for e in self.events() if test(e)]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]

    async def finished(self, count=1):
        return await self.until(RunFinished, count)

    async def decide(self, kind, note="", gate=None, **fields):
        """Answer the gate of the (only) waiting task, as a person who looks at it now."""
        opened = gate or self.gate()
        decision = Decision(kind=kind, by=ME, note=note, **fields)
        await self.do(do.Decide(gate=opened.id, binding=opened.binding, decision=decision))

    async def approve(self, note="", **fields):
        await self.decide(DecisionKind.APPROVE, note, **fields)

    # --- looking ---

    def gate(self):
        (opened,) = self.journal.open_gates()
        return opened

    def work(self, session=None):
        return self.orchestrator._runs[session or self.session].work

    def state(self, key="T001"):
        return self.work().by_key()[key].state

    def task_id(self, key="T001"):
        return self.work().by_key()[key].spec.id

    def events(self, kind=object):
        return [record.event for record in self.told if isinstance(record.event, kind)]

    def prompts(self):
        return [event.text for event in self.events(PromptSent)]

    def lines(self):
        return [event.quality.line for event in self.events(GateJudged)]

    def reasons(self):
        return [(event.after.value, event.reason) for event in self.events(TaskMoved)]

    def problems(self):
        return [event.code for event in self.events(ProblemRaised)]

    def questions(self):
        return [event.question for event in self.events(PermissionAsked)]

    def closed(self):
        return bool(self.events(SessionClosed))
