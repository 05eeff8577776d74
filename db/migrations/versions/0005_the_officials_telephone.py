"""the official's telephone."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("desks", sa.Column("call_token", sa.String(48)))
    op.add_column("desks", sa.Column("call_placed_at", _AT))
    op.create_index("ix_desks_call_token", "desks", ["call_token"], unique=True)
    failures = sa.Column("pin_failures", sa.Integer(), nullable=False, server_default=sa.text("0"))
    op.add_column("users", failures)
    op.add_column("users", sa.Column("pin_locked_until", _AT))
