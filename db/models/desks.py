"""The desks."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Hearing(StrEnum):
    """How a supervisor takes part in a desk's conversation."""

    LISTEN = "listen"  # hears both, is heard by nobody
    WHISPER = "whisper"  # is heard by the desk alone
    JOIN = "join"  # speaks with both


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
    takes_live: Mapped[bool | None]  # callers who wait on the line; None: as the line it serves says
    hears_desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"))  # a supervisor's: whom it hears
    hears_how: Mapped[str | None] = mapped_column(String(10))  # one of Hearing
    hears_callback_id: Mapped[int | None]  # in this conversation

    __table_args__ = (CheckConstraint("phone IN ('browser', 'sip')", name="phone_kind"),)
