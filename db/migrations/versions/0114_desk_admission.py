"""A desk's room knows the sign-in that brought the browser's phone in, and the key of a SIP phone."""

import sqlalchemy as sa
from alembic import op

revision = "0114"
down_revision = "0113"


def upgrade() -> None:
    op.add_column("desks", sa.Column("admitted_by", sa.String(64)))
    op.add_column("desks", sa.Column("sip_key", sa.String(8)))
