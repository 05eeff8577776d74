"""Machines that share this database, and what is whose."""

import sqlalchemy as sa
from alembic import op

revision = "0108"
down_revision = "0107"

_THEIRS = ("rounds", "callbacks", "placed_calls", "desks", "waiting_callers", "rescue_calls", "callers_now")


def upgrade() -> None:
    """Nobody's yet: the only machine takes it."""
    op.create_table(
        "nodes",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("sip", sa.String(length=100), nullable=False),
        sa.Column("host", sa.String(length=100), nullable=False),
        sa.Column("websocket_url", sa.String(length=300), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("draining_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    for table in _THEIRS:
        op.add_column(table, sa.Column("node", sa.String(length=40), nullable=True))
