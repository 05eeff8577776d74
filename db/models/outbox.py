"""Messages to citizens, and notices, until they are sent."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, make_enum
from db.models.citizens import NoticeTopic


class Delivery(StrEnum):
    """The state of an outgoing message."""

    PENDING = "pending"  # to be sent when its time comes
    SENDING = "sending"  # a sender has claimed it
    SENT = "sent"
    FAILED = "failed"  # refused for good, or tried too often
    EXPIRED = "expired"  # too late to be of use


class DeliveryFailure(StrEnum):
    """The reason why a message is not sent, or not yet."""

    NUMBER = "number"  # no number, or one that takes no messages
    CREDIT = "credit"  # the provider's account is empty
    ACCOUNT = "account"  # the key, its rights or its address
    LINE = "line"  # the sender's line
    RATE = "rate"  # too many at once
    TEMPLATE = "template"  # missing, or unlike the provider's
    REFUSED = "refused"  # the provider rejects this text
    DOWN = "down"  # the provider was not reached, or accepts nothing now
    NO_ANSWER = "no_answer"  # it may have been sent
    DOUBT = "doubt"  # the same, and it is not sent again automatically
    TOO_LATE = "too_late"
    UNTRUE = "untrue"  # it is no longer true
    SWITCHED_OFF = "switched_off"  # by its citizen
    NOBODY = "nobody"  # no provider is set
    OURS = "ours"  # a fault in this program


class Arrival(StrEnum):
    """The provider's delivery report."""

    UNDERWAY = "underway"
    DELIVERED = "delivered"
    UNREACHABLE = "unreachable"  # the telephone was off, or does not exist
    BLACKLISTED = "blacklisted"  # its owner takes no such messages
    EXPIRED = "expired"  # the network gave up
    REFUSED = "refused"  # by the network, or for its text
    UNKNOWN = "unknown"  # no report within a day and a half


NOT_ARRIVED = (Arrival.UNREACHABLE, Arrival.BLACKLISTED, Arrival.EXPIRED, Arrival.REFUSED)
"""Delivery reports after which a message may be sent again."""


class OutboxKind(StrEnum):
    """The purpose of a message; the catalogue has a text with the same name for each text message."""

    REGISTERED = "registered"
    TURN_NEAR = "turn_near"  # your turn is near
    NOT_REACHED = "not_reached"  # the next round is unknown yet
    CARRIED = "carried"  # not reached, and when the next round is
    ROUND_CANCELLED = "round_cancelled"
    ROUND_CHANGED = "round_changed"  # it has other hours
    CLOSED = "closed"  # never answered in two rounds
    ROUND_ANNOUNCED = "round_announced"  # to a citizen who wished to know the next round
    NUMBER_CHANGED = "number_changed"  # to the old number
    CANCELLED = "cancelled"  # cancelled by telephone
    ANSWER = "answer"  # to the citizen's own text message
    REQUEST_REPORTED = "request_reported"  # with its tracking number
    REQUEST_NEWS = "request_news"  # how it goes on
    REQUEST_ASKED = "request_asked"  # the department's question
    REQUEST_REPLIED = "request_replied"  # solved; is it?
    REQUEST_REJECTED = "request_rejected"
    REQUEST_CLOSED = "request_closed"  # with the earlier request that it duplicates
    FOLLOWED_REPLIED = "followed_replied"  # to a follower: the city says that it is solved
    FOLLOWED_REJECTED = "followed_rejected"
    FOLLOWED_CLOSED = "followed_closed"
    REQUEST_DUE = "request_due"  # to a department's telephone: little time is left
    REQUEST_LATE = "request_late"  # to the same, for its head
    URGENT = "urgent"  # to supervisors: nobody has taken it
    SIGN_IN_CODE = "sign_in_code"  # to somebody who signs in by number; the code itself is not in the row
    NOTICE = "notice"  # of a round, to a webhook
    REQUEST_STEP = "request_step"  # to a webhook, too


TO_WEBHOOKS = (OutboxKind.NOTICE, OutboxKind.REQUEST_STEP)
"""Messages to machines: sent at any hour, and without a provider of text messages."""
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
"""Notices that go to a citizen's app if possible, and may be switched off.

All others are text messages: places in a line, a tracking number, answers, codes. A tracking number also
shows that somebody reported in this name."""


class OutboxMessage(Base):
    """A text message to a citizen, or a notice to a webhook. It is written in the transaction that it
    reports.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)  # its subject: nobody is told twice
    kind: Mapped[OutboxKind] = mapped_column(make_enum(OutboxKind, "outbox_kind"))
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"), index=True)
    round_id: Mapped[int | None] = mapped_column(ForeignKey("rounds.id"), index=True)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"), index=True)
    to: Mapped[str] = mapped_column(String(500))  # E.164, or a webhook's address
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[Delivery] = mapped_column(make_enum(Delivery, "delivery"), default=Delivery.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    not_before: Mapped[datetime]  # of a message being sent: its sender's lease
    expires_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    provider: Mapped[str] = mapped_column(String(20), default="")  # the last provider that got it
    provider_id: Mapped[str] = mapped_column(String(80), default="")
    parts: Mapped[int | None]  # of its text; None: a template's, unknown to us
    doubts: Mapped[int] = mapped_column(default=0)  # how often it is unknown whether it was sent
    again: Mapped[int] = mapped_column(default=0)  # how often it was sent again, with a new id
    error: Mapped[str] = mapped_column(String(300), default="")
    why: Mapped[DeliveryFailure | None] = mapped_column(make_enum(DeliveryFailure, "outbox_why"))
    arrival: Mapped[Arrival | None] = mapped_column(make_enum(Arrival, "outbox_arrival"))
    arrival_at: Mapped[datetime | None]
    ask_at: Mapped[datetime | None]  # when the provider is next asked for the delivery report
    asks: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        Index("outbox_to_ask", "provider", "ask_at"),
        Index("outbox_due", "state", "not_before"),
        Index("outbox_of_number", "to", "made_at"),
        Index(
            "outbox_answers",
            "made_at",
            sqlite_where=text("kind = 'answer'"),
            postgresql_where=text("kind = 'answer'"),
        ),
    )


class SmsAccount(Base):
    """Our account at a provider of text messages, as it last reported."""

    __tablename__ = "sms_accounts"

    provider: Mapped[str] = mapped_column(String(20), primary_key=True)
    credit: Mapped[float | None]  # in the provider's unit
    asked_at: Mapped[datetime]
    error: Mapped[str] = mapped_column(String(80), default="")  # why it gave no report
