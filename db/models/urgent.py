"""Urgent matters: a caller in danger, or a request of an urgent category that nobody has taken."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base
from db.models.line import Registration
from db.models.requests import Request

_UNTAKEN = text("taken_at IS NULL")
_UNDER_WAY = text("ended_at IS NULL")


class UrgentMatter(Base):
    """An urgent request, or a caller who said that somebody is in danger; one person takes it, once."""

    __tablename__ = "urgent_matters"

    id: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"), unique=True)
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"), index=True)
    number: Mapped[str | None] = mapped_column(String(16))  # E.164 of such a caller, if known
    taken_by: Mapped[str | None] = mapped_column(String(64))
    taken_at: Mapped[datetime | None]
    texted_at: Mapped[datetime | None]  # when supervisors got a text message
    tries: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # calls to supervisors
    # failures of our own, which do not count as tries
    faults: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    again_at: Mapped[datetime | None]  # no supervisor is called before
    token: Mapped[str | None] = mapped_column(String(41), unique=True)  # of a call to a supervisor on its way
    placed_at: Mapped[datetime | None]

    request: Mapped[Request | None] = relationship(lazy="joined")
    registration: Mapped[Registration | None] = relationship(lazy="joined")

    __table_args__ = (
        Index("urgent_untaken", "made_at", sqlite_where=_UNTAKEN, postgresql_where=_UNTAKEN),
        Index("urgent_of_number", "number"),
    )


class RescueCall(Base):
    """The call to the emergency service for a caller in danger. Both ids are channels' ids."""

    __tablename__ = "rescue_calls"

    token: Mapped[str] = mapped_column(String(41), primary_key=True)
    channel: Mapped[str] = mapped_column(String(150), unique=True)  # the caller's
    matter_id: Mapped[int] = mapped_column(ForeignKey("urgent_matters.id"), index=True)
    asked_at: Mapped[datetime]
    placed_at: Mapped[datetime | None]
    connected_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    node: Mapped[str | None] = mapped_column(String(40))  # the node whose Asterisk has the caller

    __table_args__ = (
        Index("rescue_calls_under_way", "asked_at", sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY),
    )
