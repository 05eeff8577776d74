"""The audit log, the event log, heartbeats and the trusted time."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class AuditEntry(Base):
    """An entry of the audit log: who did what to whom, and why."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(String(64))  # a username, or "command line"
    action: Mapped[str] = mapped_column(String(40))  # round-cancelled
    subject: Mapped[str] = mapped_column(String(80))  # round 3
    reason: Mapped[str] = mapped_column(String(500), default="")

    __table_args__ = (
        Index("audit_by_person", "who", "id"),
        Index("audit_by_action", "action", "id"),
        Index("audit_by_time", "at"),
    )


_AT_A_DESK = text("user_id IS NOT NULL")


class Event(Base):
    """One change, appended in its own transaction, for live pages and history."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(20))  # kinds of changes: see db.events
    what: Mapped[str] = mapped_column(String(40))  # the new state, or the fact
    round_id: Mapped[int | None]
    registration_id: Mapped[int | None]
    callback_id: Mapped[int | None]
    desk_id: Mapped[int | None]
    user_id: Mapped[int | None]  # the person at that desk
    request_id: Mapped[int | None]
    department_id: Mapped[int | None]  # the department that sees that request from now on
    left_id: Mapped[int | None]  # the department that saw it until now, if another one

    __table_args__ = (
        Index("events_of_person", "user_id", "at", sqlite_where=_AT_A_DESK, postgresql_where=_AT_A_DESK),
        {"sqlite_autoincrement": True},
    )


class Heartbeat(Base):
    """When a process last reported that it works, or the scheduler that a job is done (`clerk/seal`)."""

    __tablename__ = "heartbeats"

    process: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime]
    fresh_s: Mapped[int] = mapped_column(default=6, server_default="6")  # seconds for which it counts


class TrustedTime(Base):
    """The latest moment that has certainly come; one row (db.trusted_time)."""

    __tablename__ = "trusted_time"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    boot: Mapped[str] = mapped_column(String(36))  # of the machine whose monotonic clock showed `ticks` then
    ticks: Mapped[float]
    doubted_until: Mapped[datetime | None]  # by the clock that leapt; None: it did not

    __table_args__ = (CheckConstraint("id = 1", name="one_trusted_time"),)
