"""What a worker writes and reads: its lease, the jobs that it claims, what it reports.

The fence is here: every write about a job says in which epoch it is made, in the same statement, and a write of an
epoch that is over changes nothing and says so. Writes may be repeated when their answer was lost. Must not know what a
stage does.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from obra_tui.core.errors import AlreadyOwned, StoreError
from obra_tui.core.ids import TaskId
from obra_tui.core.json_form import from_text, to_text
from obra_tui.fleet import schema
from obra_tui.fleet.board import UP, WHOEVER, BoardLine, note_epoch, read_blob
from obra_tui.fleet.database import Connection, Database, names, rows
from obra_tui.fleet.jobs import PROTOCOL, Claim, Code, Happened, StageKind
from obra_tui.fleet.queues import Deliveries, queue_of

_CLAIM = """
UPDATE fleet_job SET epoch = epoch + 1, state = 'running', worker = %(worker)s, instance = %(instance)s,
    claims = claims + 1, claimed_at = clock_timestamp(),
    conversation = CASE WHEN claims > 0 THEN %(conversation)s ELSE conversation END
WHERE id = %(id)s AND epoch = %(epoch)s AND state = 'waiting' AND EXISTS (
    SELECT 1 FROM fleet_worker WHERE instance = %(instance)s AND state IN ('working', 'draining'))
RETURNING *
"""
_GIVE_BACK = """
UPDATE fleet_job SET epoch = epoch + 1, state = CASE kind WHEN 'implement' THEN 'waiting' ELSE 'lost' END,
    target = '', instance = ''
WHERE id = %(id)s AND epoch = %(epoch)s AND state = 'running'
RETURNING epoch, kind, labels
"""
_APPEND = f"""
WITH mine AS (SELECT id FROM fleet_job WHERE id = %(job)s AND epoch = %(epoch)s FOR SHARE), written AS (
    INSERT INTO fleet_event (job, epoch, seq, kind, body)
    SELECT mine.id, %(epoch)s, line.seq, line.kind, line.body
    FROM mine, unnest(%(seqs)s::int[], %(kinds)s::text[], %(bodies)s::text[]) AS line(seq, kind, body)
    ON CONFLICT DO NOTHING)
