"""Move the calls that ask whether a request is solved into the queue of outgoing calls."""

from alembic import op

revision = "0121"
down_revision = "0120"


def upgrade() -> None:
    """Copy what waits or is in progress, and end it in the old table, where a dialer of 0.3.0 looks."""
    op.create_index(
        "one_call_for_each_answer", "outbound_calls", ["kind", "request_id", "asked_at"], unique=True
    )
    op.execute(
        "INSERT INTO outbound_calls"
        " (kind, number, request_id, asked_at, due_at, attempts, token, placed_at, answer, answered_at)"
        " SELECT 'solved', requests.number, calls.request_id, calls.replied_at, calls.due_at, calls.tries,"
        " calls.token, calls.placed_at, CASE WHEN calls.told_at IS NULL THEN NULL ELSE 'told' END,"
        " calls.told_at FROM solved_calls AS calls JOIN requests ON requests.id = calls.request_id"
        " WHERE calls.ended_at IS NULL AND requests.number IS NOT NULL"
    )
    op.execute("UPDATE solved_calls SET ended_at = due_at WHERE ended_at IS NULL")
