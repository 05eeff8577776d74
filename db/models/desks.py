"""The desks, their breaks and messages."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, make_enum


class Hearing(StrEnum):
    """How another phone takes part in a desk's conversation."""

    LISTEN = "listen"  # hears both, is heard by nobody
    WHISPER = "whisper"  # is heard by the desk alone
    JOIN = "join"  # speaks with both
    CONSULT = "consult"  # the same, asked by the desk that may give its citizen away


class BreakReason(StrEnum):
    """The reason for a desk's break."""

    WRITING = "writing"  # finishes writing about the last conversation
    REST = "rest"
    PRAYER = "prayer"
    MEAL = "meal"
    MEETING = "meeting"
    TECHNICAL = "technical"


class DeskWord(Base):
    """A text of the city for its desks: a ready note, or a name of a break reason."""

    __tablename__ = "desk_words"

    id: Mapped[int] = mapped_column(primary_key=True)
    break_reason: Mapped[BreakReason | None] = mapped_column(
        make_enum(BreakReason, "desk_word_reason"), unique=True
    )
    name_fa: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100))


class Desk(Base):
    """A place where callbacks are handled. Its number is the one in its phone's account, desk-N."""

    __tablename__ = "desks"

    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(String(10), default="browser")
    number: Mapped[str | None] = mapped_column(String(16))  # E.164: called instead; asks for the PIN
    call_asked_at: Mapped[datetime | None]  # when its person asked for that call
    call_token: Mapped[str | None] = mapped_column(
        String(48), unique=True, index=True
    )  # the token of that call, while it lives
    call_placed_at: Mapped[datetime | None]
    phone_connected: Mapped[bool] = mapped_column(default=False)
    # Asterisk's channel of the phone in the conference room
    channel: Mapped[str | None] = mapped_column(String(80))
    admitted_by: Mapped[str | None] = mapped_column(String(64))  # sign-in or SIP key of its phone
    sip_key: Mapped[str | None] = mapped_column(String(8))  # dialled after the 1; None: admits nobody
    phone_sign_in: Mapped[str | None] = mapped_column(String(64))  # has the browser's account
    # the round that it serves
    round_id: Mapped[int | None] = mapped_column(ForeignKey("rounds.id"), index=True)
    next_asked_at: Mapped[datetime | None]  # since when it wants the next citizen, until they speak
    takes_live: Mapped[bool | None]  # callers who wait on the line; None: the line's default
    # of a supervisor: the desk that it hears
    hears_desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"))
    hears_how: Mapped[str | None] = mapped_column(String(10))  # one of Hearing
    hears_callback_id: Mapped[int | None]  # in this conversation
    break_reason: Mapped[BreakReason | None] = mapped_column(make_enum(BreakReason, "desk_break_reason"))
    break_since: Mapped[datetime | None]
    node: Mapped[str | None] = mapped_column(String(40))  # the node of its phone, now or last

    __table_args__ = (
        CheckConstraint("phone IN ('browser', 'sip')", name="phone_kind"),
        CheckConstraint("(break_reason IS NULL) = (break_since IS NULL)", name="break_has_begun"),
    )


class Break(Base):
    """A finished break: part of a person's day."""

    __tablename__ = "breaks"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk_id: Mapped[int] = mapped_column(ForeignKey("desks.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[BreakReason] = mapped_column(make_enum(BreakReason, "break_reason"))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]

    __table_args__ = (Index("breaks_of_person", "user_id", "began_at"),)


_UNREAD = text("read_at IS NULL")


class DeskMessage(Base):
    """A supervisor's short message to a desk. The desk's page shows it until its person has read it."""

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
