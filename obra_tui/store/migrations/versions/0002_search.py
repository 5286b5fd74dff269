"""The index for full-text search, filled from what is there."""

from alembic import op

from obra_tui.store.search import index

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    connection = op.get_bind()
    index.create(connection)
    if index.exists(connection):
        index.fill(connection)
