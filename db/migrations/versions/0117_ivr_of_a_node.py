"""A node knows when its own ivr last said that it works."""

import sqlalchemy as sa
from alembic import op

revision = "0117"
down_revision = "0116"


def upgrade() -> None:
    op.add_column("nodes", sa.Column("ivr_at", sa.DateTime(timezone=True)))
