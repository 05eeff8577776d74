"""Places in the line, and the numbers that ask for one."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, make_enum
from db.models.rounds import Round
from db.states import HOLDS_PLACE, Outcome, RegistrationState

_HOLDS_PLACE = text(f"state IN ({', '.join(repr(s.value) for s in HOLDS_PLACE)})")


_UNDECIDED = text("decided_at IS NULL")


class BlockReason(StrEnum):
    """The reason why a number may not register; each has a prompt, `blocked-<reason>`."""

    NUISANCE = "nuisance"  # called again and again only to disturb
    OWNER = "owner"  # the number's owner asked for no calls


class ConfirmationKind(StrEnum):
    """A wish to which a number's owner agrees by pressing 1 in a call."""

    REGISTRATION = "registration"  # a place for this number, which a caller typed
    NUMBER = "number"  # a place moves to another number: its present number is asked first
    CANCELLATION = "cancellation"  # the place of this number is cancelled


class Registration(Base):
    """A citizen's place in one round."""

    __tablename__ = "registrations"

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    number: Mapped[str] = mapped_column(String(16))  # E.164
    ticket: Mapped[str] = mapped_column(String(8), unique=True)
    language: Mapped[str] = mapped_column(String(2), default="fa")
    subject: Mapped[int | None]  # 1 to 9, the city's list
    voice_message: Mapped[str | None] = mapped_column(String(80))  # a file in the state folder's messages
    state: Mapped[RegistrationState] = mapped_column(
        make_enum(RegistrationState, "registration_state"), default=RegistrationState.WAITING
    )
    moved_up: Mapped[int] = mapped_column(default=0)  # 1: by a person, for the public reason `moved_reason`
    moved_reason: Mapped[str] = mapped_column(String(500), default="")
    rounds_missed: Mapped[int] = mapped_column(default=0)
    rounds_unanswered: Mapped[int] = mapped_column(default=0)  # rounds in which every attempt was used up
    registered_at: Mapped[datetime]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"))
    not_before: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_outcome: Mapped[Outcome | None] = mapped_column(make_enum(Outcome, "last_outcome"))
    # the channel of the call that made it
    call_id: Mapped[str | None] = mapped_column(String(150), index=True)

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
    """How many wait in one stretch of a line. The database's triggers keep it (migration 0001).

    A place in the line is the sum of a few of these rows, however long the line is (hotline.line.order).
    """

    __tablename__ = "line_counts"

    round_id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)  # 0, 1, 2: see STRETCHES
    moved_up: Mapped[int] = mapped_column(primary_key=True)
    rounds_missed: Mapped[int] = mapped_column(primary_key=True)
    stretch: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # registered_at // seconds of level
    waiting: Mapped[int]

    __table_args__ = ({"sqlite_with_rowid": False},)  # stored in the key's order: a query walks one tree


STRETCHES = (4096, 64, 1)
"""Seconds of one stretch, by level; each is a whole multiple of the next."""


class Carry(Base):
    """A registration's move from a round that did not reach it to the next one."""

    __tablename__ = "carries"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    from_round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    to_round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)
    at: Mapped[datetime]

    __table_args__ = (Index("carries_from", "from_round_id"),)


class Confirmation(Base):
    """A wish to which the owner of `number` must agree. `token` is the channel id of a call on its way."""

    __tablename__ = "confirmations"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ConfirmationKind] = mapped_column(make_enum(ConfirmationKind, "confirmation_kind"))
    number: Mapped[str] = mapped_column(String(16))  # E.164: the number to call
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"), index=True)
    asked_by: Mapped[str | None] = mapped_column(String(16))  # E.164 of the caller; None: withheld
    new_number: Mapped[str | None] = mapped_column(String(16))  # E.164 that replaces `number`
    asked_at: Mapped[datetime]
    token: Mapped[str | None] = mapped_column(String(41), unique=True)
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    not_before: Mapped[datetime]
    agreed: Mapped[bool | None]  # pressed 1, or 2
    decided_at: Mapped[datetime | None]  # by a key, by silence, or because nothing is left to decide

    registration: Mapped[Registration | None] = relationship(lazy="joined")

    __table_args__ = (
        Index("confirmations_of_caller", "asked_by", "asked_at"),
        Index("confirmations_of_number", "number", "decided_at"),
        Index("confirmations_due", "not_before", sqlite_where=_UNDECIDED, postgresql_where=_UNDECIDED),
    )


class BlockedNumber(Base):
    """A number that may not register, and why."""

    __tablename__ = "blocked_numbers"

    number: Mapped[str] = mapped_column(String(16), primary_key=True)
    reason: Mapped[BlockReason] = mapped_column(make_enum(BlockReason, "block_reason"))
    note: Mapped[str] = mapped_column(String(500), default="", server_default="")
    who: Mapped[str] = mapped_column(String(64), default="", server_default="")  # who blocked it
    blocked_at: Mapped[datetime]


class CallerNow(Base):
    """A caller on 137 at this moment, who is not called meanwhile. Rows count while `ivr` is alive."""

    __tablename__ = "callers_now"

    channel: Mapped[str] = mapped_column(String(80), primary_key=True)  # the id of Asterisk's channel
    number: Mapped[str] = mapped_column(String(16), index=True)  # E.164; empty: unknown
    since: Mapped[datetime]
    node: Mapped[str | None] = mapped_column(String(40))  # the node whose Asterisk has the channel


class SilentCaller(Base):
    """A number whose caller pressed no key after a question."""

    __tablename__ = "silent_callers"

    number: Mapped[str] = mapped_column(String(16), primary_key=True)  # E.164
    silent_at: Mapped[datetime] = mapped_column(index=True)  # the last time
    operator_at: Mapped[datetime | None]  # when silence last brought it into the operators' line
