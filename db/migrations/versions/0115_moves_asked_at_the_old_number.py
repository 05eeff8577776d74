"""Add the number that a place is to move to: its present number is asked first."""

import sqlalchemy as sa
from alembic import op

revision = "0115"
down_revision = "0114"


def upgrade() -> None:
    """Rows of before ask the new number alone, as they did."""
    op.add_column("confirmations", sa.Column("new_number", sa.String(16), nullable=True))
