"""A password that somebody else has set is marked, and what a session still owes for it."""

import sqlalchemy as sa
from alembic import op

revision = "0101"
down_revision = "0001"


def upgrade() -> None:
    """Both are false in the rows that are there: nobody has to change a password that works."""
    for table, column in (("users", "password_given"), ("sign_ins", "password_due")):
        op.add_column(table, sa.Column(column, sa.Boolean(), server_default=sa.text("false"), nullable=False))
