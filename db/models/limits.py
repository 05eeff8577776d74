"""The cost of guesses and paid actions."""

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Limit(Base):
    """A payer, as a hash; the row is deleted once everything has come back."""

    __tablename__ = "limits"

    who: Mapped[str] = mapped_column(String(32), primary_key=True)
    # when all has come back, in seconds since 1970
    until: Mapped[float] = mapped_column(Float(53), index=True)
