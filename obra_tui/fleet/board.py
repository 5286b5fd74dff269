"""What the coordinator writes and reads: jobs, messages to workers, the sweep of dead ones.

Every write says in which generation it is made: a coordinator that another one has followed changes nothing any more.
Raising a job's epoch is what takes it away from its worker; each rise stands in `fleet_epoch`, with the server's time.
Must not know what a stage does.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from msgspec import Struct

from obra_tui.core.errors import OwnerChanged
from obra_tui.core.ids import TaskId
from obra_tui.core.json_form import from_text, to_text
from obra_tui.fleet import schema
from obra_tui.fleet.database import Connection, Database, names, rows
from obra_tui.fleet.jobs import PROTOCOL, Code, Happened, JobState, NewJob, StageKind
from obra_tui.fleet.queues import Deliveries, queue_of

DOWN = "fleet_down"
UP = "fleet_up"
WHOEVER = 0
"""Epoch of a message for whoever holds the job."""


_UNDELIVERED = """
SELECT j.* FROM fleet_job j WHERE j.state = 'waiting' AND NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs p WHERE p.id = j.delivery AND (p.status = 'todo' OR p.status = 'doing' AND EXISTS (
        SELECT 1 FROM procrastinate_events e WHERE e.job_id = p.id AND e.type = 'started'
        AND e.at > clock_timestamp() - interval '5 seconds'))) FOR UPDATE OF j
