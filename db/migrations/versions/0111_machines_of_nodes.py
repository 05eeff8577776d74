"""Which machine has a node's name: two with one name are told apart."""

import sqlalchemy as sa
from alembic import op

revision = "0111"
down_revision = "0110"


def upgrade() -> None:
    """Each says so with its next start."""
    op.add_column("nodes", sa.Column("machine", sa.String(32), nullable=True))
