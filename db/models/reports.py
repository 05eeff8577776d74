"""Counts and figures."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, make_enum


class Incoming(StrEnum):
    """The result of a call on 137."""

    ANSWERED = "answered"
    TURNED_AWAY = "turned_away"  # heard that all lines are full


class IncomingCalls(Base):
    """How many calls on 137 there were in one hour of the city's clock."""

    __tablename__ = "incoming_calls"

    hour: Mapped[datetime] = mapped_column(primary_key=True)  # its beginning
    kind: Mapped[Incoming] = mapped_column(make_enum(Incoming, "incoming"), primary_key=True)
    calls: Mapped[int]


class RequestFigures(Base):
    """Public figures of the requests reported in the last `days`: of a category, a department, or all.

    The scheduler counts them.
    """

    __tablename__ = "request_figures"

    id: Mapped[int] = mapped_column(primary_key=True)
    days: Mapped[int]
    category: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    received: Mapped[int]
    solved: Mapped[int]  # by the city's word, and nobody objects
    confirmed: Mapped[int]  # of these: the citizen agrees
    unanswered: Mapped[int]  # of these: the citizen did not answer in time
    objected: Mapped[int]  # the citizen objected at least once
    rejected: Mapped[int]
    rated: Mapped[int]  # number of ratings
    satisfaction: Mapped[float | None]  # their mean, 1 to 5
    median_days: Mapped[float | None]  # from the report to the solution
    ninetieth_days: Mapped[float | None]
    counted_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("category IS NULL OR department_id IS NULL", name="figures_of_one_thing"),
        Index("figures_of_days", "days"),
    )
