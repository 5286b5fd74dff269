"""A coordinator's ports and workers on a real PostgreSQL database, with scripted agents and cables that can be cut."""

import asyncio
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from obra_tui.core.ids import new_attempt_id, new_claude_session_id, new_task_id
from obra_tui.core.model import ImplementRequest, TaskSpec
from obra_tui.evidence.bundles import Bundles, Mirror
from obra_tui.evidence.copies import project_key
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace
from obra_tui.fleet.database import Database
from obra_tui.fleet.desk import WorkerCard
from obra_tui.fleet.dispatch import Dispatcher, FleetOptions
from obra_tui.fleet.evidence import FleetCheckRunner, FleetJudge
from obra_tui.fleet.implementer import FleetImplementer
from obra_tui.fleet.jobs import StageKind
from obra_tui.fleet.worker import Worker, WorkerOptions
from tests.agents.stage import Person
from tests.evidence.scene import make_scene
from tests.fakes.checks import FakeCheckRunner
from tests.fakes.implementer import FakeImplementer
from tests.fakes.judge import FakeJudge

PATIENCE_S = 30.0
SOCKET = ".s.PGSQL.5432"


async def eventually(holds):
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.02)


class Cable:
    """A way to the server that can be cut: what is connected hangs, and nothing new gets through."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self.folder = Path(tempfile.mkdtemp(prefix="ob"))
        self._tasks = set()
        self._whole = asyncio.Event()
        self._whole.set()

    async def open(self):
        self._listening = await asyncio.start_unix_server(self._connect, self.folder / SOCKET)

    def cut(self):
        self._whole.clear()

    def mend(self):
        self._whole.set()

    async def close(self):
        self.mend()
        self._listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        with suppress(OSError, asyncio.CancelledError):  # only when the cable is taken away
            to_server, from_here = await asyncio.open_unix_connection(self._server / SOCKET)
            await asyncio.gather(self._pump(reader, from_here), self._pump(to_server, writer))

    async def _pump(self, source, target):
        with suppress(OSError):
            while data := await source.read(65536):
                await self._whole.wait()
                target.write(data)
                await target.drain()
        target.close()


class Tools:
    """A worker's rooms: real copies, scripted agents, checks and judge."""

    def __init__(self, data_dir: Path, plays) -> None:
        self._data_dir = data_dir
        self.implementer = FakeImplementer(plays)
        self.judge = FakeJudge()
        self.checks = FakeCheckRunner()
        self._project = None

    def mirror(self, project):
        return Mirror(self._data_dir / "fleet" / f"{project}.git")

    def project(self, project, setup):
        if self._project is None:
            mirror = self.mirror(project).directory
            sandbox = Sandbox(data_dir=self._data_dir)
            workspace = GitWorkspace(project=mirror, data_dir=self._data_dir, sandbox=sandbox, is_mirror=True)
            self._project = SimpleNamespace(workspace=workspace, carrier=Bundles(workspace), checks=self.checks)
        return self._project


@dataclass
class RigWorker:
    worker: Worker
    tools: Tools
    cable: Cable
    running: asyncio.Task
    said: list = field(default_factory=list)

    @property
    def fake(self):
        return self.tools.implementer


class Rig:
    def __init__(self, server, root: Path, lease_s: float = 1.5) -> None:
        self.server = server
        self.root = root
        self.lease_s = lease_s
        self.url = server.empty_database()
        self.scene = make_scene(root / "here")
        self.person = Person()
        self.events = []
        self.workers = []
        self.options = FleetOptions(project=project_key(self.scene.project))

    async def open(self):
        self.dispatcher = Dispatcher(self.url, Bundles(self.scene.workspace), self.options, "test")
        await self.dispatcher.open()
        self.implementer = FleetImplementer(self.dispatcher)
        self.here = FakeCheckRunner()
        self.checks = FleetCheckRunner(self.dispatcher, self.here)
        self.judge_here = FakeJudge()
        self.judge = FleetJudge(self.dispatcher, self.judge_here)
        return self

    async def close(self):
        await self.implementer.close()
        for worker in self.workers:
            worker.cable.mend()
            worker.worker.drain()
            worker.worker.drain()
        await asyncio.gather(*(worker.running for worker in self.workers), return_exceptions=True)
        for worker in self.workers:
            await worker.cable.close()

    async def work(self, name, *plays, kinds=tuple(StageKind), labels=(), places=2):
        """Start a worker and wait until it takes jobs."""
        cable = Cable(self.server.folder)
        await cable.open()
        tools = Tools(self.root / name, plays)
        said = []
        card = WorkerCard(
            instance="", name=name, owner=f"test, {name}", host="test", pid=1, version="test", kinds=kinds,
            labels=labels, places=places, sandbox="none", sandbox_note="",
        )  # fmt: skip
        url = self.url.replace(str(self.server.folder), str(cable.folder))
        options = WorkerOptions(
            url=url, lease_s=self.lease_s, checkpoint_s=0.2, redact=lambda event: event, say=said.append
        )
        worker = Worker(card, tools, options)
        started = RigWorker(worker, tools, cable, asyncio.create_task(worker.run()), said)
        self.workers.append(started)
        await eventually(lambda: any("takes" in line for line in said) or started.running.done())
        if started.running.done():
            self.workers.remove(started)
            await cable.close()
            started.running.result()
        return started

    async def copy(self):
        self.task = new_task_id()
        return await self.scene.workspace.prepare(self.scene.session, self.task, await self.scene.workspace.head())

    async def request(self, prompt="Write it.", **given):
        copy = await self.copy() if "cwd" not in given else None
        return ImplementRequest(
            task=given.pop("task", self.task),
            attempt=new_attempt_id(),
            prompt=prompt,
            cwd=given.pop("cwd", copy.path if copy else ""),
            claude_session=given.pop("claude_session", new_claude_session_id()),
            **given,
        )

    async def start(self, request):
        return await self.implementer.start(request, self.events.append, self.person)

    async def run(self, request):
        conversation = await self.start(request)
        async with asyncio.timeout(PATIENCE_S):
            return await conversation.finished()

    def spec(self, task):
        return TaskSpec(id=task, key="T1", title="Do it", prompt="Do it.")

    async def rows(self, query, **given):
        return await self.dispatcher._database.rows(query, **given)

    async def rows_after_close(self, *statements):
        database = Database(self.url)
        await database.open()
        for statement in statements:
            await database.rows(statement)
        await database.close()

    def texts(self):
        return [getattr(event, "text", "") for event in self.events]
