"""Pictures on their way between the folder and the store, each whole in one of them at any moment."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import writing
from db.models import Picture
from hotline.pictures import pictures, stores
from hotline.pictures.stores import File, Store


class Moved(StrEnum):
    """What became of a file."""

    MOVED = "moved"
    GONE = "gone"  # deleted meanwhile
    MISSING = "missing"  # in neither place
    DAMAGED = "damaged"  # not what was written; left where it is


def due(session: Session, *, stored: bool, after: str, limit: int) -> Sequence[File]:
    """Files that are in the store, or not yet; by name, after this one."""
    kept = select(Picture.id, Picture.checksum).where(
        Picture.stored.is_(stored), Picture.deleted_at.is_(None), Picture.id > after
    )
    return [File(*row) for row in session.execute(kept.order_by(Picture.id).limit(limit))]


def move(engine: Engine, file: File, source: Store, target: Store, *, stored: bool) -> Moved:
    """Bring a file from one to the other; cut short anywhere, it is done once more.

    Raises OSError: nothing is lost, try again later.
    """
    data = source.get(file.name)
    came = target.get(file.name) if data is None else None
    for found in (data, came):
        if found is not None and stores.checksum(found) != file.checksum:
            return Moved.DAMAGED
    if data is not None:
        target.put(file.name, data)
        source.delete(file.name)
    elif came is None:
        return Moved.MISSING
    with writing(engine) as session:
        if _mark(session, file.name, stored=stored):
            return Moved.MOVED
        pictures.erase(session, [file.name])
    return Moved.GONE


def _mark(session: Session, name: str, *, stored: bool) -> bool:
    its = update(Picture).where(Picture.id == name, Picture.deleted_at.is_(None)).values(stored=stored)
    return session.scalar(its.returning(Picture.id)) is not None
