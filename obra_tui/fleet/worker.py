"""A worker: takes jobs as long as its lease runs, and is done with all of them before anybody else can have them.

The lease is renewed three times as often as needed, by the server's clock. A worker that cannot renew ends its agents
when two thirds of the lease have passed; one that was given up for dead in the meantime begins a new life, without its
old jobs. Must not know what a stage does.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.errors import StoreAway, StoreError
from obra_tui.core.events import Event
from obra_tui.core.ids import new_claude_session_id, new_id
from obra_tui.fleet.board import DOWN
from obra_tui.fleet.database import Database
from obra_tui.fleet.desk import Desk, WorkerCard
from obra_tui.fleet.jobs import Claim
from obra_tui.fleet.ports import Tools
from obra_tui.fleet.queues import Deliveries, queues_of
from obra_tui.fleet.schema import NoFleet
from obra_tui.fleet.stages import ClaimedStage
from obra_tui.system.clock import since_boot

_RENEWALS = 3
_GIVE_UP = 2 / 3
"""Part of the lease after which the agents are ended; the rest is for them to die in."""
_LOOK_EVERY_S = 1.0
_AGAIN_S = 1.0


class WorkerOptions(Struct, frozen=True, kw_only=True):
    """How a worker works."""

    url: str
    lease_s: float = 30.0
    checkpoint_s: float = 10.0
    redact: Callable[[Event], Event]
    say: Callable[[str], None]
    """Tells whoever watches this worker's own output."""


class Worker:
    """One worker process; `run` returns when it was drained or ended."""

    def __init__(self, card: WorkerCard, tools: Tools, options: WorkerOptions) -> None:
        self._card = card
        self._tools = tools
        self._options = options
        self._database = Database(options.url, most=max(4, 2 * card.places + 4))
        self._deliveries = Deliveries(self._database)
        self._desk = Desk(self._database, self._deliveries, options.lease_s)
        self._stages: dict[str, ClaimedStage] = {}
        self._held: set[str] = set()
        """Jobs that are being claimed or worked on."""
        self._is_lost = False
        """The lease was given up: what the server still takes for ours is not worked on."""
        self._ending = False
        self._until = 0.0
        self._serving: asyncio.Task[None] | None = None

    # --- from outside ---

    def drain(self) -> None:
        """Take no more jobs and end with those that are under way; asked a second time, give those back at once."""
        if self._ending:
            self._giving_back = asyncio.ensure_future(self._give_all_back())
            return
        self._ending = True
        self._draining = asyncio.ensure_future(self._tell_draining())
        if self._serving is not None:
            self._serving.cancel()  # it waits for what is under way

    async def _tell_draining(self) -> None:
        with suppress(StoreError):  # told again with the lease
            await self._desk.set_state(self._card.instance, "draining")

    async def _give_all_back(self) -> None:
        await asyncio.gather(*(stage.give_back() for stage in tuple(self._stages.values())))

    # --- the life of a worker ---

    async def run(self) -> None:
        """Work until drained. Raises `StoreError` when it cannot begin."""
        beside: list[asyncio.Task[None]] = []
        try:
            await self._begin()
            beside = [
                asyncio.create_task(self._renew(), name="fleet: renew"),
                asyncio.create_task(self._watch(), name="fleet: watch"),
                asyncio.create_task(
                    self._database.listen(DOWN, self._look_at, self._look_at_all), name="fleet: listen"
                ),
                asyncio.create_task(self._look_around(), name="fleet: look around"),
            ]
            self._options.say(f"{self._card.name} takes {', '.join(self._card.kinds)}, {self._card.places} at once.")
            await self._serve()
            with suppress(StoreError):
                await self._desk.set_state(self._card.instance, "left")
            self._options.say(f"{self._card.name} has ended.")
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._database.close()

    async def _begin(self) -> None:
        """Connect and register, however long the server and the coordinator take. Raises `StoreError` for the rest."""
        told = ""
        while not self._ending:
            try:
                await self._database.open()
                await self._deliveries.open()
                return await self._register()
            except (StoreAway, NoFleet) as error:
                if error.what != told:
                    self._options.say(f"{self._card.name} waits. {error}")
                told = error.what
            await asyncio.sleep(_AGAIN_S)
        return None

    async def _register(self) -> None:
        since = since_boot()
        self._card = replace(self._card, instance=new_id("w"))
        await self._desk.register(self._card)
        self._until = since + self._options.lease_s * _GIVE_UP

    async def _serve(self) -> None:
        """Carry out deliveries; begin again when the server was away."""
        card = self._card
        queues = queues_of(card.name, card.kinds, card.labels)
        while not self._ending:
            self._serving = asyncio.create_task(
                self._deliveries.serve(queues, card.places, card.name, self._on_delivery), name="fleet: serve"
            )
            await asyncio.wait((self._serving,))
            if not self._serving.cancelled() and self._serving.exception() is None:
                continue
            if not self._ending:  # the server was away, or took this worker for dead
                await asyncio.sleep(_AGAIN_S)

    async def _on_delivery(self, job: str, epoch: int) -> None:
        self._held.add(job)
        try:
            await self._claim(job, epoch)
        finally:
            self._held.discard(job)

    async def _claim(self, job: str, epoch: int) -> None:
        if self._is_lost:
            return  # the coordinator delivers it again
        try:
            claim = await self._desk.claim(job, epoch, self._card, new_claude_session_id())
        except StoreError:
            return  # it is given back with the next renewal, if it was claimed
        if claim is not None:
            await self._carry_out(claim)

    async def _carry_out(self, claim: Claim) -> None:
        job, options = claim.id, self._options
        stage = ClaimedStage(claim, self._desk, self._tools, redact=options.redact, checkpoint_s=options.checkpoint_s)
        self._stages[job] = stage
        options.say(f"{self._card.name}: {claim.kind} of {claim.task} (epoch {claim.epoch})")
        try:
            await stage.run()
        finally:
            self._stages.pop(job, None)

    # --- the lease ---

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._options.lease_s / _RENEWALS)
            with suppress(StoreError):  # `_watch` sees that the time passes
                await self._renew_once()

    async def _renew_once(self) -> None:
        since = since_boot()
        state = None if self._is_lost else await self._desk.renew(self._card.instance)
        if state is None:
            self._options.say(f"{self._card.name} lost its lease; its jobs are others' now. It begins anew.")
            self._abandon_all()
            await self._register()
            self._is_lost = False
            return
        self._until = since + self._options.lease_s * _GIVE_UP
        await self._desk.give_back_strays(self._card.instance, tuple(self._held))
        if self._ending:
            await self._desk.set_state(self._card.instance, "draining")
        elif state == "draining":
            self._options.say(f"{self._card.name} was asked to drain.")
            self.drain()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(max(0.05, min(1.0, self._until - since_boot())))
            if self._held and not self._is_lost and self._until <= since_boot():
                self._is_lost = True
                self._options.say(f"{self._card.name} cannot renew its lease: its agents are ended.")
                self._abandon_all()

    def _abandon_all(self) -> None:
        for stage in tuple(self._stages.values()):
            stage.abandon()

    # --- what the coordinator says ---

    def _look_at(self, job: str) -> None:
        if stage := self._stages.get(job):
            self._looks = asyncio.ensure_future(stage.look())

    def _look_at_all(self) -> None:
        for job in tuple(self._stages):
            self._look_at(job)

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            await asyncio.gather(*(stage.look() for stage in tuple(self._stages.values())))
