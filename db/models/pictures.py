"""Pictures by citizens and departments."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, make_enum

_NOBODYS = text("request_id IS NULL AND pass_id IS NULL")
_OF_PASS = text("pass_id IS NOT NULL")


class PictureKind(StrEnum):
    """The purpose of a picture."""

    BEFORE = "before"  # the damage, by the reporter
    EVIDENCE = "evidence"  # the repair, by the department or agency
    OBJECTION = "objection"  # that it is not repaired


class Picture(Base):
    """A picture: the file `id`.jpg in the state folder's pictures or in the store.

    Without a request it is deleted after a day, unless an agency outside the city sent it
    (hotline.requests.referrals.agency_referrals).
    """

    __tablename__ = "pictures"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[str | None] = mapped_column(String(16))  # E.164 of the citizen who sent it
    # or the sender's username in the office
    who: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"))
    pass_id: Mapped[int | None] = mapped_column(ForeignKey("passes.id"))  # of an agency outside the city
    kind: Mapped[PictureKind] = mapped_column(make_enum(PictureKind, "picture_kind"))
    position: Mapped[int | None]  # its number among the request's pictures of this kind, from 1
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]  # bytes
    checksum: Mapped[str] = mapped_column(String(64))  # SHA-256 of the file
    stored: Mapped[bool] = mapped_column(
        default=False, server_default=text("false")
    )  # in the store, and no longer in the folder
    made_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]  # when the file was deleted

    __table_args__ = (
        CheckConstraint("(request_id IS NULL) = (position IS NULL)", name="picture_has_its_place"),
        CheckConstraint("position > 0", name="picture_position"),
        UniqueConstraint("request_id", "kind", "position", name="one_picture_a_place"),
        Index("pictures_of_number", "number", "made_at"),
        Index("pictures_of_nobody", "made_at", sqlite_where=_NOBODYS, postgresql_where=_NOBODYS),
        Index("pictures_of_pass", "pass_id", sqlite_where=_OF_PASS, postgresql_where=_OF_PASS),
    )


class PublicPicture(Base):
    """The public copy of a picture, stored like it as `id`.jpg."""

    __tablename__ = "public_pictures"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    picture_id: Mapped[str] = mapped_column(ForeignKey("pictures.id"), unique=True)
    hidden: Mapped[list[list[int]]] = mapped_column(JSON)  # areas: left, top, width, height, in pixels
    checksum: Mapped[str] = mapped_column(String(64))
    stored: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    made_at: Mapped[datetime]
