"""Calls to citizens, callers who wait on the line, and the circuit breakers."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, make_enum
from db.models.line import Registration
from db.models.people import User
from db.states import CallbackState, GuestEnd, GuestState, Outcome

_LIVE = text(f"state <> {CallbackState.CLOSED.value!r}")


_AT_DESK = text(
    f"state <> {CallbackState.CLOSED.value!r} AND (state <> {CallbackState.PARTING.value!r} OR said IS NULL)"
)


_SCREENING = text(f"state = {CallbackState.SCREENING.value!r}")


_UNDER_WAY = text("ended_at IS NULL")


_STAYS = text("left_at IS NULL")


_CUT = text("held_until IS NOT NULL")


_THREAT = text("threat_at IS NOT NULL")


_TALKED = text("talking_at IS NOT NULL")


class Callback(Base):
    """One attempt to reach a registrant. `token` is the channel's id; every later write names it."""

    __tablename__ = "callbacks"

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))  # a registration may move on
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"), index=True)  # None: called ahead
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    screen_desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"))  # the screening desk
    # the former desk of the conversation
    given_by_desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"))
    token: Mapped[str] = mapped_column(String(41), unique=True)
    state: Mapped[CallbackState] = mapped_column(
        make_enum(CallbackState, "callback_state"), default=CallbackState.CLAIMED
    )
    outcome: Mapped[Outcome | None] = mapped_column(make_enum(Outcome, "outcome"))
    claimed_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    placed_at: Mapped[datetime | None]  # the dialer has claimed it; never placed a second time
    answered_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]  # pressed 1
    talking_at: Mapped[datetime | None]
    finishing_at: Mapped[datetime | None]  # the official says that the conversation is nearly over
    toned_at: Mapped[datetime | None]  # the official heard that the agreed minutes are nearly over
    # our side of the conversation is gone; its place is held until then; or when an answered call was cut
    held_until: Mapped[datetime | None]
    held_at: Mapped[datetime | None]  # since when our side is gone, while it is
    on_hold_at: Mapped[datetime | None]  # our side is gone at the desk's wish: music until the desk resumes
    held_s: Mapped[float] = mapped_column(
        Float, default=0.0, server_default=text("0")
    )  # seconds without our side, in all
    parting_at: Mapped[datetime | None]  # the desk ended the conversation, and nobody has undone it
    # the outcome to record after parting
    said: Mapped[Outcome | None] = mapped_column(make_enum(Outcome, "said"))
    # no phone was dialled
    on_the_line: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    again_at: Mapped[datetime | None]  # the time at which the citizen asked to be called again
    # the desk agreed that time with the citizen
    agreed: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    threat_at: Mapped[datetime | None]  # the desk says that the citizen threatens somebody
    hangup_asked_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    # the node whose Asterisk has its channel, once placed
    node: Mapped[str | None] = mapped_column(String(40))

    registration: Mapped[Registration] = relationship(lazy="joined", innerjoin=True)
    notes: Mapped[list["Note"]] = relationship(order_by="Note.id")

    __table_args__ = (
        Index(
            "one_live_callback_per_registration",
            "registration_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index(
            "one_live_callback_per_desk",
            "desk_id",
            unique=True,
            sqlite_where=_AT_DESK,
            postgresql_where=_AT_DESK,
        ),
        Index("callbacks_of_round", "round_id", "placed_at"),
        Index("callbacks_by_state", "state", "round_id"),
        Index("callbacks_on_the_line", "state", sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY),
        Index("callbacks_cut", "desk_id", sqlite_where=_CUT, postgresql_where=_CUT),
        Index("callbacks_with_threat", "threat_at", sqlite_where=_THREAT, postgresql_where=_THREAT),
        Index("callbacks_by_talk", "talking_at", sqlite_where=_TALKED, postgresql_where=_TALKED),
        Index(
            "one_screening_per_desk",
            "screen_desk_id",
            unique=True,
            sqlite_where=_SCREENING,
            postgresql_where=_SCREENING,
        ),
        CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="closed_has_outcome"),
        CheckConstraint(
            "desk_id IS NOT NULL OR state NOT IN ('claimed', 'talking', 'held', 'parting', 'ended')",
            name="talks_at_a_desk",
        ),
        CheckConstraint("state <> 'held' OR held_until IS NOT NULL", name="held_since"),
        CheckConstraint("state <> 'parting' OR parting_at IS NOT NULL", name="parting_since"),
        CheckConstraint("state <> 'screening' OR screen_desk_id IS NOT NULL", name="screened_by_a_desk"),
    )


class Note(Base):
    """One person's note on a conversation. A note is never overwritten."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    callback_id: Mapped[int] = mapped_column(ForeignKey("callbacks.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    written: Mapped[str] = mapped_column(Text)

    writer: Mapped[User] = relationship()

    @property
    def by(self) -> str:
        """The writer's name."""
        return self.writer.name


_GUEST_IS_ON = text("ended_at IS NULL")


