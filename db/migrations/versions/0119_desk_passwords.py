"""Keep which sign-in has a desk's browser account, and which nodes' Asterisks know the desks' passwords."""

import sqlalchemy as sa
from alembic import op

revision = "0119"
down_revision = "0118"


def upgrade() -> None:
    """Begin with every browser account closed, and every Asterisk as the version before left it."""
    op.add_column("desks", sa.Column("phone_sign_in", sa.String(64)))
    kept: sa.Column[bool] = sa.Column(
        "has_desk_passwords", sa.Boolean(), nullable=False, server_default=sa.text("false")
    )
    op.add_column("nodes", kept)
