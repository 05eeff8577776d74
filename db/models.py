"""The tables. Rules that must always hold are indexes and checks here, not code elsewhere."""

from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from db.states import (
    HOLDS_PLACE,
    IN_WORK,
    CallbackState,
    Fact,
    NearAnswer,
    Outcome,
    RegistrationState,
    RequestState,
    RequestStep,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime, also on SQLite, which knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: it would be read in some other zone later."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC time."""
        if value is None:
            return None
        aware: datetime = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return aware.astimezone(UTC)


class Base(DeclarativeBase):
    """The metadata of all tables."""

    type_annotation_map: ClassVar = {datetime: UtcDateTime, str: String}


def _enum(kind: type[StrEnum], name: str) -> Enum:
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=name,
        values_callable=lambda e: [member.value for member in e],
    )


_HOLDS_PLACE = text(f"state IN ({', '.join(repr(s.value) for s in HOLDS_PLACE)})")
_IN_WORK = text(f"state IN ({', '.join(repr(s.value) for s in IN_WORK)})")
_ASKED = text(f"state = {RequestState.REPLIED.value!r}")
_STANDING = text("standing")
_LIVE = text(f"state <> {CallbackState.CLOSED.value!r}")
_SCREENING = text(f"state = {CallbackState.SCREENING.value!r}")
_UNDER_WAY = text("ended_at IS NULL")
_TALKED = text("talking_at IS NOT NULL")


class OfficialKind(StrEnum):
    """Who answers citizens."""

    MAYOR = "mayor"
    DEPUTY = "deputy"
    DISTRICT_MANAGER = "district_manager"
    OPERATORS = "operators"  # of the standing line «an operator calls you back»


class BlockReason(StrEnum):
    """Why a number may not register; each has a prompt, `blocked-<reason>`."""

    NUISANCE = "nuisance"  # called again and again only to disturb
    OWNER = "owner"  # the owner of the number asked not to be called


class Role(StrEnum):
    """What a user may do."""

    OPERATOR = "operator"
    OFFICIAL = "official"
    SUPERVISOR = "supervisor"  # of the operators; may move a citizen up, with a reason
    PUBLIC_RELATIONS = "public_relations"  # plans rounds and their notice
    AUDITOR = "auditor"  # sees everything, changes nothing
    ADMINISTRATOR = "administrator"


class Hearing(StrEnum):
    """How a supervisor takes part in a desk's conversation."""

    LISTEN = "listen"  # hears both, is heard by nobody
    WHISPER = "whisper"  # is heard by the desk alone
    JOIN = "join"  # speaks with both


class Incoming(StrEnum):
    """What became of a call on 137."""

    ANSWERED = "answered"
    TURNED_AWAY = "turned_away"  # heard that all lines are full


class Delivery(StrEnum):
    """Where an outgoing message stands."""

    PENDING = "pending"  # to be sent when its time comes
    SENDING = "sending"  # a sender has taken it up
    SENT = "sent"
    FAILED = "failed"  # refused for good, or tried too often
    EXPIRED = "expired"  # too late to be of use


class MessageKind(StrEnum):
    """Why a message is sent; each text message has a text of the same name in the catalogue."""

    REGISTERED = "registered"
    NEAR = "near"  # your turn is near
    NOT_REACHED = "not_reached"  # the next round is not known yet
    CARRIED = "carried"  # not reached, and when the next round is
    ROUND_CANCELLED = "round_cancelled"
    ROUND_CHANGED = "round_changed"  # it has other hours
    CLOSED = "closed"  # never answered in two rounds
    REQUEST_REPORTED = "request_reported"  # and its tracking number
    REQUEST_NEWS = "request_news"  # how it goes on
    REQUEST_REPLIED = "request_replied"  # solved, and is it?
    REQUEST_REJECTED = "request_rejected"
    REQUEST_CLOSED = "request_closed"  # with the earlier one whose duplicate it is
    NOTICE = "notice"  # of a round, to a webhook


class Official(Base):
    """An office that answers citizens. `clip` is the prompt that says its name."""

    __tablename__ = "officials"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[OfficialKind] = mapped_column(_enum(OfficialKind, "official_kind"))
    district: Mapped[int | None] = mapped_column(unique=True)
    office_fa: Mapped[str] = mapped_column(String(200))
    office_en: Mapped[str] = mapped_column(String(200))
    clip: Mapped[str] = mapped_column(String(100))
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))  # may be planned

    __table_args__ = (
        CheckConstraint("(kind = 'district_manager') = (district IS NOT NULL)", name="has_district"),
    )