class Guest(Base):
    """A third person whom a desk calls into its conversation. `token` is the channel's id."""

    __tablename__ = "guests"

    id: Mapped[int] = mapped_column(primary_key=True)
    callback_id: Mapped[int] = mapped_column(ForeignKey("callbacks.id"), index=True)
    desk_id: Mapped[int] = mapped_column(ForeignKey("desks.id"))  # into this desk's conference room
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    official_id: Mapped[int | None] = mapped_column(ForeignKey("officials.id"))  # neither: a typed number
    token: Mapped[str] = mapped_column(String(41), unique=True)
    number: Mapped[str] = mapped_column(String(16))  # E.164
    asked_by: Mapped[str] = mapped_column(String(64))  # a username
    state: Mapped[GuestState] = mapped_column(make_enum(GuestState, "guest_state"), default=GuestState.ASKED)
    ended_by: Mapped[GuestEnd | None] = mapped_column(make_enum(GuestEnd, "guest_end"))
    asked_at: Mapped[datetime]
    placed_at: Mapped[datetime | None]  # the dialer has claimed it; never placed a second time
    talking_at: Mapped[datetime | None]
    hangup_asked_at: Mapped[datetime | None]  # the desk wants it ended
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "one_guest_per_callback",
            "callback_id",
            unique=True,
            sqlite_where=_GUEST_IS_ON,
            postgresql_where=_GUEST_IS_ON,
        ),
        Index(
            "one_call_per_guest",
            "number",
            unique=True,
            sqlite_where=_GUEST_IS_ON,
            postgresql_where=_GUEST_IS_ON,
        ),
        CheckConstraint("(state IN ('ended', 'failed')) = (ended_at IS NOT NULL)", name="guest_has_ended"),
        CheckConstraint("ended_at IS NULL OR ended_by IS NOT NULL", name="guest_has_reason"),
        CheckConstraint("department_id IS NULL OR official_id IS NULL", name="guest_is_one"),
    )


class CallQuality(Base):
    """A conversation's sound, as the desk's browser measured it; one row each.

    A table of its own, since it is written while others write the callback. MOS is that of the worse
    direction.
    """

    __tablename__ = "call_quality"

    callback_id: Mapped[int] = mapped_column(ForeignKey("callbacks.id"), primary_key=True)
    readings: Mapped[int]  # the number of samples of the means and worst values
    mos: Mapped[float] = mapped_column(Float)
    mos_worst: Mapped[float] = mapped_column(Float)
    loss: Mapped[float] = mapped_column(Float)  # per cent of the packets
    loss_worst: Mapped[float] = mapped_column(Float)
    jitter_ms: Mapped[float] = mapped_column(Float)
    jitter_ms_worst: Mapped[float] = mapped_column(Float)
    rtt_ms: Mapped[float | None] = mapped_column(Float)  # round trip
    rtt_ms_worst: Mapped[float | None] = mapped_column(Float)
    measured_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("readings > 0", name="was_read"),
        CheckConstraint("mos BETWEEN 1 AND 5 AND mos_worst BETWEEN 1 AND 5", name="mos_is_one"),
        CheckConstraint("loss BETWEEN 0 AND 100 AND loss_worst BETWEEN 0 AND 100", name="loss_is_a_share"),
    )


class WaitingCaller(Base):
    """A caller on 137 with a place in the operators' line who stays on the line.

    The row lives with the call: its script renews `seen_at`, and says when the call has ended.
    """

    __tablename__ = "waiting_callers"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(150), unique=True)  # the id of Asterisk's channel
    since: Mapped[datetime]
    seen_at: Mapped[datetime]
    left_at: Mapped[datetime | None]  # hung up, was connected with a desk, or chose a callback
    node: Mapped[str | None] = mapped_column(String(40))  # the node whose Asterisk has the channel

    __table_args__ = (
        Index("callers_that_wait", "since", sqlite_where=_STAYS, postgresql_where=_STAYS),
        Index("callers_that_left", "left_at"),
    )


class PlacedCall(Base):
    """An outgoing call of any kind, recorded when it is claimed; the caps count these rows
    (trunk.call_caps).
    """

    __tablename__ = "placed_calls"

    token: Mapped[str] = mapped_column(String(41), primary_key=True)
    number: Mapped[str] = mapped_column(String(16))  # E.164
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # when its channel ended
    ours: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # no cap counts it
    node: Mapped[str | None] = mapped_column(String(40))  # the node that placed it

    __table_args__ = (
        Index("placed_calls_of_number", "number", "at"),
        Index("placed_calls_by_time", "at"),
        Index("placed_calls_under_way", "at", sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY),
    )


class Breaker(Base):
    """A circuit breaker: calls flow, or are tried one at a time after failures of our own
    (trunk.circuit_breaker).
    """

    __tablename__ = "breakers"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    opened_at: Mapped[datetime | None]  # since when calls do not flow
    probes: Mapped[int] = mapped_column(default=0)  # failed ones since then, or since the trunk answers again
    probe: Mapped[str | None] = mapped_column(String(48))  # the call that tests it now
    next_probe_at: Mapped[datetime | None]
    answers: Mapped[bool | None]  # whether the trunk answers SIP OPTIONS
    tried: Mapped[str] = mapped_column(Text, default="", server_default="")  # numbers that failed in that row
    worked_at: Mapped[datetime | None]  # when a call last showed that the fault was over
    suspects: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether a number has failed since that fails alone."""


class TrunkState(Base):
    """A trunk's state, by its name in the settings (trunk.selection)."""

    __tablename__ = "trunks"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    answers: Mapped[bool | None]  # whether it answers SIP OPTIONS; None: it never did
    latency_ms: Mapped[float | None] = mapped_column(Float)  # of that answer
    registered: Mapped[bool | None]  # whether it accepted our registration, if it needs one
    failures: Mapped[int] = mapped_column(default=0)  # in a row, of different numbers
    last_failed: Mapped[str | None] = mapped_column(String(48))  # the last failed call's token
    said: Mapped[int | None]  # its SIP response to that call; 0: none
    down_since: Mapped[datetime | None]  # since when it is tried last
    tries: Mapped[int] = mapped_column(default=0)  # failed ones since then
    next_try_at: Mapped[datetime | None]  # when one call is to try it first
    taken: Mapped[int] = mapped_column(default=0)  # calls that it brought to a phone, ever
    refused: Mapped[int] = mapped_column(default=0)  # calls that it did not
