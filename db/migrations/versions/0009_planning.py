"""planning: more of a rule, offices that are planned no more, subjects, new hours that are told."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_AT = sa.DateTime(timezone=True)
_KINDS = (
    *("registered", "near", "not_reached", "carried", "round_cancelled", "closed"),
    *("request_reported", "request_news", "request_replied", "request_rejected", "request_closed", "notice"),
)
_SUBJECTS = (
    ("خیابان و آسفالت", "Streets and asphalt"),
    ("روشنایی و برق", "Lighting and electricity"),
    ("زباله و نظافت", "Waste and cleaning"),
    ("پارک و فضای سبز", "Parks and green space"),
    ("جوی آب و فاضلاب", "Water channels and sewage"),
    ("ساختمان و پروانهٔ ساخت", "Buildings and construction permits"),
    ("ترافیک و حمل‌ونقل", "Traffic and transport"),
    ("سروصدا و مزاحمت", "Noise and nuisance"),
    ("موضوعی دیگر", "Another matter"),
)


def upgrade() -> None:
    _rules()
    op.add_column(
        "officials", sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.text("true"))
    )
    _subjects()
    _messages()


def _rules() -> None:
    for column in (
        sa.Column("languages", sa.String(20), nullable=False, server_default="fa,en"),
        sa.Column("recorded", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("shift", sa.Integer(), nullable=False, server_default=sa.text("0")),
    ):
        op.add_column("timetable_rules", column)
    op.create_table(
        "timetable_deputies",
        sa.Column("rule_id", sa.Integer(), sa.ForeignKey("timetable_rules.id"), primary_key=True),
        sa.Column("official_id", sa.Integer(), sa.ForeignKey("officials.id"), primary_key=True),
    )


def _subjects() -> None:
    table = op.create_table(
        "subjects",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name_fa", sa.String(100), nullable=False),
        sa.Column("name_en", sa.String(100), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id BETWEEN 1 AND 9", name="subject_has_key"),
    )
    op.bulk_insert(
        table,
        [
            {"id": key, "name_fa": fa, "name_en": en, "offered": True}
            for key, (fa, en) in enumerate(_SUBJECTS, start=1)
        ],
    )


def _messages() -> None:
    """A new kind. SQLite copies the table, and does not tell its checks."""
    kinds = ", ".join(f"'{kind}'" for kind in (*_KINDS[:5], "round_changed", *_KINDS[5:]))
    with op.batch_alter_table("messages", copy_from=_before()) as batch:
        batch.drop_constraint("message_kind", type_="check")
        batch.create_check_constraint("message_kind", sa.text(f"kind IN ({kinds})"))


def _before() -> sa.Table:
    states = ("pending", "sending", "sent", "failed", "expired")
    return sa.Table(
        "messages",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(80), nullable=False, unique=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("registration_id", sa.Integer(), sa.ForeignKey("registrations.id")),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("rounds.id")),
        sa.Column("request_id", sa.Integer(), sa.ForeignKey("requests.id")),
        sa.Column("to", sa.String(500), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        *(
            sa.Column(name, _AT, nullable=name in ("expires_at", "sent_at"))
            for name in ("made_at", "not_before", "expires_at", "sent_at")
        ),
        sa.Column("provider_id", sa.String(80), nullable=False),
        sa.Column("error", sa.String(300), nullable=False),
        sa.CheckConstraint(f"kind IN ({', '.join(map(repr, _KINDS))})", name="message_kind"),
        sa.CheckConstraint(f"state IN ({', '.join(map(repr, states))})", name="delivery"),
        *(sa.Index(f"ix_messages_{name}_id", f"{name}_id") for name in ("registration", "round", "request")),
        sa.Index("messages_due", "state", "not_before"),
    )
