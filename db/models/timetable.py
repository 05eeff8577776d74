"""The city's timetable, from which rounds are made."""

from datetime import date, time

from sqlalchemy import CheckConstraint, Column, ForeignKey, String, Table, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base
from db.models.rounds import Official

timetable_deputies = Table(
    "timetable_deputies",
    Base.metadata,
    Column("rule_id", ForeignKey("timetable_rules.id"), primary_key=True),
    Column("official_id", ForeignKey("officials.id"), primary_key=True),
)
"""The deputies beside a rule's officials."""


class TimetableRule(Base):
    """A rule that makes rounds: its days by RFC 5545, its officials in turn, in the city's time."""

    __tablename__ = "timetable_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    rrule: Mapped[str] = mapped_column(String(500))  # FREQ=WEEKLY;BYDAY=WE
    starts_on: Mapped[date]
    starts_at: Mapped[time]
    ends_at: Mapped[time]  # not after starts_at: on the next day
    at_once: Mapped[int] = mapped_column(default=1)  # officials who answer on one day
    announce_days: Mapped[int] = mapped_column(default=7)  # before the round
    registration_days: Mapped[int] = mapped_column(default=1)  # before the round
    capacity: Mapped[int | None]
    minutes: Mapped[int] = mapped_column(default=6)
    languages: Mapped[str] = mapped_column(String(20), default="fa,en", server_default="fa,en")
    recorded: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # the official who is first in the order
    shift: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    active: Mapped[bool] = mapped_column(default=True)

    deputies: Mapped[list[Official]] = relationship(secondary=timetable_deputies, lazy="selectin")
    officials: Mapped[list["TimetableOfficial"]] = relationship(
        order_by="TimetableOfficial.position", lazy="selectin", cascade="all, delete-orphan"
    )

    __table_args__ = (CheckConstraint("starts_at <> ends_at", name="rule_window"),)


class TimetableOfficial(Base):
    """One of a rule's officials, in their order."""

    __tablename__ = "timetable_officials"

    rule_id: Mapped[int] = mapped_column(ForeignKey("timetable_rules.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    official_id: Mapped[int] = mapped_column(ForeignKey("officials.id"))


class DayOverride(Base):
    """An exception for one day of a rule: no round, other hours, or a substitute."""

    __tablename__ = "day_overrides"

    rule_id: Mapped[int] = mapped_column(ForeignKey("timetable_rules.id"), primary_key=True)
    occurs_on: Mapped[date] = mapped_column(primary_key=True)
    dropped: Mapped[bool] = mapped_column(default=False)
    starts_at: Mapped[time | None]
    ends_at: Mapped[time | None]
    substitute_id: Mapped[int | None] = mapped_column(ForeignKey("officials.id"))
    reason: Mapped[str] = mapped_column(String(500))


class Holiday(Base):
    """An entry of the city's own list: closed, or (`works`) open although the calendar has a holiday."""

    __tablename__ = "holidays"

    day: Mapped[date] = mapped_column(primary_key=True)
    works: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str] = mapped_column(String(200))
