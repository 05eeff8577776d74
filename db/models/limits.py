"""What guesses and paid acts have cost."""

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Limit(Base):
    """Who has paid, as a hash; gone as soon as everything has come back."""

    __tablename__ = "limits"

    who: Mapped[str] = mapped_column(String(32), primary_key=True)
    until: Mapped[float] = mapped_column(Float(53), index=True)  # when all is back, in seconds since 1970
