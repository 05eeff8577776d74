"""Requests passed by a link to agencies outside the city."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base

_OPEN = text("withdrawn_at IS NULL")


class AgencyReferral(Base):
    """A link by which an agency outside the city reads a request and answers. Only its token's hash is
    stored.
    """

    __tablename__ = "passes"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    body: Mapped[str] = mapped_column(String(100))  # the agency's name
    contact: Mapped[str] = mapped_column(String(100))  # an e-mail or a telephone, only stored
    written: Mapped[str] = mapped_column(Text)  # the text that the agency reads
    who: Mapped[str] = mapped_column(String(64))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))  # None: the office
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]  # the last time
    answer: Mapped[str] = mapped_column(String(1000), default="", server_default=text("''"))
    answers: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    done_at: Mapped[datetime | None]
    done: Mapped[str] = mapped_column(String(1000), default="", server_default=text("''"))

    __table_args__ = (
        CheckConstraint("answer = '' OR answered_at IS NOT NULL", name="answered_in_words"),
        CheckConstraint("done = '' OR done_at IS NOT NULL", name="done_in_words"),
        Index(
            "one_link_a_body",
            *("request_id", "body"),
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )
