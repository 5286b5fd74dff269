"""The index for full-text search on PostgreSQL, filled from what is there; SQLite has had its own since 0002."""

from alembic import op

from obra_tui.store.search import index

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql" and not index.exists(connection):
        index.create(connection)
        index.fill(connection)
