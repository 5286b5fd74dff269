"""The index for full-text search, filled from what is there."""

from alembic import op

from obra_tui.store import search

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    connection = op.get_bind()
    search.create(connection)
    if search.exists(connection):
        search.fill(connection)
