"""administration: disabled people, blocked numbers' notes, the audit log's indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("users", sa.Column("disabled_at", _AT))
    for name, length in (("note", 500), ("who", 64)):
        op.add_column(
            "blocked_numbers", sa.Column(name, sa.String(length), nullable=False, server_default="")
        )
    op.create_index("audit_by_person", "audit", ["who", "id"])
    op.create_index("audit_by_action", "audit", ["action", "id"])
    op.create_index("audit_by_time", "audit", ["at"])
