"""Files that citizens send in pieces, until they are used."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, make_enum


class UploadKind(StrEnum):
    """The kind that the citizen names; the content decides."""

    PICTURE = "picture"
    VOICE = "voice"


class Upload(Base):
    """An unfinished file `id` in the state folder's uploads; deleted after a day."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[str] = mapped_column(String(16))  # E.164 of the citizen who sends it
    kind: Mapped[UploadKind] = mapped_column(make_enum(UploadKind, "upload_kind"))
    size: Mapped[int]  # bytes of the whole file
    made_at: Mapped[datetime]
    kept: Mapped[str | None] = mapped_column(String(80))  # the picture's id, or a file in the messages

    __table_args__ = (
        Index("uploads_of_number", "number", "made_at"),
        Index("uploads_made", "made_at"),
    )