class Subject(Base):
    """One of the city's nine subjects. `id` is its key on the phone, and `subject-<id>` the prompt for it."""

    __tablename__ = "subjects"

    id: Mapped[int] = mapped_column(primary_key=True)
    name_fa: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100))
    offered: Mapped[bool] = mapped_column(default=True)  # to callers

    __table_args__ = (CheckConstraint("id BETWEEN 1 AND 9", name="subject_has_key"),)


round_deputies = Table(
    "round_deputies",
    Base.metadata,
    Column("round_id", ForeignKey("rounds.id"), primary_key=True),
    Column("official_id", ForeignKey("officials.id"), primary_key=True),
)
"""Who sits with the official of a round."""


class Round(Base):
    """One announced time window of one official. Its phase is computed (hotline.rounds)."""

    __tablename__ = "rounds"

    id: Mapped[int] = mapped_column(primary_key=True)
    official_id: Mapped[int] = mapped_column(ForeignKey("officials.id"), index=True)
    substitute_id: Mapped[int | None] = mapped_column(ForeignKey("officials.id"))  # speaks in their place
    announce_at: Mapped[datetime]  # its notice is public from then on
    registration_from: Mapped[datetime]
    registration_until: Mapped[datetime]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int | None]  # so many registrations; None: as many as come
    languages: Mapped[str] = mapped_column(String(20), default="fa,en")  # that are spoken with citizens
    minutes: Mapped[int] = mapped_column(default=6)  # agreed for one conversation
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(500), default="")  # why it is cancelled or was changed; public
    changes: Mapped[int] = mapped_column(default=0)  # how often it was changed since it was made
    changed_at: Mapped[datetime | None]  # the last time
    start_set_at: Mapped[datetime | None]  # when its start, as it is now, was decided
    paused_at: Mapped[datetime | None]  # since when nobody is called
    recorded: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # citizens are told
    standing: Mapped[bool] = mapped_column(default=False)  # the operators' line, not an announced round
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("timetable_rules.id"))
    occurs_on: Mapped[date | None]  # the day of the rule that made it
    turn: Mapped[int | None]  # which of the rule's officials in turn, counted from 0

    official: Mapped[Official] = relationship(foreign_keys=[official_id], lazy="joined", innerjoin=True)
    substitute: Mapped[Official | None] = relationship(foreign_keys=[substitute_id], lazy="joined")
    deputies: Mapped[list[Official]] = relationship(secondary=round_deputies)

    __table_args__ = (
        CheckConstraint("announce_at <= registration_from", name="announced_first"),
        CheckConstraint("registration_from < registration_until", name="registration_window"),
        CheckConstraint("registration_until <= ends_at", name="registration_before_end"),
        CheckConstraint("starts_at < ends_at", name="round_window"),
        CheckConstraint("capacity > 0", name="some_capacity"),
        CheckConstraint("minutes > 0", name="some_minutes"),
        UniqueConstraint("rule_id", "turn", name="one_round_per_turn"),
        Index("rounds_by_end", "ends_at"),
        Index(
            "one_standing_line", "standing", unique=True, sqlite_where=_STANDING, postgresql_where=_STANDING
        ),
    )


class Registration(Base):
    """A citizen's place in one round."""

    __tablename__ = "registrations"

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    number: Mapped[str] = mapped_column(String(16))  # E.164
    ticket: Mapped[str] = mapped_column(String(7), unique=True)
    language: Mapped[str] = mapped_column(String(2), default="fa")
    subject: Mapped[int | None]  # 1 to 9, the city's list
    message: Mapped[str | None] = mapped_column(String(80))  # a file in the state folder's messages
    state: Mapped[RegistrationState] = mapped_column(
        _enum(RegistrationState, "registration_state"), default=RegistrationState.WAITING
    )
    moved_up: Mapped[int] = mapped_column(default=0)  # 1: by a person, for the public reason `moved_reason`
    moved_reason: Mapped[str] = mapped_column(String(500), default="")
    rounds_missed: Mapped[int] = mapped_column(default=0)
    rounds_unanswered: Mapped[int] = mapped_column(default=0)  # in which every attempt was used up
    registered_at: Mapped[datetime]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"))
    not_before: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_outcome: Mapped[Outcome | None] = mapped_column(_enum(Outcome, "last_outcome"))

    round: Mapped[Round] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("subject BETWEEN 1 AND 9", name="known_subject"),
        CheckConstraint("moved_up IN (0, 1)", name="moved_up_or_not"),
        Index("registrations_of_number", "number", "registered_at"),
        Index(
            "one_place_per_round_and_number",
            "round_id",
            "number",
            unique=True,
            sqlite_where=_HOLDS_PLACE,
            postgresql_where=_HOLDS_PLACE,
        ),
    )


