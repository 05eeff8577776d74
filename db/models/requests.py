"""Problems reported by citizens, and the departments that work on them."""

from datetime import datetime
from enum import StrEnum
from secrets import token_hex

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, make_enum
from db.models.rounds import Official
from db.states import IN_WORK, OPEN_REQUESTS, WITH_DEPARTMENT, RequestState, RequestStep

_IN_WORK = text(f"state IN ({', '.join(repr(s.value) for s in IN_WORK)})")
_WITH_DEPARTMENT = f"state IN ({', '.join(repr(s.value) for s in WITH_DEPARTMENT)})"
_ASKED = text(f"state = {RequestState.REPLIED.value!r}")
_OPEN_SOMEWHERE = text(
    f"latitude IS NOT NULL AND state IN ({', '.join(repr(s.value) for s in OPEN_REQUESTS)})"
)
_DONE = "CASE WHEN state <> 'split' THEN coalesce(due_at, solve_by) END"
_TOLD = "CASE WHEN answered_at IS NULL THEN answer_by END"
_OWED_AT = (
    f"CASE WHEN NOT ({_IN_WORK}) THEN NULL"
    f" WHEN promised_until <= coalesce({_DONE}, promised_until)"
    f" AND promised_until <= coalesce({_TOLD}, promised_until) THEN promised_until"
    f" WHEN {_DONE} <= coalesce({_TOLD}, {_DONE}) THEN {_DONE} ELSE {_TOLD} END"
)
_OWED, _DUE = text("owed_at IS NOT NULL"), text("due_at IS NOT NULL")
_UNSPOKEN = text("reply <> spoken")


_NAMED = text("contact <> ''")


class Escalation(StrEnum):
    """Levels told that a department is late or soon will be, from the bottom up."""

    DEPARTMENT = "department"  # reminded
    HEAD = "head"
    SUPERVISORS = "supervisors"


_ESCALATED = text(f"escalated_to = {Escalation.SUPERVISORS.value!r}")


