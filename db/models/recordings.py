"""Recordings, and summaries of voice messages."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base
from db.models.callbacks import Callback
from db.models.line import Registration
from db.models.people import User


class Recording(Base):
    """A recorded conversation: a file of the state folder's recordings, until it is deleted."""

    __tablename__ = "recordings"

    callback_id: Mapped[int] = mapped_column(ForeignKey("callbacks.id"), primary_key=True)
    file: Mapped[str] = mapped_column(String(80), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    seconds: Mapped[int]  # of sound, rounded up; 0: nothing to hear
    made_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    callback: Mapped[Callback] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (Index("recordings_kept", "deleted_at", "made_at"),)


class VoiceSummary(Base):
    """The summary of a registration's voice message, by a listener, for later desks."""

    __tablename__ = "voice_summaries"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    written: Mapped[str] = mapped_column(String(300))

    registration: Mapped[Registration] = relationship()
    writer: Mapped[User] = relationship(lazy="joined", innerjoin=True)
