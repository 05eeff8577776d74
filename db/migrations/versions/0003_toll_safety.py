"""toll safety."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "placed_calls",
        sa.Column("token", sa.String(41), primary_key=True),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("at", _AT, nullable=False),
        sa.Column("ended_at", _AT),
    )
    op.create_index("placed_calls_of_number", "placed_calls", ["number", "at"])
    op.create_index("placed_calls_by_time", "placed_calls", ["at"])
    under_way = sa.text("ended_at IS NULL")
    op.create_index(
        *("placed_calls_under_way", "placed_calls", ["at"]),
        sqlite_where=under_way,
        postgresql_where=under_way,
    )
