"""What an administrator tries live when an installation is set up."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, one_of


class TrialResult(StrEnum):
    """What became of a test call."""

    HEARD = "heard"  # to the end of the sentence
    LEFT = "left"  # somebody picked up, and hung up before that
    NO_SCRIPT = "no_script"  # somebody picked up, and no script spoke
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"  # by the trunk, which says why (SIP)
    SILENT = "silent"  # the trunk said nothing
    HELD_BACK = "held_back"  # by a cap of ours
    LINE_DOWN = "line_down"  # calls are stopped, and another one is trying the trunk
    NOT_PLACED = "not_placed"  # nobody placed it: the dialer is away, or Asterisk
    UNKNOWN = "unknown"


class TrialCall(Base):
    """A test call to an administrator's telephone. Once it is over, of its number only a mask is kept."""

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
    result: Mapped[TrialResult | None] = mapped_column(one_of(TrialResult, "trial_result"))
    trunk: Mapped[str] = mapped_column(String(20), default="", server_default="")  # wanted; the last asked
    said: Mapped[int | None]  # what it said (SIP); 0: nothing
    tried: Mapped[str] = mapped_column(String(300), default="", server_default="")  # «first 503»: before it
    cap: Mapped[str] = mapped_column(String(20), default="", server_default="")  # that held it back
    slot: Mapped[int | None] = mapped_column(Integer, unique=True, default=1, server_default=text("1"))

    __table_args__ = (
        CheckConstraint("slot = 1", name="one_trial_call"),
        CheckConstraint("(slot IS NULL) = (ended_at IS NOT NULL)", name="trial_call_over"),
        CheckConstraint("(result IS NULL) = (ended_at IS NULL)", name="trial_call_result"),
    )
