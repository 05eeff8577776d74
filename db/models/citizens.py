"""Citizens who sign in by number: one-time codes, sessions, and pending erasures."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, make_enum

_OPEN = text("ended_at IS NULL")
_TO_CALL = text("way = 'call' AND placed_at IS NULL AND ended_at IS NULL")


class CodeWay(StrEnum):
    """The channel by which a code reaches the telephone."""

    SMS = "sms"
    CALL = "call"  # spoken, once somebody has pressed 1
    MESSENGER = "messenger"


class CitizenCode(Base):
    """A one-time code, derived from `salt` when needed (hotline.citizens.codes), never stored."""

    __tablename__ = "citizen_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(16))  # E.164
    way: Mapped[CodeWay] = mapped_column(make_enum(CodeWay, "code_way"))
    language: Mapped[str] = mapped_column(String(2))
    salt: Mapped[str] = mapped_column(String(32))
    browser: Mapped[str] = mapped_column(String(64))  # a hash: only the browser that asked can show the code
    # the number had signed in there
    known: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    asked_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # used, replaced by a newer one, tried too often, or declined
    session_id: Mapped[str | None] = mapped_column(String(32))  # the session that it started
    # columns of 0.3.0, whose dialer may call the code; outbound_calls has these facts now
    token: Mapped[str | None] = mapped_column(String(41), unique=True)
    placed_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("tries BETWEEN 0 AND 5", name="tried_five_times_at_most"),
        CheckConstraint("used_at IS NULL OR ended_at IS NOT NULL", name="used_once"),
        Index(
            "one_open_code_per_browser",
            "number",
            "browser",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("codes_of_number", "number", "asked_at"),
        Index("codes_to_call", "asked_at", sqlite_where=_TO_CALL, postgresql_where=_TO_CALL),
    )


class CitizenSession(Base):
    """A citizen's session in one browser. Only hashes of its tokens are stored."""

    __tablename__ = "citizen_sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # the beginning of its tokens
    number: Mapped[str] = mapped_column(String(16), index=True)  # E.164
    agent: Mapped[str] = mapped_column(String(100))  # the browser's user agent
    created_at: Mapped[datetime]
    access_hash: Mapped[str] = mapped_column(String(64), unique=True)
    access_until: Mapped[datetime]
    refresh_hash: Mapped[str] = mapped_column(String(64))
    previous_hash: Mapped[str | None] = mapped_column(String(64))  # the refresh token before that
    rotated_at: Mapped[datetime]
    used_at: Mapped[datetime | None]  # when the present tokens were first used: their answer has arrived
    expires_at: Mapped[datetime] = mapped_column(index=True)


class KnownBrowser(Base):
    """A browser in which a number has signed in: unknown browsers cannot use up its codes."""

    __tablename__ = "known_browsers"

    number: Mapped[str] = mapped_column(String(16), primary_key=True)  # E.164
    browser: Mapped[str] = mapped_column(String(64), primary_key=True)  # a hash, different for each number
    seen_at: Mapped[datetime] = mapped_column(index=True)  # when it last signed in there


class NoticeTopic(StrEnum):
    """Topics of notices about requests, which a citizen may switch off."""

    QUESTION = "question"  # the department's question
    SOLVED = "solved"  # is it solved?
    NEWS = "news"
    ENDED = "ended"  # rejected, or closed as a duplicate
    FOLLOWED = "followed"  # about somebody else's request


class NoticeWay(StrEnum):
    """The channel of a notice."""

    PUSH = "push"
    TEXT = "text"


class MutedNotice(Base):
    """A number's wish for no notices of this topic by this channel."""

    __tablename__ = "muted_notices"

    number: Mapped[str] = mapped_column(String(16), primary_key=True)  # E.164
    topic: Mapped[NoticeTopic] = mapped_column(make_enum(NoticeTopic, "notice_topic"), primary_key=True)
    way: Mapped[NoticeWay] = mapped_column(make_enum(NoticeWay, "notice_way"), primary_key=True)


class RoundAlert(Base):
    """A number's wish for one notice of an office's next round."""

    __tablename__ = "round_wishes"

    number: Mapped[str] = mapped_column(String(16), primary_key=True)  # E.164
    official_id: Mapped[int] = mapped_column(ForeignKey("officials.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(2))
    asked_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (Index("wishes_of_office", "official_id", "asked_at"),)


class PushSubscription(Base):
    """A browser's push address. It is deleted with its session."""

    __tablename__ = "push_subscriptions"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(
        ForeignKey("citizen_sessions.id", ondelete="CASCADE"), unique=True
    )
    # the browser's own; whoever has it gets the notices
    endpoint: Mapped[str] = mapped_column(String(500), unique=True)
    public_key: Mapped[str] = mapped_column(String(87))  # p256dh: a point of P-256 in base64url
    secret: Mapped[str] = mapped_column(String(22))  # auth: 16 bytes in base64url
    ours: Mapped[str] = mapped_column(String(87))  # our public key, without which the browser takes nothing
    made_at: Mapped[datetime]


class Erasure(Base):
    """A pending erasure for the scheduler: a file, or a request's words once it is over."""

    __tablename__ = "erasures"

    id: Mapped[int] = mapped_column(primary_key=True)
    file: Mapped[str | None] = mapped_column(String(100))  # messages/… or recordings/…
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"), unique=True)
    asked_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("(file IS NULL) <> (request_id IS NULL)", name="erases_one_thing"),)
