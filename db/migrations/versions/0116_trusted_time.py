"""The last moment that has certainly come: what cannot be undone waits while the clock is far ahead of it."""

import sqlalchemy as sa
from alembic import op

revision = "0116"
down_revision = "0115"


def upgrade() -> None:
    """Begin with the newest event or heartbeat, which is seconds old where services ran until the upgrade."""
    op.create_table(
        "trusted_time",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("boot", sa.String(length=36), nullable=False),
        sa.Column("ticks", sa.Double(), nullable=False),
        sa.Column("doubted_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("id = 1", name="one_trusted_time"),
    )
    op.execute(
        "INSERT INTO trusted_time (id, at, boot, ticks)"
        " SELECT 1, max(at), '', 0 FROM (SELECT at FROM events UNION ALL SELECT at FROM heartbeats) AS noted"
        " HAVING count(*) > 0"
    )
