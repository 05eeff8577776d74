"""Offices, subjects and rounds."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, Table, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, make_enum

_OPERATORS_LINE = text("is_operators_line")


class OfficialKind(StrEnum):
    """Kinds of officials."""

    MAYOR = "mayor"
    DEPUTY = "deputy"
    DISTRICT_MANAGER = "district_manager"
    OPERATORS = "operators"  # of the line «an operator calls you back»


class Official(Base):
    """An office that answers citizens. `clip` is the prompt of its name."""

    __tablename__ = "officials"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[OfficialKind] = mapped_column(make_enum(OfficialKind, "official_kind"))
    district: Mapped[int | None] = mapped_column(unique=True)
    office_fa: Mapped[str] = mapped_column(String(200))
    office_en: Mapped[str] = mapped_column(String(200))
    clip: Mapped[str] = mapped_column(String(100))
    # rounds may be planned for it
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    number: Mapped[str | None] = mapped_column(String(16))  # E.164: a desk may call it into a conversation

    __table_args__ = (
        CheckConstraint("(kind = 'district_manager') = (district IS NOT NULL)", name="has_district"),
    )


class Subject(Base):
    """One of the city's nine subjects. `id` is its key on the phone; `subject-<id>` is its prompt."""

    __tablename__ = "subjects"

    id: Mapped[int] = mapped_column(primary_key=True)
    name_fa: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100))
    offered: Mapped[bool] = mapped_column(default=True)  # to callers

    __table_args__ = (CheckConstraint("id BETWEEN 1 AND 9", name="subject_has_key"),)


round_deputies = Table(
    "round_deputies",
    Base.metadata,
    Column("round_id", ForeignKey("rounds.id"), primary_key=True),
    Column("official_id", ForeignKey("officials.id"), primary_key=True),
)
"""The deputies beside a round's official."""


class Round(Base):
    """One announced time window of one official. Its phase is computed (hotline.rounds.phases)."""

    __tablename__ = "rounds"

    id: Mapped[int] = mapped_column(primary_key=True)
    official_id: Mapped[int] = mapped_column(ForeignKey("officials.id"), index=True)
    # speaks in the official's place
    substitute_id: Mapped[int | None] = mapped_column(ForeignKey("officials.id"))
    announce_at: Mapped[datetime]  # its notice is public from then on
    registration_from: Mapped[datetime]
    registration_until: Mapped[datetime]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int | None]  # registrations, at most; None: no limit
    languages: Mapped[str] = mapped_column(String(20), default="fa,en")  # spoken with citizens
    minutes: Mapped[int] = mapped_column(default=6)  # agreed for one conversation
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(500), default="")  # of a cancellation or change; public
    changes: Mapped[int] = mapped_column(default=0)  # how often it was changed
    changed_at: Mapped[datetime | None]  # the last time
    start_set_at: Mapped[datetime | None]  # when its present start was decided
    paused_at: Mapped[datetime | None]  # since when nobody is called
    recorded: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # citizens are told
    is_operators_line: Mapped[bool] = mapped_column(default=False)  # not an announced round
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("timetable_rules.id"))
    occurs_on: Mapped[date | None]  # the day of the rule that made it
    turn: Mapped[int | None]  # its place in the rule's order of officials, from 0
    node: Mapped[str | None] = mapped_column(
        String(40)
    )  # the node that serves it (hotline.nodes); None: none yet

    official: Mapped[Official] = relationship(foreign_keys=[official_id], lazy="joined", innerjoin=True)
    substitute: Mapped[Official | None] = relationship(foreign_keys=[substitute_id], lazy="joined")
    deputies: Mapped[list[Official]] = relationship(secondary=round_deputies)

    __table_args__ = (
        CheckConstraint("announce_at <= registration_from", name="announced_first"),
        CheckConstraint("registration_from < registration_until", name="registration_window"),
        CheckConstraint("registration_until <= ends_at", name="registration_before_end"),
        CheckConstraint("starts_at < ends_at", name="round_window"),
        CheckConstraint("capacity > 0", name="some_capacity"),
        CheckConstraint("minutes > 0", name="some_minutes"),
        UniqueConstraint("rule_id", "turn", name="one_round_per_turn"),
        Index("rounds_by_end", "ends_at"),
        Index(
            "one_operators_line",
            "is_operators_line",
            unique=True,
            sqlite_where=_OPERATORS_LINE,
            postgresql_where=_OPERATORS_LINE,
        ),
    )
