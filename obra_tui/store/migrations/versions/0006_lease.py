"""Who may write to a database on a server, and until when by its clock."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("fence", sa.Column("holder", sa.Text(), nullable=False, server_default=""))
    op.add_column("fence", sa.Column("lease_until", sa.Float(), nullable=True))
