"""Delivery of jobs by procrastinate: which queue a job waits in, which queues a worker listens to.

A delivery says which job and in which epoch: the job itself stands in a table of ours, and a delivery of an older epoch
is void. So each delivery is a job of procrastinate's of its own, and one that is finished by a worker that thawed too
late finishes nothing but itself. Must not know what is in a job.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import combinations

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ProcrastinateException

from obra_tui.core.errors import ConfigError, StoreAway
from obra_tui.fleet.database import Connection, Database, rows
from obra_tui.fleet.jobs import PROTOCOL, StageKind

TASK = "obra.stage"
MOST_LABELS = 6
_LONGEST = 40
"""PostgreSQL's channels have short names, and each queue has a channel."""

OnDelivery = Callable[[str, int], Awaitable[None]]


def queue_of(kind: StageKind, *, labels: Iterable[str] = (), target: str = "") -> str:
    """Return the queue of jobs of a kind: for one worker, or for all that offer these labels."""
    place = f"@{target}" if target else "".join(f"+{label}" for label in sorted(labels))
    name = f"obra{PROTOCOL}.{kind}{place}"
    if len(name) <= _LONGEST:
        return name
    return f"obra{PROTOCOL}.{kind}#{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def queues_of(worker: str, kinds: Iterable[StageKind], labels: Sequence[str]) -> list[str]:
    """Return all queues that a worker serves: its own, and one for each choice of its labels."""
    if len(labels) > MOST_LABELS:
        raise ConfigError(
            f"A worker can offer {MOST_LABELS} labels at most.", where="--labels", fix="Leave some of them out."
        )
    choices = [choice for size in range(len(labels) + 1) for choice in combinations(sorted(labels), size)]
    return [
        name
        for kind in kinds
        for name in (queue_of(kind, target=worker), *(queue_of(kind, labels=choice) for choice in choices))
    ]


class Deliveries:
    """procrastinate on the fleet's own pool of connections."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._app = App(connector=PsycopgConnector())

    async def open(self) -> None:
        await self._app.open_async(self._database.pool)

    async def put(self, connection: Connection, job: str, epoch: int, queue: str, lock: str) -> int:
        """Deliver within the caller's transaction; returns the number of the delivery."""
        task = self._app.configure_task(TASK, allow_unknown=True, queue=queue, lock=lock, connection=connection)
        try:
            return await task.defer_async(job=job, epoch=epoch)
        except ProcrastinateException as error:
            raise StoreAway(
                "A job could not be queued.",
                where=self._database.name,
                fix="It is tried again when the database answers.",
            ) from error

    async def abort(self, connection: Connection, deliveries: Sequence[int]) -> None:
        """Take deliveries back; who carries one out is told to stop."""
        for delivery in deliveries:
            await self._app.job_manager.cancel_job_by_id_async(delivery, abort=True, connection=connection)

    async def close_void(self, connection: Connection, deliveries: Sequence[int]) -> None:
        """End deliveries whose worker is gone, so that what waits behind their lock can begin."""
        await rows(
            connection,
            "SELECT procrastinate_finish_job_v1(id, 'failed', false) FROM procrastinate_jobs"
            " WHERE id = ANY(%(ids)s) AND status IN ('todo', 'doing')",
            ids=list(deliveries),
        )

    async def serve(self, queues: Sequence[str], places: int, name: str, on_delivery: OnDelivery) -> None:
        """Carry deliveries out until cancelled; then wait for those that are under way."""

        async def stage(job: str, epoch: int) -> None:
            await on_delivery(job, epoch)

        if TASK not in self._app.tasks:
            self._app.task(name=TASK, queue=queues[0])(stage)
        await self._app.run_worker_async(
            queues=queues,
            name=name,
            concurrency=places,
            fetch_job_polling_interval=2.0,
            abort_job_polling_interval=2.0,
            install_signal_handlers=False,
        )
