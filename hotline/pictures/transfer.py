"""Moves pictures between the folder and the store; each is complete in one of them at any moment."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import writing
from db.models import Picture, PublicPicture
from hotline.pictures import attachments, stores
from hotline.pictures.stores import File, Store

_THERE = Picture.deleted_at.is_(None)


class Moved(StrEnum):
    """The result of moving a file."""

    MOVED = "moved"
    GONE = "gone"  # deleted meanwhile
    MISSING = "missing"  # in neither place
    DAMAGED = "damaged"  # its checksum is wrong; it stays where it is


def list_due(session: Session, *, stored: bool, after: str, limit: int) -> Sequence[File]:
    """Return pictures and public copies that are `stored` or not, by name, with names above `after`."""
    kept = select(Picture.id, Picture.checksum).where(Picture.stored.is_(stored), _THERE, Picture.id > after)
    public = select(PublicPicture.id, PublicPicture.checksum).where(
        PublicPicture.stored.is_(stored), PublicPicture.id > after
    )
    rows = [
        *session.execute(kept.order_by(Picture.id).limit(limit)),
        *session.execute(public.order_by(PublicPicture.id).limit(limit)),
    ]
    return sorted(File(*row) for row in rows)[:limit]


def move(engine: Engine, file: File, source: Store, target: Store, *, stored: bool) -> Moved:
    """Move a file from one place to the other; after an interruption, call it again.

    Raises OSError: nothing is lost, try again later.
    """
    data = source.get(file.name)
    came = target.get(file.name) if data is None else None
    for found in (data, came):
        if found is not None and stores.hash_data(found) != file.checksum:
            return Moved.DAMAGED
    if data is not None:
        target.put(file.name, data)
        source.delete(file.name)
    elif came is None:
        return Moved.MISSING
    with writing(engine) as session:
        if _mark(session, file.name, stored=stored):
            return Moved.MOVED
        attachments.erase(session, [file.name])
    return Moved.GONE


def _mark(session: Session, name: str, *, stored: bool) -> bool:
    its = update(Picture).where(Picture.id == name, _THERE).values(stored=stored).returning(Picture.id)
    public = update(PublicPicture).where(PublicPicture.id == name).values(stored=stored)
    return any(session.scalar(each) for each in (its, public.returning(PublicPicture.id)))
