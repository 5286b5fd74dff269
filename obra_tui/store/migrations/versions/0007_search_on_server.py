"""The index for full-text search on PostgreSQL, filled from what is there; SQLite has had its own since 0002."""

from alembic import op

from obra_tui.store import search

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql" and not search.exists(connection):
        search.create(connection)
        search.fill(connection)
