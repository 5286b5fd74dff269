"""The coordinator's live connection to its workers: puts jobs, follows them, sweeps.

One task hears the database's notices, one looks around every second for what no notice told. Whoever follows a job is
woken and reads. Must not know what a stage does.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from os import getpid

from msgspec import Struct

from obra_tui.core.errors import ObraError, OwnerChanged, StoreError, WorkspaceError
from obra_tui.core.ids import new_id
from obra_tui.core.json_form import from_text
from obra_tui.fleet.board import UP, Board, BoardLine, JobStanding, WorkerRow
from obra_tui.fleet.database import Database
from obra_tui.fleet.jobs import Code, ImplementStage, JobState, StageKind
from obra_tui.fleet.ports import Carrier, WorkParcel
from obra_tui.fleet.queues import Deliveries

_LOOK_EVERY_S = 1.0
_LEAST_S = 0.02
"""Between two readings of one job: what comes in a burst is read together."""
_PATIENCE_S = 1.0
_LINES_AT_ONCE = 2000
_TIDY_EVERY_S = 600.0
_KEEP_HOURS = 24.0

FINAL = frozenset({JobState.ENDED, JobState.LOST, JobState.WITHDRAWN})


class JobChange(Struct, frozen=True, kw_only=True):
    """How a job stands, and what was written since the last look."""

    standing: JobStanding
    lines: tuple[BoardLine, ...]


class FleetOptions(Struct, frozen=True, kw_only=True):
    """What the settings say of handing work out."""

    project: str
    setup: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    """What a worker must offer to get work of this project."""
    blob_limit: int = 256_000_000
    """Largest bundle that goes through the database, in bytes."""


class Dispatcher:
    """Hands jobs out for one project; opened and closed on the engine's loop."""

    def __init__(self, url: str, carrier: Carrier, options: FleetOptions, version: str) -> None:
        self._database = Database(url)
        self._deliveries = Deliveries(self._database)
        self._version = version
        self.board = Board(self._database, self._deliveries)
        self.carrier = carrier
        self.options = options
        self._woken: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._bases: dict[str, asyncio.Lock] = {}

    async def open(self) -> None:
        """Connect, take the fleet over, bring home what was done for an earlier coordinator. Raises `StoreError`."""
        await self._database.open()
        await self._deliveries.open()
        left = await self.board.open(f"{socket.gethostname()}, process {getpid()}", self._version)
        for standing in left:
            with suppress(WorkspaceError):  # its copy is gone, or it is another project's: the bundle stays
                await self._bring_home(standing)
        self._tasks = [
            asyncio.create_task(self._database.listen(UP, self._wake, self._wake_all), name="fleet: listen"),
            asyncio.create_task(self._look_around(), name="fleet: look around"),
        ]

    async def _bring_home(self, standing: JobStanding) -> None:
        code = standing.code
        if code is not None and code.project == self.options.project and code.blob:
            path = from_text(ImplementStage, standing.stage).request.cwd
            await self.bring(path, code)
            await self.board.brought(standing.id)

    async def bring(self, path: str, code: Code) -> None:
        """Make a copy here what a worker has stored. Raises `WorkspaceError` when it is none of the same base."""
        if await self.carrier.base_of(path) != code.base:
            raise WorkspaceError("The copy was made anew meanwhile.", where=path, fix="Resume the task.")
        data = await self.board.blob(code.blob)
        await self.carrier.unpack(path, data, code.commit, left_out=code.left_out, ignored=code.ignored)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._database.close()

    # --- jobs ---

    async def changes(self, job: str) -> AsyncIterator[JobChange]:
        """Yield what changes about a job, in order, until it is final. An outage of the database is waited out."""
        woken = self._woken[job] = asyncio.Event()
        epoch = seq = 0
        try:
            while True:
                woken.clear()
                standing, lines = await self._patiently(job, epoch, seq)
                if lines:
                    epoch, seq = lines[-1].epoch, lines[-1].seq
                yield JobChange(standing=standing, lines=tuple(lines))
                if len(lines) == _LINES_AT_ONCE:
                    continue
                if standing.state in FINAL:
                    return
                await asyncio.sleep(_LEAST_S)
                await woken.wait()
        finally:
            self._woken.pop(job, None)

    async def _patiently(self, job: str, epoch: int, seq: int) -> tuple[JobStanding, list[BoardLine]]:
        while True:
            try:
                return await self.board.read(job, epoch, seq)
            except StoreError:
                await asyncio.sleep(_PATIENCE_S)

    async def withdraw(self, job: str) -> None:
        """Take a job back if the database can be reached; else its worker ends it by itself when its lease has run."""
        with suppress(StoreError):
            await self.board.withdraw(job)

    async def workers_for(self, kind: StageKind, labels: tuple[str, ...] = ()) -> list[WorkerRow]:
        found = await self.board.workers()
        return [worker for worker in found if kind in worker.kinds and set(labels) <= set(worker.labels)]

    # --- code ---

    async def code_of(self, path: str, *, taken: bool = False) -> Code:
        """Put the files of a copy, and the commit that it began from, where workers find them."""
        base = await self.carrier.base_of(path)
        await self._put_base(base)
        parcel = await self.carrier.pack_taken(path) if taken else await self.carrier.pack(path)
        if parcel is None:
            raise WorkspaceError("Nothing was taken from this copy yet.", where=path, fix="This is a fault of Obra.")
        blob = new_id("b")
        self._refuse_large(parcel.data)
        await self.board.put_blob(blob, parcel.data)
        return _code(self.options, base, blob, parcel)

    async def _put_base(self, base: str) -> None:
        project = self.options.project
        async with self._bases.setdefault(base, asyncio.Lock()):
            if await self.board.has_base(project, base):
                return
            after = await self.board.newest_base(project)
            try:
                data = await self.carrier.base_bundle(base, (after,) if after else ())
            except WorkspaceError:  # the last one is unknown here, or holds all of this one
                after, data = "", await self.carrier.base_bundle(base, ())
            self._refuse_large(data)
            await self.board.put_base(project, base, after, new_id("b"), data)

    def _refuse_large(self, data: bytes) -> None:
        if len(data) > self.options.blob_limit:
            raise WorkspaceError(
                f"The code to send is larger than {self.options.blob_limit // 1_000_000} MB.",
                fix="Raise fleet.blob_mb, or keep large files out of the repository.",
            )

    # --- beside ---

    def _wake(self, job: str) -> None:
        if woken := self._woken.get(job):
            woken.set()

    def _wake_all(self) -> None:
        for woken in self._woken.values():
            woken.set()

    async def _look_around(self) -> None:
        """Sweep, and wake whoever missed a notice."""
        looks = 0
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            looks += 1
            try:
                await self.board.sweep()
                if looks % round(_TIDY_EVERY_S / _LOOK_EVERY_S) == 0:
                    await self.board.forget_before(_KEEP_HOURS)
            except OwnerChanged:
                return
            except ObraError:
                continue  # it is tried again in a second
            finally:
                self._wake_all()


def _code(options: FleetOptions, base: str, blob: str, parcel: WorkParcel) -> Code:
    return Code(
        project=options.project,
        base=base,
        blob=blob,
        commit=parcel.commit,
        left_out=parcel.left_out,
        ignored=parcel.ignored,
        setup=options.setup,
    )
