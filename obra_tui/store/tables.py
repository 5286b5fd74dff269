"""The tables, as SQLAlchemy Core sees them.

`event` is the truth; every other table is derived from it by `project.py` and
holds what is listed, filtered, counted or must be unique. Large texts (patches,
outputs, prompts) live in their event alone: a derived row names the event by
`session` and `seq`. Ids and times come from the records, never from the
database. Knows no database product.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy import event as listening
from sqlalchemy.types import TypeDecorator

from obra_tui.store.codec import storable

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class SafeText(TypeDecorator[str]):
    """Text for people in a derived row: NUL and lone surrogates, which no database takes, are replaced.

    The exact text is in the event.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: object) -> str | None:
        return None if value is None else storable(value)


def _partial(name: str, *columns: str | Column[str], where: str, sqlite: str = "", unique: bool = False) -> Index:
    """An index of the rows that satisfy `where`; `sqlite` says it where SQLite's way of saying it differs."""
    return Index(name, *columns, unique=unique, sqlite_where=text(sqlite or where), info={_WHERE: where})


_WHERE = "where"


@listening.listens_for(metadata, "before_create")
def _say_to_postgresql(_: MetaData, connection: Connection, **__: object) -> None:
    """Say the conditions to PostgreSQL, too; not before it is there, since its name loads all that is known of it."""
    if connection.dialect.name == "postgresql":
        for index in (index for table in metadata.tables.values() for index in table.indexes if _WHERE in index.info):
            index.dialect_options["postgresql"]["where"] = text(index.info[_WHERE])


_Id = String(64)
_Serial = BigInteger().with_variant(Integer, "sqlite")


def _session(*, deferrable: bool | None = None) -> Column[str]:
    return Column("session", _Id, ForeignKey("session.id", deferrable=deferrable), nullable=False)


def _task(*, nullable: bool = False) -> Column[str]:
    return Column("task", _Id, ForeignKey("task.id"), nullable=nullable)


def _attempt(*, nullable: bool = False) -> Column[str]:
    return Column("attempt", _Id, ForeignKey("attempt.id"), nullable=nullable)


def _seq() -> Column[int]:
    return Column("seq", Integer, nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, SafeText, nullable=False, server_default="")


def _usage() -> tuple[Column[int] | Column[float], ...]:
    tokens = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "turns")
    counts = tuple(Column(name, BigInteger, nullable=False, server_default="0") for name in tokens)
    return (*counts, Column("cost_usd", Float, nullable=False, server_default="0"))