Index(
    "order_of_calling",
    Registration.round_id,
    Registration.state,
    Registration.moved_up.desc(),
    Registration.rounds_missed.desc(),
    Registration.registered_at,
    Registration.id,
)


class LineCount(Base):
    """How many wait in one stretch of a line. Kept by the database's triggers (migration 0001).

    A place in the line is then the sum of a few of these rows, however long the line is (hotline.line).
    """

    __tablename__ = "line_counts"

    round_id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)  # 0, 1, 2: see STRETCHES
    moved_up: Mapped[int] = mapped_column(primary_key=True)
    rounds_missed: Mapped[int] = mapped_column(primary_key=True)
    stretch: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # registered_at // seconds of level
    waiting: Mapped[int]


STRETCHES = (4096, 64, 1)
"""Seconds of one stretch, by level; each is a whole multiple of the next."""


class Carry(Base):
    """A registration's way from a round that did not reach it to the next one."""

    __tablename__ = "carries"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    from_round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    to_round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)
    at: Mapped[datetime]

    __table_args__ = (Index("carries_from", "from_round_id"),)


timetable_deputies = Table(
    "timetable_deputies",
    Base.metadata,
    Column("rule_id", ForeignKey("timetable_rules.id"), primary_key=True),
    Column("official_id", ForeignKey("officials.id"), primary_key=True),
)
"""Who sits with the officials of a rule."""


class TimetableRule(Base):
    """A rule that makes rounds: its days by RFC 5545, its officials in turn. Times are the city's."""

    __tablename__ = "timetable_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    rrule: Mapped[str] = mapped_column(String(500))  # FREQ=WEEKLY;BYDAY=WE
    starts_on: Mapped[date]
    starts_at: Mapped[time]
    ends_at: Mapped[time]
    at_once: Mapped[int] = mapped_column(default=1)  # how many of the officials answer on one day
    announce_days: Mapped[int] = mapped_column(default=7)  # before the round
    registration_days: Mapped[int] = mapped_column(default=1)  # before the round
    capacity: Mapped[int | None]
    minutes: Mapped[int] = mapped_column(default=6)
    languages: Mapped[str] = mapped_column(String(20), default="fa,en", server_default="fa,en")
    recorded: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    shift: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # turn 0 is this official's
    active: Mapped[bool] = mapped_column(default=True)

    deputies: Mapped[list[Official]] = relationship(secondary=timetable_deputies, lazy="selectin")
    officials: Mapped[list["TimetableOfficial"]] = relationship(
        order_by="TimetableOfficial.position", lazy="selectin", cascade="all, delete-orphan"
    )

    __table_args__ = (CheckConstraint("starts_at < ends_at", name="rule_window"),)


