"""Calls that the system places by itself: one queue for every kind."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base
from db.models.citizens import CitizenCode
from db.models.line import Registration
from db.models.requests import Request


class OutboundKind(StrEnum):
    """The kinds of outgoing call (hotline.outbound.kinds), each named like its call script."""

    SIGN_IN_CODE = "sign-in-code"
    OVERFLOW = "left-number"
    HEADS_UP = "turn-near"
    SOLVED = "solved"


class LeftOutcome(StrEnum):
    """The answers of a call to a number that was left when all lines were full."""

    REACHED = "reached"  # somebody pressed 1 in our call
    REFUSED = "refused"  # somebody pressed 2: another person had called
    UNREACHED = "unreached"  # nobody answered, or no key was pressed
    CAME = "came"  # dialled 137 again, and got through
    DROPPED = "dropped"  # lines were free too late


_OPEN = text("ended_at IS NULL")
_LEFT = text("kind = 'left-number' AND ended_at IS NULL")


class OutboundCall(Base):
    """A call that the system places by itself (hotline.outbound.queue)."""

    __tablename__ = "outbound_calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    # No check lists the kinds: a new one needs no migration.
    kind: Mapped[OutboundKind] = mapped_column(
        Enum(OutboundKind, native_enum=False, length=20, values_callable=lambda e: [each.value for each in e])
    )
    number: Mapped[str | None] = mapped_column(String(16))  # E.164; None: deleted
    code_id: Mapped[int | None] = mapped_column(ForeignKey("citizen_codes.id", ondelete="CASCADE"))
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id", ondelete="CASCADE"))
    # no foreign keys: 0.3.0, which knows no such rows, could not delete a place; without one no call is due
    registration_id: Mapped[int | None]
    round_id: Mapped[int | None]
    asked_at: Mapped[datetime]  # for a call about an answer, the time of that answer
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    token: Mapped[str | None] = mapped_column(String(41), unique=True)  # the channel of a call in progress
    placed_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(20))  # what the person said; the kind has the words
    answered_at: Mapped[datetime | None]  # when a person had heard enough: no further call
    ended_at: Mapped[datetime | None]  # no further call

    code: Mapped[CitizenCode | None] = relationship()
    request: Mapped[Request | None] = relationship()
    registration: Mapped[Registration | None] = relationship(
        primaryjoin="foreign(OutboundCall.registration_id) == Registration.id", viewonly=True
    )

    __table_args__ = (
        Index("one_call_for_each_code", "kind", "code_id", unique=True),
        Index("one_call_for_each_place", "registration_id", "round_id", "kind", unique=True),
        Index("one_call_for_each_answer", "kind", "request_id", "asked_at", unique=True),
        Index(
            "one_call_for_each_left_number",
            "number",
            unique=True,
            sqlite_where=_LEFT,
            postgresql_where=_LEFT,
        ),
        Index("outbound_calls_due", "kind", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("outbound_calls_of_number", "number", "kind"),
    )