session = Table(
    "session",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("kind", String(16), nullable=False),
    _text("title"),
    _text("project"),
    _text("branch"),
    _text("base_commit"),
    Column("policy", String(16), nullable=False),
    Column("threshold", Float, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    _text("rehearsal"),
    _text("plan_source"),
    Column("opened_at", Float, nullable=False),
    Column("closed_at", Float),
    _text("close_reason"),
    Index("ix_session_newest", "opened_at", "id"),
    _partial("ix_session_open", "id", where="closed_at IS NULL"),
)

version = Table(
    "version",
    metadata,
    Column("session", _Id, ForeignKey("session.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    _text("version"),
)

task = Table(
    "task",
    metadata,
    Column("id", _Id, primary_key=True),
    _session(),
    _text("key"),
    _text("title"),
    Column("position", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    _text("reason"),
    Column("changed_at", Float, nullable=False),
    _text("copy_path"),
    Column("seq", Integer, nullable=False),
    Index("ix_task_session", "session", "position"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", _Id, primary_key=True),
    _session(),
    _task(),
    Column("number", Integer, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("outcome", String(24)),
    _text("detail"),
    Column("duration_s", Float),
    Column("score", Float),
    Column("passes", Boolean),
    Column("gate_decision", String(8)),
    Column("decision", String(16)),
    _text("decided_by"),
    _text("claude_model"),
    _text("judge_model"),
    _text("kept_ref"),
    *_usage(),
    UniqueConstraint("task", "number"),
    Index("ix_attempt_session", "session"),
    Index("ix_attempt_newest", "started_at", "id"),
)

claude_session = Table(
    "claude_session",
    metadata,
    Column("attempt", _Id, ForeignKey("attempt.id"), primary_key=True),
    Column("id", _Id, primary_key=True),
    Column("reason", String(16), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("reported", Boolean, nullable=False),
    _text("model"),
    _text("version"),
    Index("ix_claude_session_id", "id"),
)

event = Table(
    "event",
    metadata,
    Column("id", _Serial, primary_key=True),
    _session(deferrable=True),
    _seq(),
    Column("at", Float, nullable=False),
    Column("task", _Id),
    Column("attempt", _Id),
    Column("type", String(32), nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Index("uq_event_place", "session", "seq", unique=True),
    _partial("ix_event_kept", "session", "seq", where="NOT streamed", sqlite="streamed = 0"),
    _partial("ix_event_attempt", "attempt", "seq", where="NOT streamed", sqlite="streamed = 0"),
)


def _derived(name: str, *columns: Column[str] | Column[int] | Column[float] | Column[bool]) -> Table:
    """One row per event of a kind, found by its place in the journal and listed by attempt."""
    return Table(
        name,
        metadata,
        Column("session", _Id, ForeignKey("session.id"), primary_key=True),
        Column("seq", Integer, primary_key=True),
        Column("at", Float, nullable=False),
        _task(),
        _attempt(),
        *columns,
        Index(f"ix_{name}_attempt", "attempt"),
    )


prompt = _derived("prompt", Column("kind", String(8), nullable=False), _text("by"))

diff = _derived(
    "diff",
    Column("tree", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("files", Integer, nullable=False),
    Column("added", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("truncated", Boolean, nullable=False),
)

file_change = Table(
    "file_change",
    metadata,
    Column("session", _Id, ForeignKey("session.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    _attempt(),
    _text("path"),
    Column("kind", String(16), nullable=False),
    Column("added", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    _text("protected"),
    Index("ix_file_change_attempt", "attempt"),
    Index("ix_file_change_path", "path"),
)

check_result = _derived(
    "check_result",
    _text("name"),
    _text("command"),
    Column("stage", String(16), nullable=False),
    Column("blocking", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    Column("exit_code", Integer),
    Column("duration_s", Float, nullable=False),
    Column("passed", Integer),
    Column("failed", Integer),
    Column("skipped", Integer),
    Column("sandbox", String(16), nullable=False),
)

verdict = _derived(
    "verdict",
    _text("model"),
    _text("digest"),
    _text("rubric"),
    _text("unjudged"),
    _text("opinion"),
    Column("hunks_total", Integer, nullable=False),
    Column("hunks_seen", Integer, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("duration_s", Float, nullable=False),
    _text("version"),
)

quality = _derived(
    "quality",
    Column("overall", Float, nullable=False),
    Column("syntax", Float),
    Column("testing", Float),
    Column("requirements", Float),
    Column("quality", Float),
    Column("threshold", Float, nullable=False),
    Column("passes", Boolean, nullable=False),
    Column("outcome", String(8), nullable=False),
)

finding = Table(
    "finding",
    metadata,
    Column("session", _Id, ForeignKey("session.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    _attempt(),
    Column("severity", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    _text("kind"),
    _text("file"),
    Column("line", Integer),
    _text("message"),
    Index("ix_finding_attempt", "attempt"),
)

gate = Table(
    "gate",
    metadata,
    Column("id", _Id, primary_key=True),
    _session(),
    _task(),
    _attempt(),
    _seq(),
    Column("opened_at", Float, nullable=False),
    Column("closed_at", Float),
    Index("ix_gate_task", "task"),
    Index("ix_gate_attempt", "attempt"),
    _partial("ix_gate_open", "opened_at", "id", where="closed_at IS NULL"),
)

decision = _derived(
    "decision",
    Column("gate", _Id, ForeignKey("gate.id")),
    Column("kind", String(16), nullable=False),
    _text("by"),
    _text("note"),
    Column("override", Boolean, nullable=False),
    Column("open_s", Float, nullable=False),
    Column("own_score", Float),
)
_partial("uq_decision_gate", decision.c.gate, where="gate IS NOT NULL", unique=True)

acceptance = Table(
    "acceptance",
    metadata,
    Column("task", _Id, ForeignKey("task.id"), primary_key=True),
    _session(),
    _seq(),
    Column("at", Float, nullable=False),
    _attempt(),
    Column("commit", String(64), nullable=False),
    _text("branch"),
    Column("repeated", Boolean, nullable=False),
    _text("reverted"),
    Index("ix_acceptance_attempt", "attempt"),
)

permission = Table(
    "permission",
    metadata,
    Column("id", _Id, primary_key=True),
    _session(),
    _task(),
    _attempt(),
    _seq(),
    Column("asked_at", Float, nullable=False),
    Column("kind", String(16), nullable=False),
    _text("tool"),
    _text("title"),
    Column("answered_at", Float),
    Column("verdict", String(16)),
    _text("by"),
    _text("note"),
    Index("ix_permission_attempt", "attempt"),
)

usage = _derived("usage", _text("model"), *_usage())

outside_usage = Table(
    "outside_usage",
    metadata,
    Column("session", _Id, ForeignKey("session.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    _text("model"),
    *_usage(),
)
"""Usage that was booked on a session and belongs to none of its attempts."""

fence = Table(
    "fence",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("token", BigInteger, nullable=False),
    _text("holder"),
    Column("lease_until", Float),
)
"""One row: the token of whoever may write, and on a server until when. Not derived from events."""