class TimetableOfficial(Base):
    """One of a rule's officials, in the order of their turns."""

    __tablename__ = "timetable_officials"

    rule_id: Mapped[int] = mapped_column(ForeignKey("timetable_rules.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    official_id: Mapped[int] = mapped_column(ForeignKey("officials.id"))


class TimetableException(Base):
    """What is different on one day of a rule: no round, other hours, or a substitute."""

    __tablename__ = "timetable_exceptions"

    rule_id: Mapped[int] = mapped_column(ForeignKey("timetable_rules.id"), primary_key=True)
    occurs_on: Mapped[date] = mapped_column(primary_key=True)
    dropped: Mapped[bool] = mapped_column(default=False)
    starts_at: Mapped[time | None]
    ends_at: Mapped[time | None]
    substitute_id: Mapped[int | None] = mapped_column(ForeignKey("officials.id"))
    reason: Mapped[str] = mapped_column(String(500))


class Holiday(Base):
    """The city's own word about a day: closed, or (`works`) open although the calendar says holiday."""

    __tablename__ = "holidays"

    day: Mapped[date] = mapped_column(primary_key=True)
    works: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str] = mapped_column(String(200))


class Message(Base):
    """The outbox: a text message to a citizen, or a notice to a webhook. Written with what it tells of."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)  # what it is about: nobody is told twice
    kind: Mapped[MessageKind] = mapped_column(_enum(MessageKind, "message_kind"))
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"), index=True)
    round_id: Mapped[int | None] = mapped_column(ForeignKey("rounds.id"), index=True)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"), index=True)
    to: Mapped[str] = mapped_column(String(500))  # E.164, or a webhook's address
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[Delivery] = mapped_column(_enum(Delivery, "delivery"), default=Delivery.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    not_before: Mapped[datetime]  # of one that is being sent: until then its sender has it
    expires_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    provider_id: Mapped[str] = mapped_column(String(80), default="")
    error: Mapped[str] = mapped_column(String(300), default="")

    __table_args__ = (Index("messages_due", "state", "not_before"),)


class LedgerEntry(Base):
    """One fact about the order of calling, for everybody to check; only ever appended. No personal data."""

    __tablename__ = "ledger"

    id: Mapped[int] = mapped_column(primary_key=True)  # 1, 2, 3 … in the order of committing, none missing
    at: Mapped[datetime]
    fact: Mapped[Fact] = mapped_column(_enum(Fact, "fact"))
    round_id: Mapped[int]
    registration_id: Mapped[int | None] = mapped_column(index=True)
    details: Mapped[str] = mapped_column(Text)  # JSON
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of all of the above

    __table_args__ = (Index("ledger_of_round", "round_id", "id"), {"sqlite_autoincrement": True})


class Seal(Base):
    """The root of the Merkle tree over the ledger's first `size` entries."""

    __tablename__ = "seals"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime]


class AuditEntry(Base):
    """Who did what to whom, and why."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(String(64))  # a username, or "command line"
    action: Mapped[str] = mapped_column(String(40))  # round-cancelled
    subject: Mapped[str] = mapped_column(String(80))  # round 3
    reason: Mapped[str] = mapped_column(String(500), default="")

    __table_args__ = (
        Index("audit_by_person", "who", "id"),
        Index("audit_by_action", "action", "id"),
        Index("audit_by_time", "at"),
    )


class Confirmation(Base):
    """The call that confirms a keyed-in number. `token` is its channel's id while it is on its way."""

    __tablename__ = "confirmations"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    token: Mapped[str | None] = mapped_column(String(41), unique=True)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]

    registration: Mapped[Registration] = relationship(lazy="joined", innerjoin=True)


class NearCall(Base):
    """The one call of a round that asks who is near: can you be reached? `token` is its channel's id."""

    __tablename__ = "near_calls"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    token: Mapped[str | None] = mapped_column(String(41), unique=True)
    due_at: Mapped[datetime]
    placed_at: Mapped[datetime | None]
    answer: Mapped[NearAnswer | None] = mapped_column(_enum(NearAnswer, "near_answer"))
    ended_at: Mapped[datetime | None]  # or will never be placed

    registration: Mapped[Registration] = relationship(lazy="joined", innerjoin=True)


class BlockedNumber(Base):
    """A number that may not register, and why."""

    __tablename__ = "blocked_numbers"

    number: Mapped[str] = mapped_column(String(16), primary_key=True)
    reason: Mapped[BlockReason] = mapped_column(_enum(BlockReason, "block_reason"))
    note: Mapped[str] = mapped_column(String(500), default="", server_default="")
    who: Mapped[str] = mapped_column(String(64), default="", server_default="")  # blocked it
    blocked_at: Mapped[datetime]


class Department(Base):
    """A department of the city, to which requests are referred."""

    __tablename__ = "departments"

    id: Mapped[int] = mapped_column(primary_key=True)
    name_fa: Mapped[str] = mapped_column(String(200), unique=True)
    name_en: Mapped[str] = mapped_column(String(200), unique=True)
    active: Mapped[bool] = mapped_column(default=True)


