"""Move the calls that say that the turn is near into the queue of outgoing calls."""

import sqlalchemy as sa
from alembic import op

revision = "0124"
down_revision = "0123"


def upgrade() -> None:
    """Copy every call, since a citizen is called once in a round; end in the old table what waits there."""
    for name in ("registration_id", "round_id"):
        op.add_column("outbound_calls", sa.Column(name, sa.Integer()))
    op.create_index(
        "one_call_for_each_place", "outbound_calls", ["registration_id", "round_id", "kind"], unique=True
    )
    op.execute(
        "INSERT INTO outbound_calls (kind, number, registration_id, round_id, asked_at, due_at, attempts,"
        " token, placed_at, answer, answered_at, ended_at)"
        " SELECT 'turn-near', registrations.number, calls.registration_id, calls.round_id, calls.due_at,"
        " calls.due_at, CASE WHEN calls.token IS NULL THEN 0 ELSE 1 END,"
        " CASE WHEN calls.ended_at IS NULL THEN calls.token END, calls.placed_at, calls.answer,"
        " CASE WHEN calls.answer IS NULL THEN NULL ELSE calls.placed_at END, calls.ended_at"
        " FROM turn_near_calls AS calls JOIN registrations ON registrations.id = calls.registration_id"
    )
    op.execute("UPDATE turn_near_calls SET ended_at = due_at WHERE ended_at IS NULL")
