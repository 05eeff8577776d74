"""Add the number that a place is to move to: its present number is asked first."""

import sqlalchemy as sa
from alembic import op

revision = "0115"
down_revision = "0114"


def upgrade() -> None:
    """Drop open moves: a row without the new number would be decided by the new number's owner alone."""
    op.add_column("confirmations", sa.Column("new_number", sa.String(16), nullable=True))
    op.execute("UPDATE confirmations SET decided_at = asked_at WHERE kind = 'number' AND decided_at IS NULL")