class Request(Base):
    """A city problem reported to 137: spoken by the citizen (`message`), or `written` by a desk."""

    __tablename__ = "requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    tracking: Mapped[str] = mapped_column(String(8), unique=True)
    number: Mapped[str | None] = mapped_column(String(16))  # E.164, if the network gave one
    category: Mapped[int]  # 1 to 9, the city's list
    district: Mapped[int | None]
    message: Mapped[str | None] = mapped_column(String(80))  # a file in the state folder's messages
    written: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    language: Mapped[str] = mapped_column(String(2))
    made_at: Mapped[datetime]
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"), index=True)
    state: Mapped[RequestState] = mapped_column(
        _enum(RequestState, "request_state"), default=RequestState.NEW, server_default=text("'new'")
    )
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"), index=True)
    due_at: Mapped[datetime | None]  # for the department, while it is referred
    reply: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))  # the last, public
    replied_at: Mapped[datetime | None]  # since when the citizen is asked
    denials: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # how often it was not solved
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"), index=True)

    department: Mapped[Department | None] = relationship(lazy="joined")

    __table_args__ = (
        CheckConstraint("category BETWEEN 1 AND 9", name="known_category"),
        CheckConstraint("district BETWEEN 1 AND 15", name="known_district"),
        CheckConstraint("message IS NOT NULL OR written <> ''", name="says_something"),
        CheckConstraint(
            "(state = 'referred') = (due_at IS NOT NULL) AND (due_at IS NULL OR department_id IS NOT NULL)",
            name="referred_until",
        ),
        CheckConstraint("(state = 'duplicate') = (duplicate_of_id IS NOT NULL)", name="duplicate_of_one"),
        CheckConstraint("duplicate_of_id <> id", name="not_its_own_duplicate"),
        Index("requests_by_state", "state", "id"),
        Index("requests_alike", "category", "district", "made_at"),
        Index("requests_in_work", "due_at", sqlite_where=_IN_WORK, postgresql_where=_IN_WORK),
        Index("requests_of_number", "number", "id"),
        Index("requests_asked", "replied_at", sqlite_where=_ASKED, postgresql_where=_ASKED),
    )


class RequestEntry(Base):
    """One step of a request's history; only ever added."""

    __tablename__ = "request_history"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"), index=True)
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(String(64), index=True)  # a username; empty: the citizen, or time itself
    step: Mapped[RequestStep] = mapped_column(_enum(RequestStep, "request_step"))
    note: Mapped[str] = mapped_column(String(2000), default="")
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    due_at: Mapped[datetime | None]
    other_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"))  # whose duplicate it is


class Desk(Base):
    """A place where callbacks are handled. Its number is the one in its phone's account, desk-N."""

    __tablename__ = "desks"

    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(String(10), default="browser")
    number: Mapped[str | None] = mapped_column(String(16))  # E.164: called instead; asks for the PIN
    call_asked_at: Mapped[datetime | None]  # its person wants that telephone called now
    call_token: Mapped[str | None] = mapped_column(
        String(48), unique=True, index=True
    )  # of that call, while it lives
    call_placed_at: Mapped[datetime | None]
    phone_connected: Mapped[bool] = mapped_column(default=False)
    channel: Mapped[str | None] = mapped_column(String(80))  # Asterisk's, of the phone in the room
    round_id: Mapped[int | None] = mapped_column(ForeignKey("rounds.id"), index=True)  # that it serves
    next_asked_at: Mapped[datetime | None]  # wants the next citizen; until they speak
    hears_desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"))  # a supervisor's: whom it hears
    hears_how: Mapped[str | None] = mapped_column(String(10))  # one of Hearing
    hears_callback_id: Mapped[int | None]  # in this conversation

    __table_args__ = (CheckConstraint("phone IN ('browser', 'sip')", name="phone_kind"),)


class Callback(Base):
    """One attempt to reach a registrant. `token` is the channel's id; every later write names it."""

    __tablename__ = "callbacks"

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)  # a registration may move on
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"), index=True)  # None: called ahead
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    screen_desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"))  # who speaks with them first
    token: Mapped[str] = mapped_column(String(41), unique=True)
    state: Mapped[CallbackState] = mapped_column(
        _enum(CallbackState, "callback_state"), default=CallbackState.CLAIMED
    )
    outcome: Mapped[Outcome | None] = mapped_column(_enum(Outcome, "outcome"))
    note: Mapped[str] = mapped_column(String(2000), default="")
    claimed_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    placed_at: Mapped[datetime | None]  # the dialer has taken it up; never placed a second time
    answered_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]  # pressed 1
    talking_at: Mapped[datetime | None]
    finishing_at: Mapped[datetime | None]  # the official says that the conversation is nearly over
    toned_at: Mapped[datetime | None]  # the official has heard that the agreed minutes are nearly over
    hangup_asked_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    registration: Mapped[Registration] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (
        Index(
            "one_live_callback_per_registration",
            "registration_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index(
            "one_live_callback_per_desk",
            "desk_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("callbacks_by_talk", "talking_at", sqlite_where=_TALKED, postgresql_where=_TALKED),
        Index(
            "one_screening_per_desk",
            "screen_desk_id",
            unique=True,
            sqlite_where=_SCREENING,
            postgresql_where=_SCREENING,
        ),
        CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="closed_has_outcome"),
        CheckConstraint(
            "desk_id IS NOT NULL OR state NOT IN ('claimed', 'talking', 'ended')", name="talks_at_a_desk"
        ),
        CheckConstraint("state <> 'screening' OR screen_desk_id IS NOT NULL", name="screened_by_a_desk"),
    )


