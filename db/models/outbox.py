"""Messages to citizens, and notices, until they are out."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, one_of
from db.models.citizens import NoticeTopic


class Delivery(StrEnum):
    """Where an outgoing message stands."""

    PENDING = "pending"  # to be sent when its time comes
    SENDING = "sending"  # a sender has taken it up
    SENT = "sent"
    FAILED = "failed"  # refused for good, or tried too often
    EXPIRED = "expired"  # too late to be of use


class WhyNot(StrEnum):
    """Why a message is not out, or not yet."""

    NUMBER = "number"  # it is none, or cannot be written to
    CREDIT = "credit"  # the provider's account is empty
    ACCOUNT = "account"  # the key, its rights or its address
    LINE = "line"  # the line it would come from
    RATE = "rate"  # too many at once
    TEMPLATE = "template"  # there is none, or not as the provider knows it
    REFUSED = "refused"  # the provider does not take these words
    DOWN = "down"  # the provider was not reached, or takes nothing now
    NO_ANSWER = "no_answer"  # it may have gone out
    DOUBT = "doubt"  # the same, and it is not sent a second time by itself
    TOO_LATE = "too_late"
    UNTRUE = "untrue"  # it is not true any more
    SWITCHED_OFF = "switched_off"  # by its citizen
    NOBODY = "nobody"  # no provider is set
    OURS = "ours"  # a fault in this program


class Arrival(StrEnum):
    """What the provider says became of a message that it took."""

    UNDERWAY = "underway"
    DELIVERED = "delivered"
    UNREACHABLE = "unreachable"  # the telephone was off, or is none
    BLACKLISTED = "blacklisted"  # its owner takes no such messages
    EXPIRED = "expired"  # the network gave up
    REFUSED = "refused"  # by the network, or for its words
    UNKNOWN = "unknown"  # nobody said within a day and a half


NOT_ARRIVED = (Arrival.UNREACHABLE, Arrival.BLACKLISTED, Arrival.EXPIRED, Arrival.REFUSED)
"""Such a message may be sent again."""


class OutboxKind(StrEnum):
    """Why a message is sent; each text message has a text of the same name in the catalogue."""

    REGISTERED = "registered"
    TURN_NEAR = "turn_near"  # your turn is near
    NOT_REACHED = "not_reached"  # the next round is not known yet
    CARRIED = "carried"  # not reached, and when the next round is
    ROUND_CANCELLED = "round_cancelled"
    ROUND_CHANGED = "round_changed"  # it has other hours
    CLOSED = "closed"  # never answered in two rounds
    ROUND_ANNOUNCED = "round_announced"  # to whoever wished to know of the next one
    NUMBER_CHANGED = "number_changed"  # said to the old number
    CANCELLED = "cancelled"  # given up by telephone
    ANSWER = "answer"  # to a text message of theirs
    REQUEST_REPORTED = "request_reported"  # and its tracking number
    REQUEST_NEWS = "request_news"  # how it goes on
    REQUEST_ASKED = "request_asked"  # the department's question
    REQUEST_REPLIED = "request_replied"  # solved, and is it?
    REQUEST_REJECTED = "request_rejected"
    REQUEST_CLOSED = "request_closed"  # with the earlier one whose duplicate it is
    FOLLOWED_REPLIED = "followed_replied"  # to whoever follows a request: the city says that it is solved
    FOLLOWED_REJECTED = "followed_rejected"
    FOLLOWED_CLOSED = "followed_closed"
    REQUEST_DUE = "request_due"  # to a department's telephone: it has little time left
    REQUEST_LATE = "request_late"  # to the same, for its head
    URGENT = "urgent"  # to supervisors: nobody has taken it
    SIGN_IN_CODE = "sign_in_code"  # to whoever signs in by the number; the code itself is not in the row
    NOTICE = "notice"  # of a round, to a webhook
    REQUEST_STEP = "request_step"  # to a webhook, too


TO_WEBHOOKS = (OutboxKind.NOTICE, OutboxKind.REQUEST_STEP)
"""A machine's: at any hour, and whoever sends text messages."""
TOPICS: Mapping[OutboxKind, NoticeTopic] = {
    OutboxKind.REQUEST_ASKED: NoticeTopic.QUESTION,
    OutboxKind.REQUEST_REPLIED: NoticeTopic.SOLVED,
    OutboxKind.REQUEST_NEWS: NoticeTopic.NEWS,
    OutboxKind.REQUEST_REJECTED: NoticeTopic.ENDED,
    OutboxKind.REQUEST_CLOSED: NoticeTopic.ENDED,
    OutboxKind.FOLLOWED_REPLIED: NoticeTopic.FOLLOWED,
    OutboxKind.FOLLOWED_REJECTED: NoticeTopic.FOLLOWED,
    OutboxKind.FOLLOWED_CLOSED: NoticeTopic.FOLLOWED,
}
"""What goes to a citizen's app where it can, and may be switched off. All else is a text message: places
in a line, a tracking number (it also tells that somebody reported in this name), answers, codes."""


class OutboxMessage(Base):
    """The outbox: a text message to a citizen, or a notice to a webhook. Written with what it tells of."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)  # what it is about: nobody is told twice
    kind: Mapped[OutboxKind] = mapped_column(one_of(OutboxKind, "outbox_kind"))
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"), index=True)
    round_id: Mapped[int | None] = mapped_column(ForeignKey("rounds.id"), index=True)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"), index=True)
    to: Mapped[str] = mapped_column(String(500))  # E.164, or a webhook's address
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[Delivery] = mapped_column(one_of(Delivery, "delivery"), default=Delivery.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    not_before: Mapped[datetime]  # of one that is being sent: until then its sender has it
    expires_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    provider: Mapped[str] = mapped_column(String(20), default="")  # who was given it last
    provider_id: Mapped[str] = mapped_column(String(80), default="")
    parts: Mapped[int | None]  # of its text; None: a template's, which is not ours
    doubts: Mapped[int] = mapped_column(default=0)  # so many times nobody knows whether it went out
    again: Mapped[int] = mapped_column(default=0)  # so many times it was sent anew, under a new name
    error: Mapped[str] = mapped_column(String(300), default="")
    why: Mapped[WhyNot | None] = mapped_column(one_of(WhyNot, "outbox_why"))
    arrival: Mapped[Arrival | None] = mapped_column(one_of(Arrival, "outbox_arrival"))
    arrival_at: Mapped[datetime | None]
    ask_at: Mapped[datetime | None]  # when the provider is asked next what became of it
    asks: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        Index("outbox_to_ask", "provider", "ask_at"),
        Index("outbox_due", "state", "not_before"),
        Index("outbox_of_number", "to", "made_at"),
    )


class SmsAccount(Base):
    """Our account at a provider of text messages, as it last said."""

    __tablename__ = "sms_accounts"

    provider: Mapped[str] = mapped_column(String(20), primary_key=True)
    credit: Mapped[float | None]  # in its own unit
    asked_at: Mapped[datetime]
    error: Mapped[str] = mapped_column(String(80), default="")  # why it did not say
