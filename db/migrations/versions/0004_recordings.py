"""recorded conversations; a supervisor hears one."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("callback_id", sa.Integer(), sa.ForeignKey("callbacks.id"), primary_key=True),
        sa.Column("file", sa.String(80), nullable=False, unique=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("made_at", _AT, nullable=False),
        sa.Column("deleted_at", _AT),
    )
    op.create_index("recordings_kept", "recordings", ["deleted_at", "made_at"])
    op.add_column("desks", sa.Column("hears_callback_id", sa.Integer()))
