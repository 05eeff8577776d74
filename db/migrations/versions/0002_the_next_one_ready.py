"""the next one ready."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_AT = sa.DateTime(timezone=True)
_OUTCOMES = (
    *("no_answer", "busy", "rejected", "unreachable", "not_confirmed", "hung_up", "failed"),
    *("reached", "call_again", "refused", "wrong_number", "returned"),
)
_STATES = ("claimed", "dialing", "ringing", "answered", "waiting", "talking", "ended", "closed")


def upgrade() -> None:
    op.add_column("rounds", sa.Column("paused_at", _AT))
    op.add_column(
        "rounds", sa.Column("recorded", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    op.add_column("users", sa.Column("pin_hash", sa.String(200)))
    op.add_column("desks", sa.Column("number", sa.String(16)))
    op.add_column("desks", sa.Column("call_asked_at", _AT))
    op.add_column("desks", sa.Column("channel", sa.String(80)))
    op.add_column("desks", sa.Column("next_asked_at", _AT))
    op.add_column("desks", sa.Column("hears_how", sa.String(10)))
    # SQLite takes a new foreign key only in this form; PostgreSQL, too.
    op.execute("ALTER TABLE desks ADD COLUMN round_id INTEGER REFERENCES rounds (id)")
    op.execute("ALTER TABLE desks ADD COLUMN hears_desk_id INTEGER REFERENCES desks (id)")
    op.create_index("ix_desks_round_id", "desks", ["round_id"])
    _callbacks()


def _callbacks() -> None:
    with op.batch_alter_table("callbacks", copy_from=_before()) as batch:
        batch.alter_column("desk_id", existing_type=sa.Integer(), nullable=True)
        batch.alter_column("user_id", existing_type=sa.Integer(), nullable=True)
        batch.add_column(sa.Column("screen_desk_id", sa.Integer()))
        batch.create_foreign_key("callbacks_screen_desk_id_fkey", "desks", ["screen_desk_id"], ["id"])
        for name in ("confirmed_at", "finishing_at", "toned_at"):
            batch.add_column(sa.Column(name, _AT))
        batch.drop_constraint("callback_state", type_="check")
        states = ", ".join(f"'{state}'" for state in (*_STATES[:5], "screening", *_STATES[5:]))
        batch.create_check_constraint("callback_state", sa.text(f"state IN ({states})"))
        batch.create_check_constraint(
            "talks_at_a_desk", sa.text("desk_id IS NOT NULL OR state NOT IN ('claimed', 'talking', 'ended')")
        )
        batch.create_check_constraint(
            "screened_by_a_desk", sa.text("state <> 'screening' OR screen_desk_id IS NOT NULL")
        )
    screening = sa.text("state = 'screening'")
    op.create_index(
        *("one_screening_per_desk", "callbacks", ["screen_desk_id"]),
        unique=True,
        sqlite_where=screening,
        postgresql_where=screening,
    )


def _before() -> sa.Table:
    """The table as 0001 made it: SQLite, which copies it, does not tell its checks."""
    live = sa.text("state <> 'closed'")
    return sa.Table(
        "callbacks",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("registration_id", sa.Integer(), sa.ForeignKey("registrations.id"), nullable=False),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("rounds.id"), nullable=False),
        sa.Column("desk_id", sa.Integer(), sa.ForeignKey("desks.id"), nullable=False),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("token", sa.String(41), nullable=False, unique=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(32)),
        sa.Column("note", sa.String(2000), nullable=False),
        sa.Column("claimed_at", _AT, nullable=False),
        *(sa.Column(f"{name}_at", _AT) for name in ("called", "placed", "answered", "talking")),
        *(sa.Column(f"{name}_at", _AT) for name in ("hangup_asked", "ended")),
        sa.CheckConstraint(f"state IN ({', '.join(map(repr, _STATES))})", name="callback_state"),
        sa.CheckConstraint(f"outcome IN ({', '.join(map(repr, _OUTCOMES))})", name="outcome"),
        sa.CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="closed_has_outcome"),
        *(sa.Index(f"ix_callbacks_{name}_id", f"{name}_id") for name in ("registration", "round", "desk")),
        *(
            sa.Index(name, column, unique=True, sqlite_where=live, postgresql_where=live)
            for name, column in (
                ("one_live_callback_per_registration", "registration_id"),
                ("one_live_callback_per_desk", "desk_id"),
            )
        ),
    )
