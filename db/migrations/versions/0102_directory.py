"""Staff from the office's directory: whose accounts are there, and what the last look into it found."""

import sqlalchemy as sa
from alembic import op

revision = "0102"
down_revision = "0101"


def upgrade() -> None:
    """Nobody comes from a directory yet."""
    false = sa.text("false")
    op.add_column("users", sa.Column("from_directory", sa.Boolean(), server_default=false, nullable=False))
    op.add_column("users", sa.Column("directory_id", sa.String(length=150), nullable=True))
    op.add_column("users", sa.Column("left_directory_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_users_directory_id", "users", ["directory_id"], unique=True)
    for name, length in (("city_id", 64), ("city_session", 64), ("city_token", 8000)):
        op.add_column("sign_ins", sa.Column(name, sa.String(length=length), nullable=True))
    op.add_column("sign_ins", sa.Column("city_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_sign_ins_city_id", "sign_ins", ["city_id"], unique=False)
    op.create_index("ix_sign_ins_city_session", "sign_ins", ["city_session"], unique=False)
    op.create_table(
        "directories",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("troubled_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=40), server_default="", nullable=False),
        sa.Column("known", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("gone", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
