"""How a fleet stands: workers, what runs where, what waits; read from the tables by anybody who may.

Changes nothing but one thing: a worker can be asked to drain. Must not know who shows it.
"""

import msgspec
from msgspec import Struct

from obra_tui.core.errors import NotAllowed, UnknownId
from obra_tui.fleet import schema
from obra_tui.fleet.database import Database

_DAY = "clock_timestamp() - interval '1 day'"


class CoordinatorStatus(Struct, frozen=True, kw_only=True):
    name: str
    version: str
    generation: int
    seen_s: float
    """Seconds since it last looked after its workers; above some seconds it is not at work."""


class WorkerStatus(Struct, frozen=True, kw_only=True):
    name: str
    host: str
    pid: int
    version: str
    state: str
    """`working`, `draining` or `dead`: its lease has run out, or its jobs were taken away."""
    kinds: tuple[str, ...]
    labels: tuple[str, ...]
    places: int
    busy: int
    lease_s: float
    """Seconds until its jobs are given to others; negative when that is past."""


class JobStatus(Struct, frozen=True, kw_only=True):
    id: str
    kind: str
    task: str
    attempt: str
    state: str
    worker: str
    """Who has it, or who alone may have it."""
    labels: tuple[str, ...]
    epoch: int
    seconds: float
    """Since it was claimed; while it waits, since it was put."""


class Count(Struct, frozen=True, kw_only=True):
    """How many jobs of a kind came to an end within a day."""

    kind: str
    state: str
    number: int


class FleetStatus(Struct, frozen=True, kw_only=True):
    coordinator: CoordinatorStatus
    workers: tuple[WorkerStatus, ...]
    jobs: tuple[JobStatus, ...]
    """Those that wait or run, the oldest first."""
    ended: tuple[Count, ...]
    taken_away: int
    """Jobs that were taken from dead workers within a day."""


_COORDINATOR = """
SELECT coordinator AS name, version, generation,
    extract(epoch FROM clock_timestamp() - seen_at)::float8 AS seen_s
FROM fleet_state
"""
_WORKERS = """
SELECT DISTINCT ON (name) name, host, pid, version, kinds, labels, places,
    CASE WHEN lease_until <= clock_timestamp() THEN 'dead' ELSE state END AS state,
    (SELECT count(*) FROM fleet_job j WHERE j.state = 'running' AND j.instance = w.instance) AS busy,
    extract(epoch FROM lease_until - clock_timestamp())::float8 AS lease_s
FROM fleet_worker w WHERE state IN ('working', 'draining')
    OR state = 'dead' AND lease_until > clock_timestamp() - interval '1 hour'
ORDER BY name, started_at DESC
"""
_JOBS = """
SELECT id, kind, task, attempt, state, labels, epoch, CASE state WHEN 'running' THEN worker ELSE target END AS worker,
    extract(epoch FROM clock_timestamp() - CASE state WHEN 'running' THEN claimed_at ELSE put_at END)::float8 AS seconds
FROM fleet_job WHERE state IN ('waiting', 'running') ORDER BY put_at
"""
_ENDED = f"""
SELECT kind, state, count(*) AS number FROM fleet_job
WHERE state NOT IN ('waiting', 'running') AND put_at > {_DAY} GROUP BY kind, state ORDER BY kind, state
"""
_TAKEN_AWAY = f"SELECT count(*) AS number FROM fleet_epoch WHERE what = 'taken_away' AND at > {_DAY}"


async def read_status(url: str) -> FleetStatus:
    """Return how the fleet stands now. Raises `StoreError`."""
    database = Database(url, most=1)
    await database.open()
    try:
        async with database.transaction() as connection:
            await schema.refuse_other_version(connection, database.name)
        coordinator = (await database.rows(_COORDINATOR))[0]
        return FleetStatus(
            coordinator=msgspec.convert(coordinator, CoordinatorStatus),
            workers=tuple(msgspec.convert(row, WorkerStatus) for row in await database.rows(_WORKERS)),
            jobs=tuple(msgspec.convert(row, JobStatus) for row in await database.rows(_JOBS)),
            ended=tuple(msgspec.convert(row, Count) for row in await database.rows(_ENDED)),
            taken_away=(await database.rows(_TAKEN_AWAY))[0]["number"],
        )
    finally:
        await database.close()


async def ask_to_drain(url: str, name: str) -> None:
    """Have a worker take nothing more and end when it is done. Raises `UnknownId`, or `NotAllowed` when it drains."""
    database = Database(url, most=1)
    await database.open()
    try:
        async with database.transaction() as connection:
            await schema.refuse_other_version(connection, database.name)
        alive = await database.rows(
            "SELECT name, state FROM fleet_worker WHERE state IN ('working', 'draining') ORDER BY name"
        )
        found = {row["name"]: row["state"] for row in alive}
        if name not in found:
            known = ", ".join(found) or "none"
            raise UnknownId(f"There is no worker {name} at work.", fix=f"The workers are: {known}.")
        if found[name] == "draining":
            raise NotAllowed(f"{name} is draining already.", fix="It ends when its last job has; `obra fleet status`.")
        await database.rows(
            "UPDATE fleet_worker SET state = 'draining' WHERE name = %(name)s AND state = 'working'", name=name
        )
    finally:
        await database.close()
