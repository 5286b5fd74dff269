"""The tables of a fleet, beside those of the journal in the same PostgreSQL database.

They have a version of their own and no part in the store's migrations: who works alone, on SQLite or on a server, never
gets them. The coordinator makes them and brings them up to date; a worker refuses a version that is not its own.
procrastinate's tables are made in the same step.
"""

from typing import Any

from procrastinate.schema import SchemaManager

from obra_tui.core.errors import NewerDatabase, StoreError

SCHEMA = 1


class NoFleet(StoreError):
    """No coordinator has made the database ready yet."""


_LOCK = 7_264_381_905
"""Number of the lock under which one process at a time makes the tables."""

_FIRST = """
CREATE TABLE fleet_state (
    id integer PRIMARY KEY CHECK (id = 1),
    schema integer NOT NULL,
    generation bigint NOT NULL DEFAULT 0,
    coordinator text NOT NULL DEFAULT '',
    version text NOT NULL DEFAULT '',
    protocol integer NOT NULL DEFAULT 0,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO fleet_state (id, schema) VALUES (1, 1);
CREATE TABLE fleet_worker (
    instance text PRIMARY KEY,
    name text NOT NULL,
    owner text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    protocol integer NOT NULL,
    kinds text[] NOT NULL,
    labels text[] NOT NULL,
    places integer NOT NULL,
    state text NOT NULL,
    sandbox text NOT NULL,
    sandbox_note text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    renewed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz NOT NULL
);
CREATE UNIQUE INDEX fleet_worker_name ON fleet_worker (name) WHERE state IN ('working', 'draining');
CREATE TABLE fleet_blob (
    id text PRIMARY KEY,
    data bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE fleet_blob ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE fleet_base (
    project text NOT NULL,
    commit text NOT NULL,
    after text NOT NULL,
    blob text NOT NULL REFERENCES fleet_blob (id),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project, commit)
);
CREATE TABLE fleet_job (
    id text PRIMARY KEY,
    generation bigint NOT NULL,
    kind text NOT NULL,
    task text NOT NULL,
    attempt text NOT NULL,
    labels text[] NOT NULL,
    target text NOT NULL,
    stage text NOT NULL,
    code text,
    conversation text NOT NULL,
    epoch bigint NOT NULL,
    state text NOT NULL,
    claims integer NOT NULL DEFAULT 0,
    worker text NOT NULL DEFAULT '',
    instance text NOT NULL DEFAULT '',
    delivery bigint,
    result text,
    result_epoch bigint,
    is_brought boolean NOT NULL DEFAULT true,
    put_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    claimed_at timestamptz,
    ended_at timestamptz
);
CREATE INDEX fleet_job_open ON fleet_job (state) WHERE state IN ('waiting', 'running');
CREATE INDEX fleet_job_task ON fleet_job (task, put_at);
CREATE INDEX fleet_job_conversation ON fleet_job (conversation);
CREATE TABLE fleet_event (
    job text NOT NULL REFERENCES fleet_job (id) ON DELETE CASCADE,
    epoch bigint NOT NULL,
    seq integer NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job, epoch, seq)
);
CREATE TABLE fleet_control (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job text NOT NULL REFERENCES fleet_job (id) ON DELETE CASCADE,
    epoch bigint NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX fleet_control_job ON fleet_control (job, id);
CREATE TABLE fleet_epoch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job text NOT NULL REFERENCES fleet_job (id) ON DELETE CASCADE,
    epoch bigint NOT NULL,
    what text NOT NULL,
    worker text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX fleet_epoch_job ON fleet_epoch (job, id);
"""

_STEPS = (_FIRST,)
"""Each brings the tables from one version to the next; a step that was released is never changed."""


async def bring_up_to_date(connection: Any) -> None:
    """Make the tables, or add what a newer version needs; in the transaction of the caller. Raises `NewerDatabase`."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    found = await version(connection)
    _refuse_newer(found)
    for step in _STEPS[found:]:
        await connection.execute(step)
    if found == 0:
        await connection.execute(SchemaManager.get_schema())
    await connection.execute("UPDATE fleet_state SET schema = %s WHERE id = 1", (SCHEMA,))


async def version(connection: Any) -> int:
    """Return the version of the tables, 0 when there are none."""
    found = await (await connection.execute("SELECT to_regclass('fleet_state') IS NOT NULL AS there")).fetchone()
    if not found["there"]:
        return 0
    row = await (await connection.execute("SELECT schema FROM fleet_state WHERE id = 1")).fetchone()
    return int(row["schema"])


async def refuse_other_version(connection: Any, where: str) -> None:
    """Refuse to work in a database that no coordinator has made ready for this version."""
    found = await version(connection)
    _refuse_newer(found, where)
    if found < SCHEMA:
        raise NoFleet(
            "This database has no fleet yet." if found == 0 else "The fleet of this database is of an older version.",
            where=where,
            fix="Start the coordinator first, in a version as new as this one: obra coordinator.",
        )


def _refuse_newer(found: int, where: str = "") -> None:
    if found > SCHEMA:
        raise NewerDatabase(
            f"The fleet's tables have version {found}; this Obra knows versions up to {SCHEMA}.",
            where=where,
            fix="Update Obra here. Nothing was changed.",
        )
