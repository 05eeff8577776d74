"""Move the numbers that callers left when all lines were full into the queue of outgoing calls."""

import sqlalchemy as sa
from alembic import op

revision = "0122"
down_revision = "0121"


def upgrade() -> None:
    """Move every row: they are the figures of thirty days, too. No released version knows the old table."""
    op.execute(
        "INSERT INTO outbound_calls"
        " (kind, number, asked_at, due_at, attempts, token, placed_at, answer, answered_at, ended_at)"
        " SELECT 'left-number', number, left_at, due_at, tries, token, placed_at,"
        " CASE WHEN outcome = 'unreached' THEN NULL ELSE outcome END,"
        " CASE WHEN outcome IN ('reached', 'refused', 'unreached') THEN placed_at END, ended_at"
        " FROM left_numbers"
    )
    op.drop_table("left_numbers")
    left = sa.text("kind = 'left-number' AND ended_at IS NULL")
    op.create_index(
        "one_call_for_each_left_number",
        "outbound_calls",
        ["number"],
        unique=True,
        sqlite_where=left,
        postgresql_where=left,
    )
