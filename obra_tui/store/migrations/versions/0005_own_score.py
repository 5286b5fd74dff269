"""The score that a person gave before they were shown the judge's."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("decision", sa.Column("own_score", sa.Float()))
