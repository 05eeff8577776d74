"""a second factor; what a session's person sees of it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("users", sa.Column("totp_salt", sa.String(32)))
    op.add_column("users", sa.Column("totp_step", sa.Integer()))
    op.add_column(
        "users", sa.Column("totp_failures", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("users", sa.Column("totp_locked_until", _AT))
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id"), nullable=False, index=True),
    )
    op.drop_table("sign_ins")  # everybody signs in anew
    op.create_table(
        "sign_ins",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id"), nullable=False, index=True),
        *(sa.Column(name, _AT, nullable=False) for name in ("created_at", "last_seen_at", "expires_at")),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("agent", sa.String(100), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("totp_offer", sa.String(32)),
    )
