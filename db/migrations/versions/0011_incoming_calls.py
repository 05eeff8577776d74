"""calls on 137 by the hour; conversations by their time."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "incoming_calls",
        sa.Column("hour", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('answered', 'turned_away')", name="incoming"),
    )
    talked = sa.text("talking_at IS NOT NULL")
    op.create_index(
        "callbacks_by_talk", "callbacks", ["talking_at"], sqlite_where=talked, postgresql_where=talked
    )
