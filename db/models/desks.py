"""The desks."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, one_of


class Hearing(StrEnum):
    """How another phone takes part in a desk's conversation."""

    LISTEN = "listen"  # hears both, is heard by nobody
    WHISPER = "whisper"  # is heard by the desk alone
    JOIN = "join"  # speaks with both
    CONSULT = "consult"  # the same, at the wish of the desk that may hand its citizen over


class BreakReason(StrEnum):
    """Why a desk takes nobody for a while."""

    WRITING = "writing"  # finishes what the last conversation left to write
    REST = "rest"
    PRAYER = "prayer"
    MEAL = "meal"
    MEETING = "meeting"
    TECHNICAL = "technical"


class DeskWord(Base):
    """A text of the city for its desks: a ready note, or its name of a reason for a break."""

    __tablename__ = "desk_words"

    id: Mapped[int] = mapped_column(primary_key=True)
    break_reason: Mapped[BreakReason | None] = mapped_column(
        one_of(BreakReason, "desk_word_reason"), unique=True
    )
    name_fa: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100))


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
    admitted_by: Mapped[str | None] = mapped_column(String(64))  # sign-in or SIP key of its phone
    sip_key: Mapped[str | None] = mapped_column(String(8))  # after the 1; None: lets nobody in
    phone_sign_in: Mapped[str | None] = mapped_column(String(64))  # has the browser's account
    round_id: Mapped[int | None] = mapped_column(ForeignKey("rounds.id"), index=True)  # that it serves
    next_asked_at: Mapped[datetime | None]  # wants the next citizen; until they speak
    takes_live: Mapped[bool | None]  # callers who wait on the line; None: as the line it serves says
    hears_desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"))  # a supervisor's: whom it hears
    hears_how: Mapped[str | None] = mapped_column(String(10))  # one of Hearing
    hears_callback_id: Mapped[int | None]  # in this conversation
    break_reason: Mapped[BreakReason | None] = mapped_column(one_of(BreakReason, "desk_break_reason"))
    break_since: Mapped[datetime | None]
    node: Mapped[str | None] = mapped_column(String(40))  # in whose Asterisk its phone is, or was last

    __table_args__ = (
        CheckConstraint("phone IN ('browser', 'sip')", name="phone_kind"),
        CheckConstraint("(break_reason IS NULL) = (break_since IS NULL)", name="break_has_begun"),
    )


class Break(Base):
    """A break that is over: part of a person's day."""

    __tablename__ = "breaks"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk_id: Mapped[int] = mapped_column(ForeignKey("desks.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[BreakReason] = mapped_column(one_of(BreakReason, "break_reason"))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]

    __table_args__ = (Index("breaks_of_person", "user_id", "began_at"),)


_UNREAD = text("read_at IS NULL")


class DeskMessage(Base):
    """A short word of a supervisor to a desk. It stands on the desk's page until its person has read it."""

    __tablename__ = "desk_messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk_id: Mapped[int] = mapped_column(ForeignKey("desks.id"), index=True)
    text: Mapped[str] = mapped_column(String(300))
    who: Mapped[str] = mapped_column(String(64))  # a username
    sent_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    read_by: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("desk_messages_unread", "desk_id", sqlite_where=_UNREAD, postgresql_where=_UNREAD),
    )
