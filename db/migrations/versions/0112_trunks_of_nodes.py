"""Whether any trunk answers a node, and since when that is so."""

import sqlalchemy as sa
from alembic import op

revision = "0112"
down_revision = "0111"


def upgrade() -> None:
    """Each says so as soon as its Asterisk has told it."""
    op.add_column("nodes", sa.Column("trunk_answers", sa.Boolean(), nullable=True))
    op.add_column("nodes", sa.Column("trunk_told_at", sa.DateTime(timezone=True), nullable=True))