class Department(Base):
    """A department of the city, to which requests are referred."""

    __tablename__ = "departments"

    id: Mapped[int] = mapped_column(primary_key=True)
    name_fa: Mapped[str] = mapped_column(String(200), unique=True)
    name_en: Mapped[str] = mapped_column(String(200), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    number: Mapped[str | None] = mapped_column(String(16))  # E.164: a desk may call it into a conversation


class Request(Base):
    """A city problem reported to 137: spoken by the citizen (`voice_message`), `written`, or both."""

    __tablename__ = "requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    tracking: Mapped[str] = mapped_column(String(9), unique=True)
    number: Mapped[str | None] = mapped_column(String(16))  # E.164, if the network gave one
    category: Mapped[int] = mapped_column(ForeignKey("categories.id"))
    district: Mapped[int | None]
    voice_message: Mapped[str | None] = mapped_column(String(80))  # a file in the state folder's messages
    voice_deleted_at: Mapped[datetime | None]  # at the end of its retention
    written: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    language: Mapped[str] = mapped_column(String(2))
    made_at: Mapped[datetime]
    # the channel of the call that made it
    call_id: Mapped[str | None] = mapped_column(String(150), index=True)
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"), index=True)
    state: Mapped[RequestState] = mapped_column(
        make_enum(RequestState, "request_state"), default=RequestState.NEW, server_default=text("'new'")
    )
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"), index=True)
    due_at: Mapped[datetime | None]  # the department's due date, while it is referred
    escalated_to: Mapped[Escalation | None] = mapped_column(
        make_enum(Escalation, "escalation")
    )  # about this due_at
    answer_by: Mapped[datetime | None]  # the category's promise: a first answer by then
    answered_at: Mapped[datetime | None]  # when the first answer was given
    solve_by: Mapped[datetime | None]  # the category's promise: solved by then
    # the last one, public
    reply: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))
    spoken: Mapped[str] = mapped_column(
        String(500), default="", server_default=text("''")
    )  # the reply that exists as sound
    reply_stands: Mapped[bool] = mapped_column(
        default=True, server_default=text("true")
    )  # nobody objected to it
    replied_at: Mapped[datetime | None]  # since when the citizen is asked
    # its author: an objection goes to somebody else
    replied_by: Mapped[str | None] = mapped_column(String(64))
    # closed without the citizen's answer
    unanswered: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # how often the citizen objected
    denials: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"), index=True)
    part_of_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"), index=True)
    promised_by_id: Mapped[int | None] = mapped_column(ForeignKey("officials.id"), index=True)
    promised_until: Mapped[datetime | None]  # that official's promise to the citizen
    owed_at: Mapped[datetime | None] = mapped_column(Computed(_OWED_AT, persisted=True))
    """The earliest due date while the request is in work; the database computes it.

    It is the earliest of the solution's date, the promise's and the first answer's. The solution's date is
    the department's, else the category's, and none for a split request, whose parts have theirs."""
    latitude: Mapped[float | None]  # the location, if the citizen's device gave it
    longitude: Mapped[float | None]
    place: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))  # in words
    report_key: Mapped[str | None] = mapped_column(String(64))  # the app's id of this report
    report_hash: Mapped[str | None] = mapped_column(String(64))  # of everything that it sent with that key
    api_key_id: Mapped[int | None] = mapped_column(ForeignKey("api_keys.id"))  # the program that filed it
    contact: Mapped[str] = mapped_column(
        String(40), default="", server_default=text("''")
    )  # unproven, as sent

    department: Mapped[Department | None] = relationship(lazy="joined")
    promised_by: Mapped[Official | None] = relationship(lazy="joined")

    __table_args__ = (
        CheckConstraint("district BETWEEN 1 AND 40", name="known_district"),
        CheckConstraint(
            "voice_message IS NOT NULL OR voice_deleted_at IS NOT NULL OR written <> ''",
            name="says_something",
        ),
        CheckConstraint(
            f"({_WITH_DEPARTMENT}) = (due_at IS NOT NULL) AND (due_at IS NULL OR department_id IS NOT NULL)",
            name="referred_until",
        ),
        CheckConstraint("escalated_to IS NULL OR due_at IS NOT NULL", name="escalated_of_due"),
        CheckConstraint("(state = 'duplicate') = (duplicate_of_id IS NOT NULL)", name="duplicate_of_one"),
        CheckConstraint("NOT unanswered OR state = 'closed'", name="closed_unanswered"),
        CheckConstraint("duplicate_of_id <> id", name="not_its_own_duplicate"),
        CheckConstraint("part_of_id IS NULL OR (part_of_id <> id AND number IS NULL)", name="part_of_one"),
        CheckConstraint("(promised_by_id IS NULL) = (promised_until IS NULL)", name="promised_until"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="a_whole_point"),
        CheckConstraint("(report_key IS NULL) = (report_hash IS NULL)", name="key_with_hash"),
        Index("one_report_a_key", "number", "report_key", unique=True),
        Index("one_report_an_api_key", "api_key_id", "report_key", unique=True),
        Index("requests_of_api_key", "api_key_id", "made_at"),
        Index("requests_of_contact", "contact", "made_at", sqlite_where=_NAMED, postgresql_where=_NAMED),
        Index("requests_made", "made_at", "id"),
        Index("requests_by_state", "state", "id"),
        Index("requests_alike", "category", "district", "made_at"),
        Index("requests_due", "due_at", "id", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("requests_of_number", "number", "id"),
        Index("requests_asked", "replied_at", sqlite_where=_ASKED, postgresql_where=_ASKED),
        Index(
            "requests_near",
            *("category", "latitude", "longitude"),
            sqlite_where=_OPEN_SOMEWHERE,
            postgresql_where=_OPEN_SOMEWHERE,
        ),
        Index("requests_unspoken", "id", sqlite_where=_UNSPOKEN, postgresql_where=_UNSPOKEN),
    )


_FILTERED = (Request.state, Request.category, Request.district, Request.department_id)
Index(
    "requests_owed",
    Request.owed_at,
    Request.id.desc(),
    *_FILTERED,
    sqlite_where=_OWED,
    postgresql_where=_OWED,
)
Index("requests_counted", *_FILTERED, Request.owed_at)
Index(
    "requests_on_map",
    *(Request.district, Request.made_at, Request.state, Request.owed_at, Request.part_of_id),
)
Index(
    "requests_referred",
    *(Request.department_id, Request.due_at, Request.id, Request.owed_at),
    sqlite_where=_DUE,
    postgresql_where=_DUE,
)
Index(
    "requests_solved",
    *(Request.department_id, Request.replied_at, Request.id),
    sqlite_where=_ASKED,
    postgresql_where=_ASKED,
)
Index("requests_escalated", Request.id, sqlite_where=_ESCALATED, postgresql_where=_ESCALATED)


class RequestEntry(Base):
    """One step of a request's history; rows are only added.

    The database allows one change: the words of a citizen or an agency may be emptied, with their salt.
    """

    __tablename__ = "request_history"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    who: Mapped[str] = mapped_column(String(64))  # a username; empty: the citizen, or a deadline
    step: Mapped[RequestStep] = mapped_column(make_enum(RequestStep, "request_step"))
    note: Mapped[str] = mapped_column(String(2000), default="")
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    due_at: Mapped[datetime | None]
    # the request that it duplicates, or a part
    other_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"))
    salt: Mapped[str] = mapped_column(String(32), default=lambda: token_hex(16))  # of its ledger entry
    note_salt: Mapped[str | None] = mapped_column(String(32), default=lambda: token_hex(16))

    __table_args__ = (Index("history_of_person", "who", "request_id"),)


class Rating(Base):
    """A citizen's satisfaction after a yes or no, one for each such step."""

    __tablename__ = "ratings"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("request_history.id"), unique=True)
    # the department that had said «solved»
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    stars: Mapped[int]
    at: Mapped[datetime]  # of the first rating; it may be changed for a day

    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="one_to_five"),)


class Follower(Base):
    """A number that gets a notice of how somebody else's request ends."""

    __tablename__ = "followers"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"))
    number: Mapped[str] = mapped_column(String(16))  # E.164
    language: Mapped[str] = mapped_column(String(2))
    at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("request_id", "number", name="follows_once"),
        Index("follows_of_number", "number", "id"),
    )


class Reminder(Base):
    """A reminder of a department's due date, one for each date and level."""

    __tablename__ = "request_reminders"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"))
    department_id: Mapped[int] = mapped_column(ForeignKey("departments.id"))
    due_at: Mapped[datetime]
    told: Mapped[Escalation] = mapped_column(make_enum(Escalation, "reminder_told"))
    at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("request_id", "department_id", "due_at", "told", name="one_reminder_a_date"),
    )


class Release(Base):
    """A request's release to the public; without a row nothing is public."""

    __tablename__ = "releases"

    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"), primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(String(500))
    with_point: Mapped[bool]
    who: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
