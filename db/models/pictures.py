"""Pictures that citizens and departments hand in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, one_of

_NOBODYS = text("request_id IS NULL AND pass_id IS NULL")
_OF_PASS = text("pass_id IS NOT NULL")


class PictureKind(StrEnum):
    """What a picture shows."""

    BEFORE = "before"  # what is broken, by whoever reports it
    EVIDENCE = "evidence"  # what was mended, by who mended it
    OBJECTION = "objection"  # that it is not


class Picture(Base):
    """A picture, in the state folder's pictures or in the store as `id`.jpg; of no request yet, it is gone
    after a day, but that of a body outside the city (hotline.requests.passes)."""

    __tablename__ = "pictures"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[str | None] = mapped_column(String(16))  # E.164, of the citizen who handed it in
    who: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))  # or of the office
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"))
    pass_id: Mapped[int | None] = mapped_column(ForeignKey("passes.id"))  # of a body outside the city
    kind: Mapped[PictureKind] = mapped_column(one_of(PictureKind, "picture_kind"))
    position: Mapped[int | None]  # of its kind in the request, from 1
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]  # bytes
    checksum: Mapped[str] = mapped_column(String(64))  # SHA-256 of the file
    stored: Mapped[bool] = mapped_column(
        default=False, server_default=text("false")
    )  # and no more in the folder
    made_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]  # the file is gone

    __table_args__ = (
        CheckConstraint("(request_id IS NULL) = (position IS NULL)", name="picture_has_its_place"),
        CheckConstraint("position > 0", name="picture_position"),
        UniqueConstraint("request_id", "kind", "position", name="one_picture_a_place"),
        Index("pictures_of_number", "number", "made_at"),
        Index("pictures_of_nobody", "made_at", sqlite_where=_NOBODYS, postgresql_where=_NOBODYS),
        Index("pictures_of_pass", "pass_id", sqlite_where=_OF_PASS, postgresql_where=_OF_PASS),
    )


class PublicPicture(Base):
    """The copy of a picture that everybody sees with its request, in the same places as `id`.jpg."""

    __tablename__ = "public_pictures"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    picture_id: Mapped[str] = mapped_column(ForeignKey("pictures.id"), unique=True)
    hidden: Mapped[list[list[int]]] = mapped_column(JSON)  # areas: left, top, width, height, in pixels
    checksum: Mapped[str] = mapped_column(String(64))
    stored: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    made_at: Mapped[datetime]
