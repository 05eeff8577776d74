"""requests: departments, states, history, replies; whose requests an official sees."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_AT = sa.DateTime(timezone=True)
_KINDS = ("registered", "near", "not_reached", "carried", "round_cancelled", "closed", "notice")
_NEW_KINDS = (*("request_reported", "request_news", "request_replied", "request_rejected", "request_closed"),)
_STATES = ("new", "referred", "replied", "reopened", "closed", "duplicate", "rejected")
_STEPS = (
    *("reported", "referred", "returned", "news", "replied", "confirmed", "denied", "unanswered"),
    *("merged", "separated", "rejected"),
)


def upgrade() -> None:
    op.create_table(
        "departments",
        sa.Column("id", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.String(200), nullable=False, unique=True) for name in ("name_fa", "name_en")),
        sa.Column("active", sa.Boolean(), nullable=False),
    )
    _requests()
    _history()
    _messages()
    op.add_column("events", sa.Column("request_id", sa.Integer()))
    op.execute("ALTER TABLE users ADD COLUMN official_id INTEGER REFERENCES officials (id)")


def _requests() -> None:
    """SQLite copies the table: what is said may be written now."""
    with op.batch_alter_table("requests", copy_from=_requests_before()) as batch:
        batch.alter_column("message", existing_type=sa.String(80), nullable=True)
        for column in (
            sa.Column("written", sa.Text(), nullable=False, server_default=sa.text("''")),
            sa.Column("registration_id", sa.Integer()),
            sa.Column("state", sa.String(32), nullable=False, server_default=sa.text("'new'")),
            sa.Column("department_id", sa.Integer()),
            sa.Column("due_at", _AT),
            sa.Column("reply", sa.String(500), nullable=False, server_default=sa.text("''")),
            sa.Column("replied_at", _AT),
            sa.Column("denials", sa.Integer(), nullable=False, server_default=sa.text("0")),
            sa.Column("duplicate_of_id", sa.Integer()),
        ):
            batch.add_column(column)
        for column_name, table in (
            *(("registration_id", "registrations"), ("department_id", "departments")),
            ("duplicate_of_id", "requests"),
        ):
            batch.create_foreign_key(f"requests_{column_name}_fkey", table, [column_name], ["id"])
        for name, check in (
            ("request_state", f"state IN ({', '.join(map(repr, _STATES))})"),
            ("says_something", "message IS NOT NULL OR written <> ''"),
            (
                "referred_until",
                "(state = 'referred') = (due_at IS NOT NULL) "
                "AND (due_at IS NULL OR department_id IS NOT NULL)",
            ),
            ("duplicate_of_one", "(state = 'duplicate') = (duplicate_of_id IS NOT NULL)"),
            ("not_its_own_duplicate", "duplicate_of_id <> id"),
        ):
            batch.create_check_constraint(name, sa.text(check))
    for column_name in ("registration_id", "department_id", "duplicate_of_id"):
        op.create_index(f"ix_requests_{column_name}", "requests", [column_name])
    op.create_index("requests_by_state", "requests", ["state", "id"])
    op.create_index("requests_alike", "requests", ["category", "district", "made_at"])
    op.create_index("requests_of_number", "requests", ["number", "id"])
    for name, column_name, condition in (
        ("requests_in_work", "due_at", "state IN ('new', 'referred', 'reopened')"),
        ("requests_asked", "replied_at", "state = 'replied'"),
    ):
        where = sa.text(condition)
        op.create_index(name, "requests", [column_name], sqlite_where=where, postgresql_where=where)


def _requests_before() -> sa.Table:
    """The table as 0001 made it: SQLite, which copies it, does not tell its checks."""
    return sa.Table(
        "requests",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("tracking", sa.String(8), nullable=False, unique=True),
        sa.Column("number", sa.String(16)),
        sa.Column("category", sa.Integer(), nullable=False),
        sa.Column("district", sa.Integer()),
        sa.Column("message", sa.String(80), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("made_at", _AT, nullable=False),
        sa.CheckConstraint("category BETWEEN 1 AND 9", name="known_category"),
        sa.CheckConstraint("district BETWEEN 1 AND 15", name="known_district"),
    )


def _history() -> None:
    op.create_table(
        "request_history",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("request_id", sa.Integer(), sa.ForeignKey("requests.id"), nullable=False, index=True),
        sa.Column("at", _AT, nullable=False),
        sa.Column("who", sa.String(64), nullable=False, index=True),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("note", sa.String(2000), nullable=False),
        sa.Column("department_id", sa.Integer(), sa.ForeignKey("departments.id")),
        sa.Column("due_at", _AT),
        sa.Column("other_id", sa.Integer(), sa.ForeignKey("requests.id")),
        sa.CheckConstraint(f"step IN ({', '.join(map(repr, _STEPS))})", name="request_step"),
    )
    op.execute(
        "INSERT INTO request_history (request_id, at, who, step, note) "
        "SELECT id, made_at, '', 'reported', '' FROM requests ORDER BY id"
    )


def _messages() -> None:
    """New kinds, and what they are about."""
    kinds = ", ".join(map(repr, (*_KINDS[:-1], *_NEW_KINDS, _KINDS[-1])))
    with op.batch_alter_table("messages", copy_from=_messages_before()) as batch:
        batch.add_column(sa.Column("request_id", sa.Integer()))
        batch.create_foreign_key("messages_request_id_fkey", "requests", ["request_id"], ["id"])
        batch.drop_constraint("message_kind", type_="check")
        batch.create_check_constraint("message_kind", sa.text(f"kind IN ({kinds})"))
    op.create_index("ix_messages_request_id", "messages", ["request_id"])


def _messages_before() -> sa.Table:
    states = ("pending", "sending", "sent", "failed", "expired")
    return sa.Table(
        "messages",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(80), nullable=False, unique=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("registration_id", sa.Integer(), sa.ForeignKey("registrations.id")),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("rounds.id")),
        sa.Column("to", sa.String(500), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", _AT, nullable=False),
        sa.Column("not_before", _AT, nullable=False),
        sa.Column("expires_at", _AT),
        sa.Column("sent_at", _AT),
        sa.Column("provider_id", sa.String(80), nullable=False),
        sa.Column("error", sa.String(300), nullable=False),
        sa.CheckConstraint(f"kind IN ({', '.join(map(repr, _KINDS))})", name="message_kind"),
        sa.CheckConstraint(f"state IN ({', '.join(map(repr, states))})", name="delivery"),
        *(sa.Index(f"ix_messages_{name}_id", f"{name}_id") for name in ("registration", "round")),
        sa.Index("messages_due", "state", "not_before"),
    )