"""
"""Its delivery was taken by a worker that died before it claimed the job: nobody would ever bring it."""


class BoardLine(Struct, frozen=True, kw_only=True):
    """Something that a worker wrote about a job."""

    epoch: int
    seq: int
    kind: str
    body: str


class JobStanding(Struct, frozen=True, kw_only=True):
    """A job as it is now."""

    id: str
    task: TaskId
    epoch: int
    state: JobState
    claims: int
    worker: str
    stage: str
    code: Code | None
    result: str | None


class WorkerRow(Struct, frozen=True, kw_only=True):
    """A worker that may get jobs, and how many it has."""

    name: str
    kinds: tuple[StageKind, ...]
    labels: tuple[str, ...]
    places: int
    sandbox: str
    sandbox_note: str
    busy: int


class Board:
    """The coordinator's side of the tables."""

    def __init__(self, database: Database, deliveries: Deliveries) -> None:
        self._database = database
        self._deliveries = deliveries
        self._generation = 0

    async def open(self, coordinator: str, version: str) -> list[JobStanding]:
        """Make the tables ready and take over: returns the jobs that an earlier coordinator left, now withdrawn."""
        async with self._database.transaction() as connection:
            await schema.bring_up_to_date(connection)
            taken = await rows(
                connection,
                "UPDATE fleet_state SET generation = generation + 1, coordinator = %(coordinator)s,"
                " version = %(version)s, protocol = %(protocol)s, seen_at = clock_timestamp() RETURNING generation",
                coordinator=coordinator,
                version=version,
                protocol=PROTOCOL,
            )
            self._generation = taken[0]["generation"]
            left = await rows(
                connection, "SELECT id FROM fleet_job WHERE state IN ('waiting', 'running') ORDER BY put_at FOR UPDATE"
            )
            await self._withdraw(connection, [row["id"] for row in left])
            found = await rows(
                connection,
                "SELECT * FROM fleet_job WHERE kind = 'implement' AND NOT is_brought AND state <> 'ended'"
                " AND code IS NOT NULL ORDER BY put_at",
            )
        return [_standing(row) for row in found]

    @asynccontextmanager
    async def _step(self) -> AsyncIterator[Connection]:
        """One transaction of the newest coordinator. Raises `OwnerChanged` in any other."""
        async with self._database.transaction() as connection:
            found = await rows(connection, "SELECT generation FROM fleet_state WHERE id = 1 FOR SHARE")
            if found[0]["generation"] != self._generation:
                raise OwnerChanged(
                    "Another coordinator has taken the fleet over; this one may not hand out work any more.",
                    where=self._database.name,
                    fix="Close this one. Nothing of this step was stored, and the other one goes on from what was.",
                )
            yield connection

    # --- code ---

    async def has_base(self, project: str, commit: str) -> bool:
        found = await self._database.rows(
            "SELECT 1 FROM fleet_base WHERE project = %(project)s AND commit = %(commit)s",
            project=project,
            commit=commit,
        )
        return bool(found)

    async def newest_base(self, project: str) -> str:
        """Return the base that was put last, empty when there is none: the next one need hold only what came later."""
        found = await self._database.rows(
            "SELECT commit FROM fleet_base WHERE project = %(project)s ORDER BY made_at DESC LIMIT 1", project=project
        )
        return found[0]["commit"] if found else ""

    async def put_base(self, project: str, commit: str, after: str, blob: str, data: bytes) -> None:
        async with self._step() as connection:
            await _put_blob(connection, blob, data)
            await rows(
                connection,
                "INSERT INTO fleet_base (project, commit, after, blob) VALUES (%(project)s, %(commit)s, %(after)s,"
                " %(blob)s) ON CONFLICT DO NOTHING",
                project=project,
                commit=commit,
                after=after,
                blob=blob,
            )

    async def put_blob(self, blob: str, data: bytes) -> None:
        async with self._step() as connection:
            await _put_blob(connection, blob, data)

    async def blob(self, blob: str) -> bytes:
        return await read_blob(self._database, blob)

    # --- jobs ---

    async def put(self, job: NewJob) -> None:
        """Put a job and deliver it."""
        queue = queue_of(job.kind, labels=job.labels, target=job.target)
        async with self._step() as connection:
            await rows(
                connection,
                "INSERT INTO fleet_job (id, generation, kind, task, attempt, labels, target, stage, code, conversation,"
                " epoch, state) VALUES (%(id)s, %(generation)s, %(kind)s, %(task)s, %(attempt)s, %(labels)s,"
                " %(target)s, %(stage)s, %(code)s, %(conversation)s, 1, 'waiting')",
                id=job.id,
                generation=self._generation,
                kind=job.kind.value,
                task=job.task,
                attempt=job.attempt,
                labels=names(job.labels),
                target=job.target,
                stage=job.stage,
                code=to_text(job.code) if job.code else None,
                conversation=job.conversation,
            )
            await note_epoch(connection, job.id, 1, Happened.PUT)
            await self._deliver(connection, job.id, 1, queue)

    async def _deliver(self, connection: Connection, job: str, epoch: int, queue: str) -> None:
        delivery = await self._deliveries.put(connection, job, epoch, queue, lock=f"{job}.{epoch}")
        await rows(
            connection, "UPDATE fleet_job SET delivery = %(delivery)s WHERE id = %(id)s", delivery=delivery, id=job
        )

    async def withdraw(self, job: str) -> None:
        """Take a job away from whoever has it; repeating it is harmless."""
        async with self._step() as connection:
            await self._withdraw(connection, [job])

    async def _withdraw(self, connection: Connection, jobs: Sequence[str]) -> None:
        gone = await rows(
            connection,
            "UPDATE fleet_job SET epoch = epoch + 1, state = 'withdrawn', ended_at = clock_timestamp()"
            " WHERE id = ANY(%(jobs)s) AND state IN ('waiting', 'running') RETURNING id, epoch, delivery",
            jobs=list(jobs),
        )
        for row in gone:
            await note_epoch(connection, row["id"], row["epoch"], Happened.WITHDRAWN)
            await rows(connection, f"SELECT pg_notify('{DOWN}', %(job)s)", job=row["id"])
        await self._deliveries.abort(connection, [row["delivery"] for row in gone if row["delivery"]])

    async def read(self, job: str, epoch: int, seq: int) -> tuple[JobStanding, list[BoardLine]]:
        """Return how a job stands, and what was written after a line; all of it once the job has ended."""
        found = await self._database.rows("SELECT * FROM fleet_job WHERE id = %(id)s", id=job)
        written = await self._database.rows(
            "SELECT epoch, seq, kind, body FROM fleet_event WHERE job = %(job)s AND (epoch, seq) > (%(epoch)s, %(seq)s)"
            " ORDER BY epoch, seq LIMIT 2000",
            job=job,
            epoch=epoch,
            seq=seq,
        )
        return _standing(found[0]), [msgspec.convert(row, BoardLine) for row in written]

    async def tell(self, job: str, epoch: int, kind: str, body: Struct) -> None:
        """Write a message to the worker that holds the job in this epoch."""
        async with self._step() as connection:
            await rows(
                connection,
                "INSERT INTO fleet_control (job, epoch, kind, body) VALUES (%(job)s, %(epoch)s, %(kind)s, %(body)s)",
                job=job,
                epoch=epoch,
                kind=kind,
                body=to_text(body),
            )
            await rows(connection, f"SELECT pg_notify('{DOWN}', %(job)s)", job=job)

    async def brought(self, job: str) -> None:
        """Note that the files of a job are in the coordinator's copy."""
        await self._database.rows("UPDATE fleet_job SET is_brought = true WHERE id = %(id)s", id=job)

    async def holder_of(self, conversation: str) -> str:
        """Return the worker that has a conversation of Claude Code, empty when none is known."""
        found = await self._database.rows(
            "SELECT worker FROM fleet_job WHERE conversation = %(it)s AND worker <> ''"
            " ORDER BY claimed_at DESC LIMIT 1",
            it=conversation,
        )
        return found[0]["worker"] if found else ""

    async def implementer_of(self, task: TaskId) -> str:
        """Return the worker that implemented a task last, empty when there is none."""
        found = await self._database.rows(
            "SELECT worker FROM fleet_job WHERE task = %(task)s AND kind = 'implement' AND worker <> ''"
            " ORDER BY put_at DESC LIMIT 1",
            task=task,
        )
        return found[0]["worker"] if found else ""

    async def first_stage(self, task: TaskId) -> str | None:
        """Return the stage with which the task was first given to a worker."""
        found = await self._database.rows(
            "SELECT stage FROM fleet_job WHERE task = %(task)s AND kind = 'implement' ORDER BY put_at LIMIT 1",
            task=task,
        )
        return found[0]["stage"] if found else None

    # --- workers ---

    async def workers(self) -> list[WorkerRow]:
        """Return the workers that may get jobs: alive, not draining, of this version of the protocol."""
        found = await self._database.rows(
            "SELECT name, kinds, labels, places, sandbox, sandbox_note, (SELECT count(*) FROM fleet_job j WHERE"
            " j.state IN ('waiting', 'running') AND (j.instance = w.instance OR j.target = w.name)) AS busy"
            " FROM fleet_worker w WHERE state = 'working' AND protocol = %(protocol)s"
            " AND lease_until > clock_timestamp() ORDER BY name",
            protocol=PROTOCOL,
        )
        return [msgspec.convert(row, WorkerRow, strict=False) for row in found]

    async def sweep(self) -> list[str]:
        """Take their jobs away from workers whose lease has run out; returns those jobs.

        The work of Claude Code goes on at another worker. Checks and verdicts are lost: who asked asks again.
        """
        async with self._step() as connection:
            await rows(connection, "UPDATE fleet_state SET seen_at = clock_timestamp() WHERE id = 1")
            await rows(
                connection,
                "UPDATE fleet_worker SET state = 'dead' WHERE state IN ('working', 'draining')"
                " AND lease_until <= clock_timestamp()",
            )
            held = await rows(
                connection,
                "SELECT j.* FROM fleet_job j WHERE j.state = 'running' AND NOT EXISTS (SELECT 1 FROM fleet_worker w"
                " WHERE w.instance = j.instance AND w.state IN ('working', 'draining')) FOR UPDATE OF j",
            )
            aimed = await rows(
                connection,
                "SELECT j.* FROM fleet_job j WHERE j.state = 'waiting' AND j.target <> '' AND NOT EXISTS"
                " (SELECT 1 FROM fleet_worker w WHERE w.name = j.target AND w.state = 'working') FOR UPDATE OF j",
            )
            undelivered = await rows(connection, _UNDELIVERED)
            gone = {row["id"]: row for row in (*held, *aimed, *undelivered)}
            for row in gone.values():
                await self._take_away(connection, row)
        return list(gone)

    async def _take_away(self, connection: Connection, row: dict[str, Any]) -> None:
        is_handed_on = row["kind"] == StageKind.IMPLEMENT
        state = JobState.WAITING if is_handed_on else JobState.LOST
        risen = await rows(
            connection,
            "UPDATE fleet_job SET epoch = epoch + 1, state = %(state)s, target = '', instance = '',"
            " claims = greatest(claims, 1) WHERE id = %(id)s AND epoch = %(epoch)s RETURNING epoch",
            id=row["id"],
            epoch=row["epoch"],
            state=state.value,
        )
        await note_epoch(connection, row["id"], row["epoch"], Happened.TAKEN_AWAY, row["worker"])
        await self._deliveries.close_void(connection, [row["delivery"]] if row["delivery"] else [])
        if is_handed_on:
            queue = queue_of(StageKind.IMPLEMENT, labels=row["labels"])
            await self._deliver(connection, row["id"], risen[0]["epoch"], queue)
        await rows(connection, f"SELECT pg_notify('{UP}', %(job)s), pg_notify('{DOWN}', %(job)s)", job=row["id"])

    async def forget_before(self, hours: float) -> None:
        """Delete what was read long ago: lines, messages and bundles of jobs that have ended."""
        old = "state NOT IN ('waiting', 'running') AND ended_at < clock_timestamp() - %(hours)s * interval '1 hour'"
        async with self._step() as connection:
            for table in ("fleet_event", "fleet_control"):
                await rows(
                    connection, f"DELETE FROM {table} WHERE job IN (SELECT id FROM fleet_job WHERE {old})", hours=hours
                )
            await rows(
                connection,
                "DELETE FROM fleet_blob b WHERE made_at < clock_timestamp() - %(hours)s * interval '1 hour'"
                " AND NOT EXISTS (SELECT 1 FROM fleet_base x WHERE x.blob = b.id) AND NOT EXISTS (SELECT 1 FROM"
                " fleet_job j WHERE j.code::json->>'blob' = b.id AND (j.state IN ('waiting', 'running')"
                " OR NOT j.is_brought))",
                hours=hours,
            )


