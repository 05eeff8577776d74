"""Programs that may use the API, each by a key."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class ApiKey(Base):
    """A program's key. Only its hash is stored; its public `prefix` identifies it to people."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(8), unique=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    may_read: Mapped[bool]
    may_report: Mapped[bool]
    per_minute: Mapped[int]
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(64))
    revoked_at: Mapped[datetime | None]
    used_minute: Mapped[datetime | None]  # the last minute in which it was used
    used: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # how often in that minute

    __table_args__ = (
        CheckConstraint("may_read OR may_report", name="may_something"),
        CheckConstraint("per_minute BETWEEN 1 AND 6000", name="some_a_minute"),
    )
