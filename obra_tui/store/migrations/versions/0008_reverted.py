"""Which commit took accepted work back, for work that was reverted before this column, too."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_REVERTED = sa.text("SELECT task, body FROM event WHERE type = 'work_reverted' ORDER BY seq")
_TAKE_BACK = sa.text("UPDATE acceptance SET reverted = :commit WHERE task = :task")


def upgrade() -> None:
    op.add_column("acceptance", sa.Column("reverted", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    for task, body in connection.execute(_REVERTED).all():
        connection.execute(_TAKE_BACK, {"task": task, "commit": json.loads(body)["reversal"]["commit"]})
