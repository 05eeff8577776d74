"""The tables. Rules that must always hold are indexes and checks here, not code elsewhere."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    String,
    TypeDecorator,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from db.states import HOLDS_PLACE, CallbackState, Outcome, RegistrationState


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
_STANDING = text("standing")
_LIVE = text(f"state <> {CallbackState.CLOSED.value!r}")


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
    ADMINISTRATOR = "administrator"


class Official(Base):
    """An office that answers citizens. `clip` is the prompt that says its name."""

    __tablename__ = "officials"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[OfficialKind] = mapped_column(_enum(OfficialKind, "official_kind"))
    district: Mapped[int | None] = mapped_column(unique=True)
    office_fa: Mapped[str] = mapped_column(String(200))
    office_en: Mapped[str] = mapped_column(String(200))
    clip: Mapped[str] = mapped_column(String(100))

    __table_args__ = (
        CheckConstraint("(kind = 'district_manager') = (district IS NOT NULL)", name="has_district"),
    )


class Round(Base):
    """One announced time window of one official. Its phase is computed (hotline.rounds)."""

    __tablename__ = "rounds"

    id: Mapped[int] = mapped_column(primary_key=True)
    official_id: Mapped[int] = mapped_column(ForeignKey("officials.id"))
    registration_from: Mapped[datetime]
    registration_until: Mapped[datetime]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    standing: Mapped[bool] = mapped_column(default=False)  # the operators' line, not an announced round

    official: Mapped[Official] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (
        CheckConstraint("registration_from < registration_until", name="registration_window"),
        CheckConstraint("registration_until <= ends_at", name="registration_before_end"),
        CheckConstraint("starts_at < ends_at", name="round_window"),
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
    rounds_missed: Mapped[int] = mapped_column(default=0)
    registered_at: Mapped[datetime]
    not_before: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_outcome: Mapped[Outcome | None] = mapped_column(_enum(Outcome, "last_outcome"))

    round: Mapped[Round] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("subject BETWEEN 1 AND 9", name="known_subject"),
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
    Registration.rounds_missed.desc(),
    Registration.registered_at,
    Registration.id,
)


class Confirmation(Base):
    """The call that confirms a keyed-in number. `token` is its channel's id while it is on its way."""

    __tablename__ = "confirmations"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    token: Mapped[str | None] = mapped_column(String(41), unique=True)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]

    registration: Mapped[Registration] = relationship(lazy="joined", innerjoin=True)


class BlockedNumber(Base):
    """A number that may not register, and why."""

    __tablename__ = "blocked_numbers"

    number: Mapped[str] = mapped_column(String(16), primary_key=True)
    reason: Mapped[BlockReason] = mapped_column(_enum(BlockReason, "block_reason"))
    blocked_at: Mapped[datetime]


class Request(Base):
    """A city problem reported to 137."""

    __tablename__ = "requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    tracking: Mapped[str] = mapped_column(String(8), unique=True)
    number: Mapped[str | None] = mapped_column(String(16))  # E.164, if the network gave one
    category: Mapped[int]  # 1 to 9, the city's list
    district: Mapped[int | None]
    message: Mapped[str] = mapped_column(String(80))  # a file in the state folder's messages
    language: Mapped[str] = mapped_column(String(2))
    made_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("category BETWEEN 1 AND 9", name="known_category"),
        CheckConstraint("district BETWEEN 1 AND 15", name="known_district"),
    )


class Desk(Base):
    """A place where callbacks are handled. Its number is the one in its phone's account, desk-N."""

    __tablename__ = "desks"

    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(String(10), default="browser")
    phone_connected: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (CheckConstraint("phone IN ('browser', 'sip')", name="phone_kind"),)


class Callback(Base):
    """One attempt to reach a registrant. `token` is the channel's id; every later write names it."""

    __tablename__ = "callbacks"

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    desk_id: Mapped[int] = mapped_column(ForeignKey("desks.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
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
    talking_at: Mapped[datetime | None]
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
        CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="closed_has_outcome"),
    )


class User(Base):
    """A person who signs in. Names are real people's only in a real installation."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role] = mapped_column(_enum(Role, "role"))
    password_hash: Mapped[str] = mapped_column(String(200))
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"), unique=True)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]

    desk: Mapped[Desk | None] = relationship(lazy="joined")


class SignIn(Base):
    """A signed-in session. Only the hash of its cookie is stored."""

    __tablename__ = "sign_ins"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime]


class Event(Base):
    """One change, appended in its own transaction: what live pages and history read."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(20))  # registration, callback, round, desk
    what: Mapped[str] = mapped_column(String(40))  # the state or fact it came to
    round_id: Mapped[int | None]
    registration_id: Mapped[int | None]
    callback_id: Mapped[int | None]
    desk_id: Mapped[int | None]

    __table_args__ = ({"sqlite_autoincrement": True},)


class Heartbeat(Base):
    """When a process last said that it works."""

    __tablename__ = "heartbeats"

    process: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime]
