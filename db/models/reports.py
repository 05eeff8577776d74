"""What is counted."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, one_of


class Incoming(StrEnum):
    """What became of a call on 137."""

    ANSWERED = "answered"
    TURNED_AWAY = "turned_away"  # heard that all lines are full


class IncomingCalls(Base):
    """How many calls on 137 there were in one hour of the city's clock."""

    __tablename__ = "incoming_calls"

    hour: Mapped[datetime] = mapped_column(primary_key=True)  # when it began
    kind: Mapped[Incoming] = mapped_column(one_of(Incoming, "incoming"), primary_key=True)
    calls: Mapped[int]
