"""Which version of a judge gave a verdict, for verdicts that were given before this column, too."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_VERDICTS = sa.text(
    "SELECT verdict.session, verdict.seq, event.body FROM verdict"
    " JOIN event ON event.session = verdict.session AND event.seq = verdict.seq"
)
_SET = sa.text("UPDATE verdict SET version = :version WHERE session = :session AND seq = :seq")
_PARTS = ("model", "digest", "template_hash", "rubric_hash", "prompt_hash", "options_hash", "dialect")


def upgrade() -> None:
    connection = op.get_bind()
    if "version" not in {column["name"] for column in sa.inspect(connection).get_columns("verdict")}:
        op.add_column("verdict", sa.Column("version", sa.Text(), nullable=False, server_default=""))
    found = [
        {"session": session, "seq": seq, "version": _version(json.loads(body)["verdict"]["identity"])}
        for session, seq, body in connection.execute(_VERDICTS)
    ]
    if found:
        connection.execute(_SET, found)


def _version(identity: dict[str, str]) -> str:
    """As it was defined when this column came; `rubric` stands in for a hash that an early version did not note."""
    known = {**identity, "rubric_hash": identity.get("rubric_hash") or identity.get("rubric", "")}
    text = "\0".join(known.get(name, "") for name in _PARTS)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
