"""the call before one's turn."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_AT = sa.DateTime(timezone=True)
_FACTS = (
    *("registered", "confirmed", "carried", "merged", "moved_up", "called", "outcome", "cancelled", "closed"),
    "round_cancelled",
)


def upgrade() -> None:
    op.create_table(
        "near_calls",
        sa.Column("registration_id", sa.Integer(), sa.ForeignKey("registrations.id"), nullable=False),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("rounds.id"), nullable=False),
        sa.Column("token", sa.String(41), unique=True),
        *(sa.Column(name, _AT, nullable=name != "due_at") for name in ("due_at", "placed_at", "ended_at")),
        sa.Column("answer", sa.String(32)),
        sa.CheckConstraint("answer IN ('reachable', 'next_round')", name="near_answer"),
        sa.PrimaryKeyConstraint("registration_id", "round_id"),
    )
    _ledger()


def _ledger() -> None:
    """A new kind of fact. SQLite copies the table, and its triggers go with the old one."""
    facts = ", ".join(f"'{fact}'" for fact in (*_FACTS[:9], "deferred", *_FACTS[9:]))
    with op.batch_alter_table("ledger", copy_from=_before()) as batch:
        batch.drop_constraint("fact", type_="check")
        batch.create_check_constraint("fact", sa.text(f"fact IN ({facts})"))
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_no_{what.lower()} BEFORE {what} ON ledger "
                "BEGIN SELECT RAISE(ABORT, 'ledger: rows are only ever appended'); END"
            )


def _before() -> sa.Table:
    """The table as 0001 made it: SQLite, which copies it, does not tell its checks."""
    return sa.Table(
        "ledger",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", _AT, nullable=False),
        sa.Column("fact", sa.String(32), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer()),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.CheckConstraint(f"fact IN ({', '.join(map(repr, _FACTS))})", name="fact"),
        sa.Index("ix_ledger_registration_id", "registration_id"),
        sa.Index("ledger_of_round", "round_id", "id"),
        sqlite_autoincrement=True,
    )