SELECT count(*) AS held, pg_notify('{UP}', %(job)s) FROM mine
"""


class WorkerCard(Struct, frozen=True, kw_only=True):
    """What a worker says of itself."""

    instance: str
    """Of one life: a new one is taken when the lease was lost."""
    name: str
    owner: str
    """Host and data directory: who has both is the same worker, started again."""
    host: str
    pid: int
    version: str
    kinds: tuple[StageKind, ...]
    labels: tuple[str, ...]
    places: int
    sandbox: str
    sandbox_note: str


class JobMessage(Struct, frozen=True, kw_only=True):
    """Something that the coordinator says to whoever holds a job."""

    id: int
    kind: str
    body: str


class Base(Struct, frozen=True, kw_only=True):
    """A commit that copies begin from, and the one that its bundle follows."""

    commit: str
    after: str
    blob: str


class Desk:
    """A worker's side of the tables."""

    def __init__(self, database: Database, deliveries: Deliveries, lease_s: float) -> None:
        self._database = database
        self._deliveries = deliveries
        self._lease_s = lease_s

    # --- the worker itself ---

    async def register(self, card: WorkerCard) -> None:
        """Become a worker. Raises `StoreError` for a fleet of another version, `AlreadyOwned` for a name in use."""
        async with self._database.transaction() as connection:
            await schema.refuse_other_version(connection, self._database.name)
            await self._refuse_other_protocol(connection)
            await rows(
                connection,
                "UPDATE fleet_worker SET state = 'dead' WHERE state IN ('working', 'draining') AND name = %(name)s"
                " AND (owner = %(owner)s OR lease_until <= clock_timestamp())",
                name=card.name,
                owner=card.owner,
            )
            await self._refuse_taken_name(connection, card)
            await rows(
                connection,
                "INSERT INTO fleet_worker (instance, name, owner, host, pid, version, protocol, kinds, labels, places,"
                " state, sandbox, sandbox_note, lease_until) VALUES (%(instance)s, %(name)s, %(owner)s, %(host)s,"
                " %(pid)s, %(version)s, %(protocol)s, %(kinds)s, %(labels)s, %(places)s, 'working', %(sandbox)s,"
                " %(sandbox_note)s, clock_timestamp() + %(lease)s * interval '1 second')",
                **{name: getattr(card, name) for name in ("instance", "name", "owner", "host", "pid", "version")},
                protocol=PROTOCOL,
                kinds=[kind.value for kind in card.kinds],
                labels=names(card.labels),
                places=card.places,
                sandbox=card.sandbox,
                sandbox_note=card.sandbox_note,
                lease=self._lease_s,
            )

    async def _refuse_other_protocol(self, connection: Connection) -> None:
        found = await rows(connection, "SELECT protocol, version FROM fleet_state WHERE id = 1")
        if found[0]["protocol"] != PROTOCOL:
            raise StoreError(
                f"The coordinator (Obra {found[0]['version']}) speaks version {found[0]['protocol']} of the fleet's"
                f" protocol, this worker version {PROTOCOL}.",
                where=self._database.name,
                fix="Install the same version of Obra on both hosts.",
            )

    async def _refuse_taken_name(self, connection: Connection, card: WorkerCard) -> None:
        found = await rows(
            connection,
            "SELECT host, pid, extract(epoch FROM lease_until - clock_timestamp()) AS left_s FROM fleet_worker"
            " WHERE name = %(name)s AND state IN ('working', 'draining')",
            name=card.name,
        )
        if found:
            row = found[0]
            raise AlreadyOwned(
                f"A worker called {card.name} is at work on {row['host']}, process {row['pid']}.",
                where=self._database.name,
                fix=f"Give this one another name with --name. If that one died, its lease ends in "
                f"{max(0, round(row['left_s'])) + 1} s.",
            )

    async def renew(self, instance: str) -> str | None:
        """Prolong the lease; returns the state that the worker is to be in, None when it was given up for dead."""
        found = await self._database.rows(
            "UPDATE fleet_worker SET renewed_at = clock_timestamp(), lease_until = clock_timestamp() + %(lease)s *"
            " interval '1 second' WHERE instance = %(instance)s AND state IN ('working', 'draining') RETURNING state",
            instance=instance,
            lease=self._lease_s,
        )
        return found[0]["state"] if found else None

    async def set_state(self, instance: str, state: str) -> None:
        await self._database.rows(
            "UPDATE fleet_worker SET state = %(state)s WHERE instance = %(instance)s AND state IN ('working',"
            " 'draining')",
            instance=instance,
            state=state,
        )

    # --- jobs ---

    async def claim(self, job: str, epoch: int, card: WorkerCard, conversation: str) -> Claim | None:
        """Take a delivered job; None when the delivery is void. `conversation` is for a job that was begun before."""
        async with self._database.transaction() as connection:
            found = await rows(
                connection,
                _CLAIM,
                id=job,
                epoch=epoch,
                worker=card.name,
                instance=card.instance,
                conversation=conversation,
            )
            if not found:
                return None
            row = found[0]
            await note_epoch(connection, job, row["epoch"], Happened.CLAIMED, card.name)
            await rows(connection, f"SELECT pg_notify('{UP}', %(job)s)", job=job)
        return _claim(row)

    async def append(self, job: str, lines: Sequence[BoardLine]) -> bool:
        """Write what was said, in order; false when the job is held by somebody else, or by nobody, by now."""
        found = await self._database.rows(
            _APPEND,
            job=job,
            epoch=lines[0].epoch,
            seqs=[line.seq for line in lines],
            kinds=[line.kind for line in lines],
            bodies=[line.body for line in lines],
        )
        return bool(found[0]["held"])

    async def checkpoint(self, claim: Claim, code: Code, data: bytes) -> bool:
        """Store the files as they are now: whoever takes the job over goes on from there."""
        async with self._database.transaction() as connection:
            held = await rows(
                connection,
                "UPDATE fleet_job SET code = %(code)s, is_brought = false WHERE id = %(id)s AND epoch = %(epoch)s"
                " RETURNING id",
                id=claim.id,
                epoch=claim.epoch,
                code=to_text(code),
            )
            if held:
                await rows(
                    connection,
                    "INSERT INTO fleet_blob (id, data) VALUES (%(id)s, %(data)s) ON CONFLICT DO NOTHING",
                    id=code.blob,
                    data=data,
                )
                await rows(connection, f"SELECT pg_notify('{UP}', %(job)s)", job=claim.id)
        return bool(held)

    async def end(self, claim: Claim, result: str) -> bool:
        """End the job with its result; false when it is not this worker's any more."""
        async with self._database.transaction() as connection:
            ended = await rows(
                connection,
                "UPDATE fleet_job SET state = 'ended', result = %(result)s, result_epoch = %(epoch)s, ended_at ="
                " clock_timestamp() WHERE id = %(id)s AND epoch = %(epoch)s AND state = 'running' RETURNING id",
                id=claim.id,
                epoch=claim.epoch,
                result=result,
            )
            if ended:
                await note_epoch(connection, claim.id, claim.epoch, Happened.ENDED)
                await rows(connection, f"SELECT pg_notify('{UP}', %(job)s)", job=claim.id)
                return True
            done = await rows(
                connection,
                "SELECT 1 FROM fleet_job WHERE id = %(id)s AND state = 'ended' AND result_epoch = %(epoch)s",
                id=claim.id,
                epoch=claim.epoch,
            )
        return bool(done)

    async def give_back(self, claim: Claim) -> bool:
        """Let another worker go on from the last checkpoint; checks and verdicts begin anew."""
        async with self._database.transaction() as connection:
            risen = await rows(
                connection,
                _GIVE_BACK,
                id=claim.id,
                epoch=claim.epoch,
            )
            if not risen:
                return False
            row = risen[0]
            await note_epoch(connection, claim.id, claim.epoch, Happened.GIVEN_BACK)
            if row["kind"] == StageKind.IMPLEMENT:
                queue = queue_of(StageKind.IMPLEMENT, labels=row["labels"])
                lock = f"{claim.id}.{row['epoch']}"
                delivery = await self._deliveries.put(connection, claim.id, row["epoch"], queue, lock)
                await rows(
                    connection,
                    "UPDATE fleet_job SET delivery = %(delivery)s WHERE id = %(id)s",
                    delivery=delivery,
                    id=claim.id,
                )
            await rows(connection, f"SELECT pg_notify('{UP}', %(job)s)", job=claim.id)
        return True

    async def give_back_strays(self, instance: str, held: Sequence[str]) -> None:
        """Give back what this worker claimed without learning of it: the answer was lost on its way."""
        found = await self._database.rows(
            "SELECT * FROM fleet_job WHERE instance = %(instance)s AND state = 'running' AND NOT id = ANY(%(held)s)",
            instance=instance,
            held=list(held),
        )
        for row in found:
            await self.give_back(_claim(row))

    async def messages(self, claim: Claim, after: int) -> tuple[bool, list[JobMessage]]:
        """Return whether the job is still held, and what was said to its holder after a message."""
        held = await self._database.rows(
            "SELECT 1 FROM fleet_job WHERE id = %(id)s AND epoch = %(epoch)s AND state = 'running'",
            id=claim.id,
            epoch=claim.epoch,
        )
        found = await self._database.rows(
            "SELECT id, kind, body FROM fleet_control WHERE job = %(job)s AND id > %(after)s AND epoch IN (%(epoch)s,"
            f" {WHOEVER}) ORDER BY id",
            job=claim.id,
            after=after,
            epoch=claim.epoch,
        )
        return bool(held), [msgspec.convert(row, JobMessage) for row in found]

    # --- code ---

    async def base(self, project: str, commit: str) -> Base | None:
        found = await self._database.rows(
            "SELECT commit, after, blob FROM fleet_base WHERE project = %(project)s AND commit = %(commit)s",
            project=project,
            commit=commit,
        )
        return msgspec.convert(found[0], Base) if found else None

    async def blob(self, blob: str) -> bytes:
        return await read_blob(self._database, blob)


def _claim(row: dict[str, Any]) -> Claim:
    return Claim(
        id=row["id"],
        epoch=row["epoch"],
        kind=StageKind(row["kind"]),
        task=TaskId(row["task"]),
        stage=row["stage"],
        code=from_text(Code, row["code"]) if row["code"] else None,
        claims=row["claims"],
        conversation=row["conversation"],
    )
