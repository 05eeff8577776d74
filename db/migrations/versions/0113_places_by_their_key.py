"""The counts of a line are kept in the order of their key: on SQLite a look goes down one tree, not two."""

import sqlalchemy as sa
from alembic import op

revision = "0113"
down_revision = "0112"

_KEY = ("round_id", "level", "moved_up", "rounds_missed", "stretch")


def upgrade() -> None:
    """The triggers name the table: so it is made anew under its name, not renamed."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("CREATE TEMPORARY TABLE counted AS SELECT * FROM line_counts")
    op.drop_table("line_counts")
    op.create_table(
        "line_counts",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("moved_up", sa.Integer(), nullable=False),
        sa.Column("rounds_missed", sa.Integer(), nullable=False),
        sa.Column("stretch", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO line_counts SELECT * FROM counted")
    op.execute("DROP TABLE counted")
