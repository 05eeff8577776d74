"""What is counted."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
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


class RequestFigures(Base):
    """What became of the requests that were reported in the last `days`: of a category, of a department, or
    of all. Counted by the clerk, for the public.
    """

    __tablename__ = "request_figures"

    id: Mapped[int] = mapped_column(primary_key=True)
    days: Mapped[int]
    category: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    received: Mapped[int]
    solved: Mapped[int]  # as the city says, and nobody objects
    confirmed: Mapped[int]  # of these: so the citizen says
    unanswered: Mapped[int]  # of these: the citizen said nothing for so long
    objected: Mapped[int]  # the citizen has said at least once that it is not solved
    rejected: Mapped[int]
    rated: Mapped[int]  # how often a citizen has said how satisfied they are,
    satisfaction: Mapped[float | None]  # and the mean, 1 to 5
    median_days: Mapped[float | None]  # from reporting until solved
    ninetieth_days: Mapped[float | None]
    counted_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("category IS NULL OR department_id IS NULL", name="figures_of_one_thing"),
        Index("figures_of_days", "days"),
    )
