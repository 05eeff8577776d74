"""first tables."""

import sqlalchemy as sa
from alembic import op

from db import triggers

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "blocked_numbers",
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "nuisance", "owner", name="block_reason", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "desks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("phone", sa.String(length=10), nullable=False),
        sa.Column("phone_connected", sa.Boolean(), nullable=False),
        sa.CheckConstraint("phone IN ('browser', 'sip')", name="phone_kind"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("callback_id", sa.Integer(), nullable=True),
        sa.Column("desk_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "heartbeats",
        sa.Column("process", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("process"),
    )
    op.create_table(
        "holidays",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "fact",
            sa.Enum(
                "registered",
                "confirmed",
                "carried",
                "merged",
                "moved_up",
                "called",
                "outcome",
                "cancelled",
                "closed",
                "round_cancelled",
                name="fact",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_registration_id"), ["registration_id"], unique=False)
        batch_op.create_index("ledger_of_round", ["round_id", "id"], unique=False)

    op.create_table(
        "line_counts",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("moved_up", sa.Integer(), nullable=False),
        sa.Column("rounds_missed", sa.Integer(), nullable=False),
        sa.Column("stretch", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("round_id", "level", "moved_up", "rounds_missed", "stretch"),
    )
    op.create_table(
        "officials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "mayor",
                "deputy",
                "district_manager",
                "operators",
                name="official_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("district", sa.Integer(), nullable=True),
        sa.Column("office_fa", sa.String(length=200), nullable=False),
        sa.Column("office_en", sa.String(length=200), nullable=False),
        sa.Column("clip", sa.String(length=100), nullable=False),
        sa.CheckConstraint("(kind = 'district_manager') = (district IS NOT NULL)", name="has_district"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("district"),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracking", sa.String(length=8), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("category", sa.Integer(), nullable=False),
        sa.Column("district", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("category BETWEEN 1 AND 9", name="known_category"),
        sa.CheckConstraint("district BETWEEN 1 AND 15", name="known_district"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tracking"),
    )
    op.create_table(
        "seals",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "timetable_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("rrule", sa.String(length=500), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.Time(), nullable=False),
        sa.Column("ends_at", sa.Time(), nullable=False),
        sa.Column("at_once", sa.Integer(), nullable=False),
        sa.Column("announce_days", sa.Integer(), nullable=False),
        sa.Column("registration_days", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name="rule_window"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "rounds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("official_id", sa.Integer(), nullable=False),
        sa.Column("substitute_id", sa.Integer(), nullable=True),
        sa.Column("announce_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registration_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registration_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("languages", sa.String(length=20), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("start_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=True),
        sa.Column("occurs_on", sa.Date(), nullable=True),
        sa.Column("turn", sa.Integer(), nullable=True),
        sa.CheckConstraint("announce_at <= registration_from", name="announced_first"),
        sa.CheckConstraint("capacity > 0", name="some_capacity"),
        sa.CheckConstraint("minutes > 0", name="some_minutes"),
        sa.CheckConstraint("registration_from < registration_until", name="registration_window"),
        sa.CheckConstraint("registration_until <= ends_at", name="registration_before_end"),
        sa.CheckConstraint("starts_at < ends_at", name="round_window"),
        sa.ForeignKeyConstraint(
            ["official_id"],
            ["officials.id"],
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["timetable_rules.id"],
        ),
        sa.ForeignKeyConstraint(
            ["substitute_id"],
            ["officials.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rule_id", "turn", name="one_round_per_turn"),
    )
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rounds_official_id"), ["official_id"], unique=False)
        batch_op.create_index(
            "one_standing_line",
            ["standing"],
            unique=True,
            sqlite_where=sa.text("standing"),
            postgresql_where=sa.text("standing"),
        )
        batch_op.create_index("rounds_by_end", ["ends_at"], unique=False)

    op.create_table(
        "timetable_exceptions",
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("occurs_on", sa.Date(), nullable=False),
        sa.Column("dropped", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.Time(), nullable=True),
        sa.Column("ends_at", sa.Time(), nullable=True),
        sa.Column("substitute_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["timetable_rules.id"],
        ),
        sa.ForeignKeyConstraint(
            ["substitute_id"],
            ["officials.id"],
        ),
        sa.PrimaryKeyConstraint("rule_id", "occurs_on"),
    )
    op.create_table(
        "timetable_officials",
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("official_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["official_id"],
            ["officials.id"],
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["timetable_rules.id"],
        ),
        sa.PrimaryKeyConstraint("rule_id", "position"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "operator",
                "official",
                "supervisor",
                "public_relations",
                "auditor",
                "administrator",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["desk_id"],
            ["desks.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("desk_id"),
        sa.UniqueConstraint("username"),
    )
    op.create_table(
        "registrations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("ticket", sa.String(length=7), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(length=80), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "unconfirmed",
                "waiting",
                "calling",
                "reached",
                "unreached",
                "closed",
                "cancelled",
                name="registration_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("moved_up", sa.Integer(), nullable=False),
        sa.Column("moved_reason", sa.String(length=500), nullable=False),
        sa.Column("rounds_missed", sa.Integer(), nullable=False),
        sa.Column("rounds_unanswered", sa.Integer(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "last_outcome",
            sa.Enum(
                "no_answer",
                "busy",
                "rejected",
                "unreachable",
                "not_confirmed",
                "hung_up",
                "failed",
                "reached",
                "call_again",
                "refused",
                "wrong_number",
                "returned",
                name="last_outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("moved_up IN (0, 1)", name="moved_up_or_not"),
        sa.CheckConstraint("subject BETWEEN 1 AND 9", name="known_subject"),
        sa.ForeignKeyConstraint(
            ["merged_into_id"],
            ["registrations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["rounds.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ticket"),
    )
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.create_index(
            "one_place_per_round_and_number",
            ["round_id", "number"],
            unique=True,
            sqlite_where=sa.text("state IN ('unconfirmed', 'waiting', 'calling', 'unreached')"),
            postgresql_where=sa.text("state IN ('unconfirmed', 'waiting', 'calling', 'unreached')"),
        )
        batch_op.create_index(
            "order_of_calling",
            [
                "round_id",
                "state",
                sa.literal_column("moved_up DESC"),
                sa.literal_column("rounds_missed DESC"),
                "registered_at",
                "id",
            ],
            unique=False,
        )
        batch_op.create_index("registrations_of_number", ["number", "registered_at"], unique=False)

    op.create_table(
        "round_deputies",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("official_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["official_id"],
            ["officials.id"],
        ),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["rounds.id"],
        ),
        sa.PrimaryKeyConstraint("round_id", "official_id"),
    )
    op.create_table(
        "sign_ins",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=41), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "claimed",
                "dialing",
                "ringing",
                "answered",
                "waiting",
                "talking",
                "ended",
                "closed",
                name="callback_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "no_answer",
                "busy",
                "rejected",
                "unreachable",
                "not_confirmed",
                "hung_up",
                "failed",
                "reached",
                "call_again",
                "refused",
                "wrong_number",
                "returned",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("talking_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hangup_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="closed_has_outcome"),
        sa.ForeignKeyConstraint(
            ["desk_id"],
            ["desks.id"],
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["rounds.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    with op.batch_alter_table("callbacks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_callbacks_desk_id"), ["desk_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_callbacks_registration_id"), ["registration_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_callbacks_round_id"), ["round_id"], unique=False)
        batch_op.create_index(
            "one_live_callback_per_desk",
            ["desk_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        )
        batch_op.create_index(
            "one_live_callback_per_registration",
            ["registration_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        )

    op.create_table(
        "carries",
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("from_round_id", sa.Integer(), nullable=False),
        sa.Column("to_round_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_round_id"],
            ["rounds.id"],
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["to_round_id"],
            ["rounds.id"],
        ),
        sa.PrimaryKeyConstraint("registration_id", "from_round_id"),
    )
    with op.batch_alter_table("carries", schema=None) as batch_op:
        batch_op.create_index("carries_from", ["from_round_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_carries_to_round_id"), ["to_round_id"], unique=False)

    op.create_table(
        "confirmations",
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=41), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
        ),
        sa.PrimaryKeyConstraint("registration_id"),
        sa.UniqueConstraint("token"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "registered",
                "near",
                "not_reached",
                "carried",
                "round_cancelled",
                "closed",
                "notice",
                name="message_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("to", sa.String(length=500), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "sending",
                "sent",
                "failed",
                "expired",
                name="delivery",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_id", sa.String(length=80), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["rounds.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_messages_registration_id"), ["registration_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_messages_round_id"), ["round_id"], unique=False)
        batch_op.create_index("messages_due", ["state", "not_before"], unique=False)

    triggers.create(op.get_bind())
