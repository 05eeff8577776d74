"""Keep the calls that the system places by itself in one table; the sign-in codes' calls are the first."""

import sqlalchemy as sa
from alembic import op

revision = "0120"
down_revision = "0119"

_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Queue the calls that wait; codes that no call of 0.3.0 may follow stay in its own columns."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "outbound_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number", sa.String(16)),
        sa.Column("code_id", sa.Integer(), sa.ForeignKey("citizen_codes.id", ondelete="CASCADE")),
        sa.Column("request_id", sa.Integer(), sa.ForeignKey("requests.id", ondelete="CASCADE")),
        sa.Column("asked_at", time, nullable=False),
        sa.Column("due_at", time, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("token", sa.String(41)),
        sa.Column("placed_at", time),
        sa.Column("answer", sa.String(20)),
        sa.Column("answered_at", time),
        sa.Column("ended_at", time),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index("one_call_for_each_code", "outbound_calls", ["kind", "code_id"], unique=True)
    op.create_index(
        "outbound_calls_due", "outbound_calls", ["kind", "due_at"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index("outbound_calls_of_number", "outbound_calls", ["number", "kind"])
    # a refusal holds for a day; a call in progress goes on under its token
    op.execute(
        "INSERT INTO outbound_calls (kind, number, code_id, asked_at, due_at, attempts, token, placed_at,"
        " answer, answered_at, ended_at)"
        " SELECT 'sign-in-code', number, id, asked_at, asked_at, CASE WHEN token IS NULL THEN 0 ELSE 1 END,"
        " token, placed_at, CASE WHEN declined_at IS NULL THEN NULL ELSE 'refused' END, declined_at,"
        " declined_at"
        " FROM citizen_codes WHERE way = 'call' AND (declined_at IS NOT NULL OR token IS NOT NULL"
        " OR placed_at IS NULL AND ended_at IS NULL)"
    )