class PlacedCall(Base):
    """An outgoing call of any kind, written down as it is taken up: what the caps count (hotline.toll)."""

    __tablename__ = "placed_calls"

    token: Mapped[str] = mapped_column(String(41), primary_key=True)
    number: Mapped[str] = mapped_column(String(16))  # E.164
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # its channel is gone

    __table_args__ = (
        Index("placed_calls_of_number", "number", "at"),
        Index("placed_calls_by_time", "at"),
        Index("placed_calls_under_way", "at", sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY),
    )


class Recording(Base):
    """A recorded conversation: a file of the state folder's recordings, until it is deleted."""

    __tablename__ = "recordings"

    callback_id: Mapped[int] = mapped_column(ForeignKey("callbacks.id"), primary_key=True)
    file: Mapped[str] = mapped_column(String(80), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    seconds: Mapped[int]  # of sound, begun ones counted; 0: nothing can be heard
    made_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    callback: Mapped[Callback] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (Index("recordings_kept", "deleted_at", "made_at"),)


class User(Base):
    """A person who signs in. Names are real people's only in a real installation."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role] = mapped_column(_enum(Role, "role"))
    password_hash: Mapped[str] = mapped_column(String(200))
    pin_hash: Mapped[str | None] = mapped_column(String(200))  # keyed in on a telephone that is called
    pin_failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    pin_locked_until: Mapped[datetime | None]
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"), unique=True)
    official_id: Mapped[int | None] = mapped_column(ForeignKey("officials.id"))  # for whom they answer
    disabled_at: Mapped[datetime | None]  # since when they cannot sign in
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    totp_salt: Mapped[str | None] = mapped_column(String(32))  # hotline/second_factor.py derives the secret
    totp_step: Mapped[int | None]  # the time step of the last accepted code; none before it is taken again
    totp_failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    totp_locked_until: Mapped[datetime | None]

    desk: Mapped[Desk | None] = relationship(lazy="joined")
    official: Mapped[Official | None] = relationship()


class RecoveryCode(Base):
    """A code that stands in for the second factor once. Only a keyed hash is stored."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)


class SignIn(Base):
    """A signed-in session. Only the hash of its cookie is stored."""

    __tablename__ = "sign_ins"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]  # written at most once a minute
    expires_at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(45))
    agent: Mapped[str] = mapped_column(String(100))  # the browser, as it calls itself
    second_factor: Mapped[bool]  # whether it was shown
    totp_offer: Mapped[str | None] = mapped_column(String(32))  # a totp_salt that is being set up

    user: Mapped[User] = relationship(lazy="joined")


class Wall(Base):
    """A screen on a wall. Its cookie, of which only the hash is stored, shows the wallboard, nothing else."""

    __tablename__ = "walls"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]


class Event(Base):
    """One change, appended in its own transaction: what live pages and history read."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(20))  # what changed: see db.events
    what: Mapped[str] = mapped_column(String(40))  # the state or fact it came to
    round_id: Mapped[int | None]
    registration_id: Mapped[int | None]
    callback_id: Mapped[int | None]
    desk_id: Mapped[int | None]
    request_id: Mapped[int | None]

    __table_args__ = ({"sqlite_autoincrement": True},)


class Heartbeat(Base):
    """When a process last said that it works."""

    __tablename__ = "heartbeats"

    process: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime]


class IncomingCalls(Base):
    """How many calls on 137 there were in one hour of the city's clock."""

    __tablename__ = "incoming_calls"

    hour: Mapped[datetime] = mapped_column(primary_key=True)  # when it began
    kind: Mapped[Incoming] = mapped_column(_enum(Incoming, "incoming"), primary_key=True)
    calls: Mapped[int]
