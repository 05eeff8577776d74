"""The public ledger and its seals."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, make_enum
from db.states import Fact


class LedgerEntry(Base):
    """A fact about the order of calling, or hashes of a request's step, for everybody to check.

    Rows are only appended, and hold no personal data.
    """

    __tablename__ = "ledger"

    id: Mapped[int] = mapped_column(primary_key=True)  # 1, 2, 3 … in the order of commits, without gaps
    at: Mapped[datetime]
    fact: Mapped[Fact] = mapped_column(make_enum(Fact, "fact"))
    round_id: Mapped[int | None]
    registration_id: Mapped[int | None] = mapped_column(index=True)
    step_id: Mapped[int | None] = mapped_column(
        unique=True
    )  # of a request's history; not in the public, hashed text
    details: Mapped[str] = mapped_column(Text)  # JSON
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of all of the above

    __table_args__ = (Index("ledger_of_round", "round_id", "id"), {"sqlite_autoincrement": True})


class Seal(Base):
    """The root of the Merkle tree over the ledger's first `size` entries."""

    __tablename__ = "seals"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime]
