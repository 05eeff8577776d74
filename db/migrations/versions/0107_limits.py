"""What guesses and paid acts have cost, counted for several processes together."""

import sqlalchemy as sa
from alembic import op

revision = "0107"
down_revision = "0106"


def upgrade() -> None:
    """Nobody has paid anything yet."""
    op.create_table(
        "limits",
        sa.Column("who", sa.String(length=32), nullable=False),
        sa.Column("until", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("who"),
    )
    op.create_index("ix_limits_until", "limits", ["until"])
