"""Tables that code of 0.3.0 still uses during an upgrade, and this version does not.

The first migration of the next release drops them (docs/decisions/0044-one-version-back.md).
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text

from db.models.base import Base, UtcDateTime, make_enum
from db.states import HeadsUpAnswer

_TO_CALL = text("token IS NULL AND ended_at IS NULL")

Table(
    "solved_calls",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("request_id", Integer, ForeignKey("requests.id"), nullable=False),
    Column("replied_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("token", String(41), unique=True),
    *(Column(name, UtcDateTime) for name in ("placed_at", "told_at", "ended_at")),
    UniqueConstraint("request_id", "replied_at", name="one_call_an_answer"),
    Index("solved_calls_due", "due_at", sqlite_where=_TO_CALL, postgresql_where=_TO_CALL),
)

Table(
    "turn_near_calls",
    Base.metadata,
    Column("registration_id", Integer, ForeignKey("registrations.id"), primary_key=True),
    Column("round_id", Integer, ForeignKey("rounds.id"), primary_key=True),
    Column("token", String(41), unique=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("placed_at", UtcDateTime),
    Column("answer", make_enum(HeadsUpAnswer, "turn_near_answer")),
    Column("ended_at", UtcDateTime),
)
