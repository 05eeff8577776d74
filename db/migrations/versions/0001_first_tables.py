"""All tables of the first release, what the database itself keeps right, and the city's nine subjects.

A place in a line must cost the same at a million registrations as at a thousand, so it is summed from counts,
and the counts follow every change of a registration, whoever makes it. The ledger is only appended to.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

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

_CATEGORIES = (  # of each subject: what files call it, its icon, and in how many working days it is solved
    ("streets", "road", 10),
    ("lighting", "bulb", 3),
    ("waste", "trash", 2),
    ("parks", "trees", 10),
    ("water", "droplet", 5),
    ("building", "building", 10),
    ("traffic", "car", 10),
    ("noise", "volume", 5),
    ("other", "dots", 10),
)
_ANSWER_DAYS = 2

_DONE = "CASE WHEN state <> 'split' THEN coalesce(due_at, solve_by) END"
_TOLD = "CASE WHEN answered_at IS NULL THEN answer_by END"
_OWED_AT = (
    "CASE WHEN NOT (state IN ('new', 'referred', 'accepted', 'asked', 'reopened', 'split')) THEN NULL"
    f" WHEN promised_until <= coalesce({_DONE}, promised_until)"
    f" AND promised_until <= coalesce({_TOLD}, promised_until) THEN promised_until"
    f" WHEN {_DONE} <= coalesce({_TOLD}, {_DONE}) THEN {_DONE} ELSE {_TOLD} END"
)
"""Until when something is owed of a request."""
_FILTERED = ("state", "category", "district", "department_id")

_READY_NOTES = (
    ("گوشی را برنداشت و پیام نگذاشت", "Did not pick up, no message left"),
    ("صدا قطع و وصل می‌شد", "The sound came and went"),
    ("برای پاسخ به اداره ارجاع شد", "Referred to a department for an answer"),
    ("خواست بعداً تماس گرفته شود", "Wants to be called later"),
)

_OPEN_SOMEWHERE = (
    "latitude IS NOT NULL "
    "AND state IN ('new', 'referred', 'accepted', 'asked', 'reopened', 'split', 'replied')"
)

_BREAK_REASONS = ("writing", "rest", "prayer", "meal", "meeting", "technical")

_GUEST_STATES = ("asked", "dialing", "ringing", "answered", "talking", "ended", "failed")
_GUEST_ENDS = (
    "by_desk",
    "left",
    "conversation",
    "no_answer",
    "busy",
    "rejected",
    "unreachable",
    "not_confirmed",
    "capped",
    "failed",
)

_KEY = "round_id, level, moved_up, rounds_missed, stretch"
_LEVELS = ", ".join(f"({level}, {seconds})" for level, seconds in enumerate((4096, 64, 1)))
_FOLLOWED = "state, round_id, moved_up, rounds_missed, registered_at"

_EMPTIED = (
    "NEW.note = '' AND NEW.note_salt IS NULL AND OLD.step"
    " IN ('denied', 'answered', 'body_answered', 'body_done')"
    " AND (NEW.id, NEW.request_id, NEW.at, NEW.who, NEW.step, NEW.salt)"
    " = (OLD.id, OLD.request_id, OLD.at, OLD.who, OLD.step, OLD.salt)"
)
"""What a citizen or a body outside the city has said is gone, and nothing else is changed."""
_AS_EMPTY = ("department_id", "due_at", "other_id")


def _unless_emptied(table: str, what: str, same: str) -> str:
    """Of the history of requests one change is allowed; `same` says that two are equal, or both nothing."""
    if (table, what) != ("request_history", "UPDATE"):
        return ""
    allowed = " AND ".join([_EMPTIED, *(f"NEW.{name} {same} OLD.{name}" for name in _AS_EMPTY)])
    return f"WHEN (NOT ({allowed}))"


def _count(row: str, by: int, seconds: str) -> str:
    return (
        f"INSERT INTO line_counts ({_KEY}, waiting) "  # noqa: S608
        f"SELECT {row}.round_id, column1, {row}.moved_up, {row}.rounds_missed, {seconds} / column2, {by} "
        f"FROM (VALUES {_LEVELS}) AS levels WHERE true ORDER BY column1 "
        f"ON CONFLICT ({_KEY}) DO UPDATE SET waiting = line_counts.waiting + excluded.waiting;"
    )


def _sqlite(name: str, when: str, row: str, by: int) -> str:
    # the fraction is cut off: SQLite would round .9996 up into the next second
    seconds = f"unixepoch(substr({row}.registered_at, 1, 19))"
    return (
        f"CREATE TRIGGER {name} AFTER {when} ON registrations WHEN {row}.state = 'waiting' "
        f"BEGIN {_count(row, by, seconds)} END"
    )


_SQLITE = [
    _sqlite("enters_line", "INSERT", "NEW", 1),
    _sqlite("leaves_line", "DELETE", "OLD", -1),
    _sqlite("changes_line_from", f"UPDATE OF {_FOLLOWED}", "OLD", -1),
    _sqlite("changes_line_to", f"UPDATE OF {_FOLLOWED}", "NEW", 1),
    *(
        f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} "
        f"{_unless_emptied(table, what, 'IS')} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: rows are only ever appended'); END"
        for table in ("ledger", "seals", "request_history")
        for what in ("UPDATE", "DELETE")
    ),
]


def _postgresql_count(row: str, by: int) -> str:
    seconds = f"floor(extract(epoch FROM {row}.registered_at))::bigint"
    return f"IF {row}.state = 'waiting' THEN {_count(row, by, seconds)} END IF;"


_POSTGRESQL = [
    "CREATE FUNCTION count_line() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF TG_OP <> 'INSERT' THEN {_postgresql_count('OLD', -1)} END IF; "
    f"IF TG_OP <> 'DELETE' THEN {_postgresql_count('NEW', 1)} END IF; "
    "RETURN NULL; END $$",
    f"CREATE TRIGGER count_line AFTER INSERT OR DELETE OR UPDATE OF {_FOLLOWED} ON registrations "
    "FOR EACH ROW EXECUTE FUNCTION count_line()",
    "CREATE FUNCTION only_appended() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION '%: rows are only ever appended', TG_TABLE_NAME; END $$",
    *(
        f"CREATE TRIGGER no_{what.lower()} BEFORE {what} ON {table} FOR EACH ROW "
        f"{_unless_emptied(table, what, 'IS NOT DISTINCT FROM')} EXECUTE FUNCTION only_appended()"
        for table in ("ledger", "seals", "request_history")
        for what in ("UPDATE", "DELETE")
    ),
]


def upgrade() -> None:
    _tables()
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(sa.text(statement))
    subjects = sa.table("subjects", *map(sa.column, ("id", "name_fa", "name_en", "offered")))
    rows = enumerate(_SUBJECTS, start=1)
    op.bulk_insert(
        subjects, [{"id": id_, "name_fa": fa, "name_en": en, "offered": True} for id_, (fa, en) in rows]
    )
    _categories()
    notes = sa.table("desk_words", *map(sa.column, ("name_fa", "name_en")))
    op.bulk_insert(notes, [{"name_fa": fa, "name_en": en} for fa, en in _READY_NOTES])


def _categories() -> None:
    common = {"answer_in": _ANSWER_DAYS, "answer_unit": "days", "solve_unit": "days", "evidence": "text"}
    common |= {"urgent": False, "active": True, "questions": []}
    rows = [
        # without its id: PostgreSQL goes on counting where it has counted itself
        {"code": code, "name_fa": fa, "name_en": en, "icon": icon, "key": key, "solve_in": days, **common}
        for key, ((code, icon, days), (fa, en)) in enumerate(
            zip(_CATEGORIES, _SUBJECTS, strict=True), start=1
        )
    ]
    kinds = {"questions": sa.JSON}
    op.bulk_insert(sa.table("categories", *(sa.column(name, kinds.get(name)) for name in rows[0])), rows)


def _one_of(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def _tables() -> None:
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
    op.create_index("audit_by_action", "audit", ["action", "id"], unique=False)
    op.create_index("audit_by_person", "audit", ["who", "id"], unique=False)
    op.create_index("audit_by_time", "audit", ["at"], unique=False)
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
        sa.Column("note", sa.String(length=500), server_default="", nullable=False),
        sa.Column("who", sa.String(length=64), server_default="", nullable=False),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "breakers",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.Column("probe", sa.String(length=48), nullable=True),
        sa.Column("next_probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answers", sa.Boolean(), nullable=True),
        sa.Column("tried", sa.Text(), server_default="", nullable=False),
        sa.Column("worked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspects", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "callers_now",
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel"),
    )
    op.create_index(("ix_callers_now_number"), "callers_now", ["number"], unique=False)
    op.create_table(
        "departments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name_fa", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name_en"),
        sa.UniqueConstraint("name_fa"),
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
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("left_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "events_of_person",
        "events",
        ["user_id", "at"],
        unique=False,
        sqlite_where=sa.text("user_id IS NOT NULL"),
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )
    op.create_table(
        "failed_sign_ins",
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name_hash"),
    )
    op.create_index(("ix_failed_sign_ins_last_at"), "failed_sign_ins", ["last_at"], unique=False)
    op.create_table(
        "heartbeats",
        sa.Column("process", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fresh_s", sa.Integer(), server_default="6", nullable=False),
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
        "incoming_calls",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "answered",
                "turned_away",
                name="incoming",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "kind"),
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
                "number_changed",
                "carried",
                "merged",
                "moved_up",
                "called",
                "outcome",
                "cancelled",
                "closed",
                "deferred",
                "round_cancelled",
                "request_step",
                name="fact",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("step_id", sa.Integer(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("step_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(("ix_ledger_registration_id"), "ledger", ["registration_id"], unique=False)
    op.create_index("ledger_of_round", "ledger", ["round_id", "id"], unique=False)
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
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.CheckConstraint("(kind = 'district_manager') = (district IS NOT NULL)", name="has_district"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("district"),
    )
    op.create_table(
        "placed_calls",
        sa.Column("token", sa.String(length=41), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ours", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("token"),
    )
    op.create_index("placed_calls_by_time", "placed_calls", ["at"], unique=False)
    op.create_index("placed_calls_of_number", "placed_calls", ["number", "at"], unique=False)
    op.create_index(
        "placed_calls_under_way",
        "placed_calls",
        ["at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "seals",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "silent_callers",
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("silent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("operator_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index(("ix_silent_callers_silent_at"), "silent_callers", ["silent_at"], unique=False)
    op.create_table(
        "subjects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name_fa", sa.String(length=100), nullable=False),
        sa.Column("name_en", sa.String(length=100), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id BETWEEN 1 AND 9", name="subject_has_key"),
        sa.PrimaryKeyConstraint("id"),
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
        sa.Column("languages", sa.String(length=20), server_default="fa,en", nullable=False),
        sa.Column("recorded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("shift", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("starts_at <> ends_at", name="rule_window"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("prefix", sa.String(length=8), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("may_read", sa.Boolean(), nullable=False),
        sa.Column("may_report", sa.Boolean(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_minute", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("may_read OR may_report", name="may_something"),
        sa.CheckConstraint("per_minute BETWEEN 1 AND 6000", name="some_a_minute"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_hash"),
        sa.UniqueConstraint("prefix"),
    )
    op.create_table(
        "walls",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
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
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_operators_line", sa.Boolean(), nullable=False),
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
    op.create_index(("ix_rounds_official_id"), "rounds", ["official_id"], unique=False)
    op.create_index(
        "one_operators_line",
        "rounds",
        ["is_operators_line"],
        unique=True,
        sqlite_where=sa.text("is_operators_line"),
        postgresql_where=sa.text("is_operators_line"),
    )
    op.create_index("rounds_by_end", "rounds", ["ends_at"], unique=False)
    op.create_table(
        "timetable_deputies",
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("official_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["official_id"],
            ["officials.id"],
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["timetable_rules.id"],
        ),
        sa.PrimaryKeyConstraint("rule_id", "official_id"),
    )
    op.create_table(
        "day_overrides",
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
        "desks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("phone", sa.String(length=10), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("call_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("call_token", sa.String(length=48), nullable=True),
        sa.Column("call_placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phone_connected", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=True),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("next_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("takes_live", sa.Boolean(), nullable=True),
        sa.Column("hears_desk_id", sa.Integer(), nullable=True),
        sa.Column("hears_how", sa.String(length=10), nullable=True),
        sa.Column("hears_callback_id", sa.Integer(), nullable=True),
        sa.Column(
            "break_reason",
            sa.Enum(
                *_BREAK_REASONS,
                name="desk_break_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("break_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("phone IN ('browser', 'sip')", name="phone_kind"),
        sa.CheckConstraint("(break_reason IS NULL) = (break_since IS NULL)", name="break_has_begun"),
        sa.ForeignKeyConstraint(
            ["hears_desk_id"],
            ["desks.id"],
        ),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["rounds.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(("ix_desks_call_token"), "desks", ["call_token"], unique=True)
    op.create_index(("ix_desks_round_id"), "desks", ["round_id"], unique=False)
    op.create_table(
        "registrations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("ticket", sa.String(length=8), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=True),
        sa.Column("voice_message", sa.String(length=80), nullable=True),
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
        sa.Column("call_id", sa.String(length=150), nullable=True),
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
    op.create_index(("ix_registrations_call_id"), "registrations", ["call_id"], unique=False)
    op.create_index(
        "one_place_per_round_and_number",
        "registrations",
        ["round_id", "number"],
        unique=True,
        sqlite_where=sa.text("state IN ('unconfirmed', 'waiting', 'calling', 'unreached')"),
        postgresql_where=sa.text("state IN ('unconfirmed', 'waiting', 'calling', 'unreached')"),
    )
    op.create_index(
        "order_of_calling",
        "registrations",
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
    op.create_index("registrations_of_number", "registrations", ["number", "registered_at"], unique=False)
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
    op.create_index("carries_from", "carries", ["from_round_id"], unique=False)
    op.create_index(("ix_carries_to_round_id"), "carries", ["to_round_id"], unique=False)
    op.create_table(
        "confirmations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "registration",
                "number",
                "cancellation",
                name="confirmation_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("asked_by", sa.String(length=16), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.String(length=41), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index(
        "confirmations_due",
        "confirmations",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("decided_at IS NULL"),
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_index("confirmations_of_caller", "confirmations", ["asked_by", "asked_at"], unique=False)
    op.create_index("confirmations_of_number", "confirmations", ["number", "decided_at"], unique=False)
    op.create_index(("ix_confirmations_registration_id"), "confirmations", ["registration_id"], unique=False)
    op.create_table(
        "turn_near_calls",
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=41), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "answer",
            sa.Enum(
                "reachable",
                "next_round",
                name="turn_near_answer",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["rounds.id"],
        ),
        sa.PrimaryKeyConstraint("registration_id", "round_id"),
        sa.UniqueConstraint("token"),
    )
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_fa", sa.String(length=100), nullable=False),
        sa.Column("name_en", sa.String(length=100), nullable=False),
        sa.Column("icon", sa.String(length=20), nullable=False),
        sa.Column("key", sa.Integer(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("answer_in", sa.Integer(), nullable=False),
        sa.Column("answer_unit", _one_of("answer_unit", "hours", "days"), nullable=False),
        sa.Column("solve_in", sa.Integer(), nullable=False),
        sa.Column("solve_unit", _one_of("solve_unit", "hours", "days"), nullable=False),
        sa.Column("evidence", _one_of("evidence", "none", "text", "picture"), nullable=False),
        sa.Column("questions", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("answer_in > 0 AND solve_in > 0", name="takes_time"),
        sa.CheckConstraint("key BETWEEN 1 AND 9", name="key_of_telephone"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="category_code"),
        sa.UniqueConstraint("key", name="category_key"),
    )
    op.create_table(
        "responsible_departments",
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("district", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("district BETWEEN 0 AND 15", name="district_or_all"),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
        ),
        sa.PrimaryKeyConstraint("category_id", "district"),
    )
    op.create_table(
        "ready_replies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("category", sa.Integer(), nullable=True),
        sa.Column("title_fa", sa.String(length=100), nullable=False),
        sa.Column("title_en", sa.String(length=100), nullable=False),
        sa.Column("text_fa", sa.String(length=500), nullable=False),
        sa.Column("text_en", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["category"],
            ["categories.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracking", sa.String(length=9), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("category", sa.Integer(), nullable=False),
        sa.Column("district", sa.Integer(), nullable=True),
        sa.Column("voice_message", sa.String(length=80), nullable=True),
        sa.Column("voice_deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=True),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "new",
                "referred",
                "accepted",
                "asked",
                "replied",
                "reopened",
                "closed",
                "duplicate",
                "rejected",
                "split",
                name="request_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default=sa.text("'new'"),
            nullable=False,
        ),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "escalated_to",
            sa.Enum(
                "department",
                "head",
                "supervisors",
                name="escalation",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("solve_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.String(length=500), server_default=sa.text("''"), nullable=False),
        sa.Column("spoken", sa.String(length=500), server_default=sa.text("''"), nullable=False),
        sa.Column("reply_stands", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied_by", sa.String(length=64), nullable=True),
        sa.Column("unanswered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("denials", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("duplicate_of_id", sa.Integer(), nullable=True),
        sa.Column("part_of_id", sa.Integer(), nullable=True),
        sa.Column("promised_by_id", sa.Integer(), nullable=True),
        sa.Column("promised_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "owed_at", sa.DateTime(timezone=True), sa.Computed(_OWED_AT, persisted=True), nullable=True
        ),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("place", sa.String(length=300), server_default=sa.text("''"), nullable=False),
        sa.Column("report_key", sa.String(length=64), nullable=True),
        sa.Column("report_hash", sa.String(length=64), nullable=True),
        sa.Column("api_key_id", sa.Integer(), nullable=True),
        sa.Column("contact", sa.String(length=40), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="a_whole_point"),
        sa.CheckConstraint("(report_key IS NULL) = (report_hash IS NULL)", name="key_with_hash"),
        sa.CheckConstraint("(promised_by_id IS NULL) = (promised_until IS NULL)", name="promised_until"),
        sa.CheckConstraint("(state = 'duplicate') = (duplicate_of_id IS NOT NULL)", name="duplicate_of_one"),
        sa.CheckConstraint(
            "(state IN ('referred', 'accepted', 'asked')) = (due_at IS NOT NULL) "
            "AND (due_at IS NULL OR department_id IS NOT NULL)",
            name="referred_until",
        ),
        sa.CheckConstraint("escalated_to IS NULL OR due_at IS NOT NULL", name="escalated_of_due"),
        sa.CheckConstraint(
            "voice_message IS NOT NULL OR voice_deleted_at IS NOT NULL OR written <> ''",
            name="says_something",
        ),
        sa.CheckConstraint("district BETWEEN 1 AND 15", name="known_district"),
        sa.CheckConstraint("NOT unanswered OR state = 'closed'", name="closed_unanswered"),
        sa.CheckConstraint("duplicate_of_id <> id", name="not_its_own_duplicate"),
        sa.CheckConstraint("part_of_id IS NULL OR (part_of_id <> id AND number IS NULL)", name="part_of_one"),
        sa.ForeignKeyConstraint(
            ["api_key_id"],
            ["api_keys.id"],
        ),
        sa.ForeignKeyConstraint(
            ["category"],
            ["categories.id"],
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
        ),
        sa.ForeignKeyConstraint(
            ["duplicate_of_id"],
            ["requests.id"],
        ),
        sa.ForeignKeyConstraint(
            ["part_of_id"],
            ["requests.id"],
        ),
        sa.ForeignKeyConstraint(
            ["promised_by_id"],
            ["officials.id"],
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tracking"),
    )
    op.create_index(("ix_requests_call_id"), "requests", ["call_id"], unique=False)
    op.create_index(("ix_requests_department_id"), "requests", ["department_id"], unique=False)
    op.create_index(("ix_requests_duplicate_of_id"), "requests", ["duplicate_of_id"], unique=False)
    op.create_index(("ix_requests_part_of_id"), "requests", ["part_of_id"], unique=False)
    op.create_index(("ix_requests_promised_by_id"), "requests", ["promised_by_id"], unique=False)
    op.create_index(("ix_requests_registration_id"), "requests", ["registration_id"], unique=False)
    op.create_index("requests_alike", "requests", ["category", "district", "made_at"], unique=False)
    op.create_index(
        "requests_asked",
        "requests",
        ["replied_at"],
        unique=False,
        sqlite_where=sa.text("state = 'replied'"),
        postgresql_where=sa.text("state = 'replied'"),
    )
    op.create_index(
        "requests_unspoken",
        "requests",
        ["id"],
        unique=False,
        sqlite_where=sa.text("reply <> spoken"),
        postgresql_where=sa.text("reply <> spoken"),
    )
    op.create_index("one_report_a_key", "requests", ["number", "report_key"], unique=True)
    op.create_index("one_report_an_api_key", "requests", ["api_key_id", "report_key"], unique=True)
    op.create_index("requests_of_api_key", "requests", ["api_key_id", "made_at"], unique=False)
    op.create_index(
        "requests_of_contact",
        "requests",
        ["contact", "made_at"],
        unique=False,
        sqlite_where=sa.text("contact <> ''"),
        postgresql_where=sa.text("contact <> ''"),
    )
    op.create_index("requests_made", "requests", ["made_at", "id"], unique=False)
    op.create_index("requests_by_state", "requests", ["state", "id"], unique=False)
    op.create_index(
        "requests_due",
        "requests",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "requests_owed",
        "requests",
        ["owed_at", sa.literal_column("id DESC"), *_FILTERED],
        unique=False,
        sqlite_where=sa.text("owed_at IS NOT NULL"),
        postgresql_where=sa.text("owed_at IS NOT NULL"),
    )
    op.create_index("requests_counted", "requests", [*_FILTERED, "owed_at"], unique=False)
    op.create_index(
        "requests_on_map",
        "requests",
        ["district", "made_at", "state", "owed_at", "part_of_id"],
        unique=False,
    )
    op.create_index(
        "requests_referred",
        "requests",
        ["department_id", "due_at", "id", "owed_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "requests_solved",
        "requests",
        ["department_id", "replied_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'replied'"),
        postgresql_where=sa.text("state = 'replied'"),
    )
    op.create_index(
        "requests_escalated",
        "requests",
        ["id"],
        unique=False,
        sqlite_where=sa.text("escalated_to = 'supervisors'"),
        postgresql_where=sa.text("escalated_to = 'supervisors'"),
    )
    op.create_index("requests_of_number", "requests", ["number", "id"], unique=False)
    op.create_index(
        "requests_near",
        "requests",
        ["category", "latitude", "longitude"],
        unique=False,
        sqlite_where=sa.text(_OPEN_SOMEWHERE),
        postgresql_where=sa.text(_OPEN_SOMEWHERE),
    )
    op.create_table(
        "followers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id", "number", name="follows_once"),
    )
    op.create_index("follows_of_number", "followers", ["number", "id"], unique=False)
    op.create_table(
        "releases",
        sa.Column("request_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("with_point", sa.Boolean(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
        ),
        sa.PrimaryKeyConstraint("request_id"),
    )
    op.create_table(
        "request_figures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("category", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("solved", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("objected", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("rated", sa.Integer(), nullable=False),
        sa.Column("satisfaction", sa.Double(), nullable=True),
        sa.Column("median_days", sa.Double(), nullable=True),
        sa.Column("ninetieth_days", sa.Double(), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("category IS NULL OR department_id IS NULL", name="figures_of_one_thing"),
        sa.ForeignKeyConstraint(
            ["category"],
            ["categories.id"],
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("figures_of_days", "request_figures", ["days"], unique=False)
    op.create_table(
        "request_reminders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "told",
            sa.Enum(
                "department",
                "head",
                "supervisors",
                name="reminder_told",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id", "department_id", "due_at", "told", name="one_reminder_a_date"),
    )
    op.create_table(
        "passes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.String(length=100), nullable=False),
        sa.Column("contact", sa.String(length=100), nullable=False),
        sa.Column("written", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(length=1000), server_default=sa.text("''"), nullable=False),
        sa.Column("answers", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done", sa.String(length=1000), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("answer = '' OR answered_at IS NOT NULL", name="answered_in_words"),
        sa.CheckConstraint("done = '' OR done_at IS NOT NULL", name="done_in_words"),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"]),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index(("ix_passes_request_id"), "passes", ["request_id"], unique=False)
    op.create_index(
        "one_link_a_body",
        "passes",
        ["request_id", "body"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "pictures",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("who", sa.String(length=64), server_default=sa.text("''"), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("pass_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "before",
                "evidence",
                "objection",
                name="picture_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("stored", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(request_id IS NULL) = (position IS NULL)", name="picture_has_its_place"),
        sa.CheckConstraint("position > 0", name="picture_position"),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
        ),
        sa.ForeignKeyConstraint(["pass_id"], ["passes.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id", "kind", "position", name="one_picture_a_place"),
    )
    op.create_index("pictures_of_number", "pictures", ["number", "made_at"], unique=False)
    op.create_index(
        "pictures_of_nobody",
        "pictures",
        ["made_at"],
        unique=False,
        sqlite_where=sa.text("request_id IS NULL AND pass_id IS NULL"),
        postgresql_where=sa.text("request_id IS NULL AND pass_id IS NULL"),
    )
    op.create_index(
        "pictures_of_pass",
        "pictures",
        ["pass_id"],
        unique=False,
        sqlite_where=sa.text("pass_id IS NOT NULL"),
        postgresql_where=sa.text("pass_id IS NOT NULL"),
    )
    op.create_table(
        "public_pictures",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("picture_id", sa.String(length=32), nullable=False),
        sa.Column("hidden", sa.JSON(), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("stored", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["picture_id"],
            ["pictures.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("picture_id"),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("kind", _one_of("upload_kind", "picture", "voice"), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uploads_of_number", "uploads", ["number", "made_at"], unique=False)
    op.create_index("uploads_made", "uploads", ["made_at"], unique=False)
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
                "department",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("pin_hash", sa.String(length=200), nullable=True),
        sa.Column("pin_failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("pin_locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("desk_id", sa.Integer(), nullable=True),
        sa.Column("official_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("heads_department", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_salt", sa.String(length=32), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("totp_failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("totp_locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(role = 'department') = (department_id IS NOT NULL)", name="role_of_department"),
        sa.CheckConstraint("department_id IS NULL OR desk_id IS NULL", name="department_at_no_desk"),
        sa.CheckConstraint("NOT heads_department OR department_id IS NOT NULL", name="head_of_department"),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
        ),
        sa.ForeignKeyConstraint(
            ["desk_id"],
            ["desks.id"],
        ),
        sa.ForeignKeyConstraint(
            ["official_id"],
            ["officials.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("desk_id"),
        sa.UniqueConstraint("username"),
    )
    op.create_index(("ix_users_department_id"), "users", ["department_id"], unique=False)
    op.create_table(
        "waiting_callers",
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=150), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
        ),
        sa.PrimaryKeyConstraint("registration_id"),
        sa.UniqueConstraint("channel"),
    )
    op.create_index("callers_that_left", "waiting_callers", ["left_at"], unique=False)
    op.create_index(
        "callers_that_wait",
        "waiting_callers",
        ["since"],
        unique=False,
        sqlite_where=sa.text("left_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("screen_desk_id", sa.Integer(), nullable=True),
        sa.Column("given_by_desk_id", sa.Integer(), nullable=True),
        sa.Column("token", sa.String(length=41), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "claimed",
                "dialing",
                "ringing",
                "answered",
                "waiting",
                "screening",
                "talking",
                "held",
                "parting",
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
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("talking_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finishing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("toned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("on_hold_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_s", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("parting_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "said",
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
                name="said",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("on_the_line", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("threat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hangup_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="closed_has_outcome"),
        sa.CheckConstraint(
            "desk_id IS NOT NULL OR state NOT IN ('claimed', 'talking', 'held', 'parting', 'ended')",
            name="talks_at_a_desk",
        ),
        sa.CheckConstraint("state <> 'held' OR held_until IS NOT NULL", name="held_since"),
        sa.CheckConstraint("state <> 'parting' OR parting_at IS NOT NULL", name="parting_since"),
        sa.CheckConstraint("state <> 'screening' OR screen_desk_id IS NOT NULL", name="screened_by_a_desk"),
        sa.ForeignKeyConstraint(
            ["desk_id"],
            ["desks.id"],
        ),
        sa.ForeignKeyConstraint(
            ["given_by_desk_id"],
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
            ["screen_desk_id"],
            ["desks.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index("callbacks_by_state", "callbacks", ["state", "round_id"], unique=False)
    op.create_index(
        "callbacks_by_talk",
        "callbacks",
        ["talking_at"],
        unique=False,
        sqlite_where=sa.text("talking_at IS NOT NULL"),
        postgresql_where=sa.text("talking_at IS NOT NULL"),
    )
    op.create_index(
        "callbacks_with_threat",
        "callbacks",
        ["threat_at"],
        unique=False,
        sqlite_where=sa.text("threat_at IS NOT NULL"),
        postgresql_where=sa.text("threat_at IS NOT NULL"),
    )
    op.create_index(
        "callbacks_cut",
        "callbacks",
        ["desk_id"],
        unique=False,
        sqlite_where=sa.text("held_until IS NOT NULL"),
        postgresql_where=sa.text("held_until IS NOT NULL"),
    )
    op.create_index("callbacks_of_round", "callbacks", ["round_id", "placed_at"], unique=False)
    op.create_index(
        "callbacks_on_the_line",
        "callbacks",
        ["state"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(("ix_callbacks_desk_id"), "callbacks", ["desk_id"], unique=False)
    op.create_index(("ix_callbacks_registration_id"), "callbacks", ["registration_id"], unique=False)
    op.create_index(
        "one_live_callback_per_desk",
        "callbacks",
        ["desk_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'closed' AND (state <> 'parting' OR said IS NULL)"),
        postgresql_where=sa.text("state <> 'closed' AND (state <> 'parting' OR said IS NULL)"),
    )
    op.create_index(
        "one_live_callback_per_registration",
        "callbacks",
        ["registration_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index(
        "one_screening_per_desk",
        "callbacks",
        ["screen_desk_id"],
        unique=True,
        sqlite_where=sa.text("state = 'screening'"),
        postgresql_where=sa.text("state = 'screening'"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "registered",
                "turn_near",
                "not_reached",
                "carried",
                "round_cancelled",
                "round_changed",
                "closed",
                "round_announced",
                "number_changed",
                "cancelled",
                "answer",
                "request_reported",
                "request_news",
                "request_asked",
                "request_replied",
                "request_rejected",
                "request_closed",
                "followed_replied",
                "followed_rejected",
                "followed_closed",
                "request_due",
                "request_late",
                "urgent",
                "sign_in_code",
                "notice",
                "request_step",
                name="outbox_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.Integer(), nullable=True),
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
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=80), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=True),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("again", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.Column(
            "why",
            sa.Enum(
                "number",
                "credit",
                "account",
                "line",
                "rate",
                "template",
                "refused",
                "down",
                "no_answer",
                "doubt",
                "too_late",
                "untrue",
                "switched_off",
                "nobody",
                "ours",
                name="outbox_why",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "arrival",
            sa.Enum(
                "underway",
                "delivered",
                "unreachable",
                "blacklisted",
                "expired",
                "refused",
                "unknown",
                name="outbox_arrival",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("arrival_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
        ),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["rounds.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(("ix_outbox_registration_id"), "outbox", ["registration_id"], unique=False)
    op.create_index(("ix_outbox_request_id"), "outbox", ["request_id"], unique=False)
    op.create_index(("ix_outbox_round_id"), "outbox", ["round_id"], unique=False)
    op.create_index("outbox_due", "outbox", ["state", "not_before"], unique=False)
    op.create_index("outbox_of_number", "outbox", ["to", "made_at"], unique=False)
    op.create_index("outbox_to_ask", "outbox", ["provider", "ask_at"], unique=False)
    op.create_table(
        "sms_accounts",
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("credit", sa.Double(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("provider"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    op.create_index(("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"], unique=False)
    op.create_table(
        "request_filters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "name"),
    )
    op.create_table(
        "solved_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("token", sa.String(length=41), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id", "replied_at", name="one_call_an_answer"),
        sa.UniqueConstraint("token"),
    )
    op.create_index(
        "solved_calls_due",
        "solved_calls",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("token IS NULL AND ended_at IS NULL"),
        postgresql_where=sa.text("token IS NULL AND ended_at IS NULL"),
    )
    op.create_table(
        "urgent_matters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("taken_by", sa.String(length=64), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("texted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("faults", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.String(length=41), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index(
        ("ix_urgent_matters_registration_id"), "urgent_matters", ["registration_id"], unique=False
    )
    op.create_index(
        "urgent_untaken",
        "urgent_matters",
        ["made_at"],
        unique=False,
        sqlite_where=sa.text("taken_at IS NULL"),
        postgresql_where=sa.text("taken_at IS NULL"),
    )
    op.create_index("urgent_of_number", "urgent_matters", ["number"], unique=False)
    op.create_table(
        "rescue_calls",
        sa.Column("token", sa.String(length=41), nullable=False),
        sa.Column("channel", sa.String(length=150), nullable=False),
        sa.Column("matter_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["matter_id"],
            ["urgent_matters.id"],
        ),
        sa.PrimaryKeyConstraint("token"),
        sa.UniqueConstraint("channel"),
    )
    op.create_index(("ix_rescue_calls_matter_id"), "rescue_calls", ["matter_id"], unique=False)
    op.create_index(
        "rescue_calls_under_way",
        "rescue_calls",
        ["asked_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "request_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column(
            "step",
            sa.Enum(
                "reported",
                "promised",
                "referred",
                "returned",
                "accepted",
                "taken",
                "asked",
                "answered",
                "news",
                "replied",
                "confirmed",
                "denied",
                "unanswered",
                "merged",
                "separated",
                "rejected",
                "reminded",
                "to_head",
                "to_supervisors",
                "split",
                "part",
                "passed",
                "recalled",
                "body_received",
                "body_answered",
                "body_done",
                "joined",
                name="request_step",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("other_id", sa.Integer(), nullable=True),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("note_salt", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
        ),
        sa.ForeignKeyConstraint(
            ["other_id"],
            ["requests.id"],
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(("ix_request_history_at"), "request_history", ["at"], unique=False)
    op.create_index(("ix_request_history_request_id"), "request_history", ["request_id"], unique=False)
    op.create_index("history_of_person", "request_history", ["who", "request_id"], unique=False)
    op.create_table(
        "ratings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name="one_to_five"),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["request_history.id"],
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("entry_id"),
    )
    op.create_index(("ix_ratings_request_id"), "ratings", ["request_id"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("agent", sa.String(length=100), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("totp_offer", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index(("ix_sign_ins_user_id"), "sign_ins", ["user_id"], unique=False)
    op.create_table(
        "guests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("callback_id", sa.Integer(), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("official_id", sa.Integer(), nullable=True),
        sa.Column("token", sa.String(length=41), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*_GUEST_STATES, name="guest_state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "ended_by",
            sa.Enum(*_GUEST_ENDS, name="guest_end", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("talking_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hangup_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state IN ('ended', 'failed')) = (ended_at IS NOT NULL)", name="guest_has_ended"),
        sa.CheckConstraint("ended_at IS NULL OR ended_by IS NOT NULL", name="guest_has_reason"),
        sa.CheckConstraint("department_id IS NULL OR official_id IS NULL", name="guest_is_one"),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"]),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"]),
        sa.ForeignKeyConstraint(["desk_id"], ["desks.id"]),
        sa.ForeignKeyConstraint(["official_id"], ["officials.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index(("ix_guests_callback_id"), "guests", ["callback_id"], unique=False)
    op.create_index(
        "one_call_per_guest",
        "guests",
        ["number"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "one_guest_per_callback",
        "guests",
        ["callback_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "call_quality",
        sa.Column("callback_id", sa.Integer(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("mos", sa.Float(), nullable=False),
        sa.Column("mos_worst", sa.Float(), nullable=False),
        sa.Column("loss", sa.Float(), nullable=False),
        sa.Column("loss_worst", sa.Float(), nullable=False),
        sa.Column("jitter_ms", sa.Float(), nullable=False),
        sa.Column("jitter_ms_worst", sa.Float(), nullable=False),
        sa.Column("rtt_ms", sa.Float(), nullable=True),
        sa.Column("rtt_ms_worst", sa.Float(), nullable=True),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("readings > 0", name="was_read"),
        sa.CheckConstraint("mos BETWEEN 1 AND 5 AND mos_worst BETWEEN 1 AND 5", name="mos_is_one"),
        sa.CheckConstraint("loss BETWEEN 0 AND 100 AND loss_worst BETWEEN 0 AND 100", name="loss_is_a_share"),
        sa.ForeignKeyConstraint(
            ["callback_id"],
            ["callbacks.id"],
        ),
        sa.PrimaryKeyConstraint("callback_id"),
    )
    op.create_table(
        "recordings",
        sa.Column("callback_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(length=80), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["callback_id"],
            ["callbacks.id"],
        ),
        sa.PrimaryKeyConstraint("callback_id"),
        sa.UniqueConstraint("file"),
    )
    op.create_index("recordings_kept", "recordings", ["deleted_at", "made_at"], unique=False)
    op.create_table(
        "breaks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                *_BREAK_REASONS, name="break_reason", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["desk_id"],
            ["desks.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("breaks_of_person", "breaks", ["user_id", "began_at"], unique=False)
    op.create_table(
        "desk_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["desk_id"],
            ["desks.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(("ix_desk_messages_desk_id"), "desk_messages", ["desk_id"], unique=False)
    op.create_index(
        "desk_messages_unread",
        "desk_messages",
        ["desk_id"],
        unique=False,
        sqlite_where=sa.text("read_at IS NULL"),
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("callback_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback_id"],
            ["callbacks.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(("ix_notes_callback_id"), "notes", ["callback_id"], unique=False)
    op.create_table(
        "citizen_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column(
            "way",
            sa.Enum(
                "sms",
                "call",
                "messenger",
                name="code_way",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.Column("known", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("session_id", sa.String(length=32), nullable=True),
        sa.Column("token", sa.String(length=41), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("tries BETWEEN 0 AND 5", name="tried_five_times_at_most"),
        sa.CheckConstraint("used_at IS NULL OR ended_at IS NOT NULL", name="used_once"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index(("ix_citizen_codes_asked_at"), "citizen_codes", ["asked_at"], unique=False)
    op.create_index("codes_of_number", "citizen_codes", ["number", "asked_at"], unique=False)
    op.create_index(
        "codes_to_call",
        "citizen_codes",
        ["asked_at"],
        unique=False,
        sqlite_where=sa.text("way = 'call' AND placed_at IS NULL AND ended_at IS NULL"),
        postgresql_where=sa.text("way = 'call' AND placed_at IS NULL AND ended_at IS NULL"),
    )
    op.create_index(
        "one_open_code_per_browser",
        "citizen_codes",
        ["number", "browser"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "citizen_sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("agent", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("access_hash", sa.String(length=64), nullable=False),
        sa.Column("access_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_hash", sa.String(length=64), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=True),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("access_hash"),
    )
    op.create_index(("ix_citizen_sessions_expires_at"), "citizen_sessions", ["expires_at"], unique=False)
    op.create_index(("ix_citizen_sessions_number"), "citizen_sessions", ["number"], unique=False)
    op.create_table(
        "known_browsers",
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", "browser"),
    )
    op.create_index(("ix_known_browsers_seen_at"), "known_browsers", ["seen_at"], unique=False)
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("endpoint", sa.String(length=500), nullable=False),
        sa.Column("public_key", sa.String(length=87), nullable=False),
        sa.Column("secret", sa.String(length=22), nullable=False),
        sa.Column("ours", sa.String(length=87), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["citizen_sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("session_id"),
        sa.UniqueConstraint("endpoint"),
    )
    op.create_table(
        "round_wishes",
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("official_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["official_id"], ["officials.id"]),
        sa.PrimaryKeyConstraint("number", "official_id"),
    )
    op.create_index("ix_round_wishes_asked_at", "round_wishes", ["asked_at"], unique=False)
    op.create_index("wishes_of_office", "round_wishes", ["official_id", "asked_at"], unique=False)
    op.create_table(
        "muted_notices",
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column(
            "topic",
            sa.Enum(
                *("question", "solved", "news", "ended", "followed"),
                name="notice_topic",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "way",
            sa.Enum(
                *("push", "text"),
                name="notice_way",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("number", "topic", "way"),
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(length=100), nullable=True),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(file IS NULL) <> (request_id IS NULL)", name="erases_one_thing"),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id"),
    )
    op.create_table(
        "voice_summaries",
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("registration_id"),
    )
    op.create_table(
        "desk_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "break_reason",
            sa.Enum(
                *_BREAK_REASONS,
                name="desk_word_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("name_fa", sa.String(length=100), nullable=False),
        sa.Column("name_en", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("break_reason"),
    )
