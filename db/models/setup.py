"""Test calls of an administrator who sets up an installation."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, make_enum


class TrialResult(StrEnum):
    """The result of a test call."""

    HEARD = "heard"  # to the end of the sentence
    LEFT = "left"  # somebody picked up, and hung up before the end
    NO_SCRIPT = "no_script"  # somebody picked up, and no script spoke
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"  # by the trunk, with a SIP status
    SILENT = "silent"  # the trunk did not answer
    HELD_BACK = "held_back"  # by a cap of ours
    LINE_DOWN = "line_down"  # calls are stopped, and another one is testing the trunk
    NOT_PLACED = "not_placed"  # the dialer or Asterisk is away
    UNKNOWN = "unknown"


class TrialCall(Base):
    """A test call to an administrator's telephone. Once it is over, its number is masked."""

    __tablename__ = "trial_calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(2))
    asked_at: Mapped[datetime]
    token: Mapped[str | None] = mapped_column(String(41), unique=True)  # its channel
    placed_at: Mapped[datetime | None]
    rang_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    result: Mapped[TrialResult | None] = mapped_column(make_enum(TrialResult, "trial_result"))
    # the wanted trunk; then the last one tried
    trunk: Mapped[str] = mapped_column(String(20), default="", server_default="")
    said: Mapped[int | None]  # its SIP response; 0: none
    # earlier trunks: «first 503»
    tried: Mapped[str] = mapped_column(String(300), default="", server_default="")
    cap: Mapped[str] = mapped_column(String(20), default="", server_default="")  # the cap that held it back
    slot: Mapped[int | None] = mapped_column(Integer, unique=True, default=1, server_default=text("1"))

    __table_args__ = (
        CheckConstraint("slot = 1", name="one_trial_call"),
        CheckConstraint("(slot IS NULL) = (ended_at IS NOT NULL)", name="trial_call_over"),
        CheckConstraint("(result IS NULL) = (ended_at IS NULL)", name="trial_call_result"),
    )
