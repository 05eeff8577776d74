"""Which nodes end their calls before others take these for ended."""

import sqlalchemy as sa
from alembic import op

revision = "0109"
down_revision = "0108"


def upgrade() -> None:
    """Each says so with its next renewal."""
    op.add_column("nodes", sa.Column("fences", sa.Boolean(), nullable=False, server_default=sa.text("false")))
