"""Clear the call of each anonymous report that was ever public: its tracking number proves nothing."""

from alembic import op

revision = "0118"
down_revision = "0117"


def upgrade() -> None:
    """Read the releases in force, and the audit log for those withdrawn since."""
    op.execute(
        "UPDATE requests SET call_id = NULL WHERE number IS NULL AND call_id IS NOT NULL AND ("
        " EXISTS (SELECT 1 FROM releases WHERE releases.request_id = requests.id)"
        " OR 'request ' || requests.id IN"
        " (SELECT subject FROM audit WHERE action = 'request-withdrawn'))"
    )