async def note_epoch(connection: Connection, job: str, epoch: int, what: Happened, worker: str = "") -> None:
    """Write down what began or ended an epoch, in the transaction that did it."""
    await rows(
        connection,
        "INSERT INTO fleet_epoch (job, epoch, what, worker) VALUES (%(job)s, %(epoch)s, %(what)s, %(worker)s)",
        job=job,
        epoch=epoch,
        what=what.value,
        worker=worker,
    )


async def read_blob(database: Database, blob: str) -> bytes:
    found = await database.rows("SELECT data FROM fleet_blob WHERE id = %(id)s", id=blob)
    return bytes(found[0]["data"]) if found else b""


async def _put_blob(connection: Connection, blob: str, data: bytes) -> None:
    await rows(
        connection,
        "INSERT INTO fleet_blob (id, data) VALUES (%(id)s, %(data)s) ON CONFLICT DO NOTHING",
        id=blob,
        data=data,
    )


def _standing(row: dict[str, Any]) -> JobStanding:
    return JobStanding(
        id=row["id"],
        task=TaskId(row["task"]),
        epoch=row["epoch"],
        state=JobState(row["state"]),
        claims=row["claims"],
        worker=row["worker"],
        stage=row["stage"],
        code=from_text(Code, row["code"]) if row["code"] else None,
        result=row["result"],
    )
