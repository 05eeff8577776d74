"""Callers who found all lines full leave their number by a key, and are called."""

import sqlalchemy as sa
from alembic import op

revision = "0110"
down_revision = "0109"

_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """One that is open for each number."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "left_numbers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("left_at", time, nullable=False),
        sa.Column("due_at", time, nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("token", sa.String(length=41), nullable=True),
        sa.Column("placed_at", time, nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "reached",
                "refused",
                "unreached",
                "came",
                "dropped",
                name="left_outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("ended_at", time, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index(
        "one_call_for_each_left_number",
        "left_numbers",
        ["number"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "left_numbers_due", "left_numbers", ["left_at", "id"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index("left_numbers_of_number", "left_numbers", ["number", "left_at"])
    op.create_index("left_numbers_by_time", "left_numbers", ["left_at"])
