"""The test calls that an administrator has placed, one at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0105"
down_revision = "0104"


def upgrade() -> None:
    """None was placed yet."""
    moments = ("placed_at", "rang_at", "answered_at", "heard_at", "ended_at")
    op.create_table(
        "trial_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.String(length=41), nullable=True),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in moments),
        sa.Column(
            "result",
            sa.Enum(
                *("heard", "left", "no_script", "no_answer", "busy", "rejected", "unreachable", "refused"),
                *("silent", "held_back", "line_down", "not_placed", "unknown"),
                name="trial_result",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("trunk", sa.String(length=20), server_default="", nullable=False),
        sa.Column("said", sa.Integer(), nullable=True),
        sa.Column("tried", sa.String(length=300), server_default="", nullable=False),
        sa.Column("cap", sa.String(length=20), server_default="", nullable=False),
        sa.Column("slot", sa.Integer(), server_default=sa.text("1"), nullable=True),
        sa.CheckConstraint("slot = 1", name="one_trial_call"),
        sa.CheckConstraint("(slot IS NULL) = (ended_at IS NOT NULL)", name="trial_call_over"),
        sa.CheckConstraint("(result IS NULL) = (ended_at IS NULL)", name="trial_call_result"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("slot"),
        sa.UniqueConstraint("token"),
    )
