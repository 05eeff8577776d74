"""Pictures: stored under random names, attached to one request, shown by role and to their owner, deleted.

The file is written before its row and deleted after it, so a row always has its file. The file is in the
folder first; the scheduler moves it to the store, if there is one (hotline.pictures.stores).
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, or_, select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import AgencyReferral, Erasure, Picture, PictureKind, PublicPicture, Request
from db.states import OPEN_REQUESTS
from db.trusted_time import trusted_now
from hotline.errors import Refused
from hotline.pictures import stores
from hotline.pictures.decoding import Plain
from hotline.recordings import disk

SUFFIX = stores.SUFFIX
PLACE = "pictures"
"""The folder's name in rows of Erasure."""
MOST = 3
"""Maximum number of pictures that a citizen or department attaches at once."""
A_DAY = 60
"""Maximum number of pictures of one number, or one employee of a department, in 24 hours."""
NOBODYS = timedelta(days=1)
"""How long a picture waits for its request."""


def keep(folder: Path, picture: Plain) -> str:
    """Write the file atomically; return the picture's name. Raises Refused("disk-full")."""
    name = secrets.token_hex(16)
    stores.Folder(folder).put(name, picture.data)
    return name


def discard(folder: Path, name: str) -> None:
    """Delete the file of a picture that has no row."""
    stores.Folder(folder).delete(name)


def find_path(folder: Path, name: str) -> Path:
    """Return the path of the picture in the folder, before the scheduler moves it to the store."""
    return folder / f"{name}{SUFFIX}"


def add(session: Session, name: str, picture: Plain, *, number: str) -> Picture:
    """Add a picture of a citizen's E.164 `number` that waits for its request.

    Raises Refused("too-many-pictures").
    """
    hold_lock(session, f"pictures-{number}")
    _may_add(session, _OF_NUMBER, number)
    row = _row(session, name, picture, PictureKind.BEFORE)
    row.number = number
    session.flush()
    return row


def add_of_office(session: Session, name: str, picture: Plain, *, who: str) -> Picture:
    """Add a picture by which a department proves a solution; it waits for its request.

    Raises Refused("too-many-pictures").
    """
    hold_lock(session, f"pictures-{who}")
    _may_add(session, _OF_WHO, who)
    row = _row(session, name, picture, PictureKind.EVIDENCE)
    row.who = who
    session.flush()
    return row


def add_of_body(session: Session, name: str, picture: Plain, pass_id: int) -> Picture:
    """Add a picture by which an outside agency proves its work; it waits until the city uses it."""
    row = _row(session, name, picture, PictureKind.EVIDENCE)
    row.who, row.pass_id = f"pass {pass_id}", pass_id  # no username contains a space
    session.flush()
    return row


_SINCE = select(func.count(), func.min(Picture.made_at)).where(Picture.made_at > bindparam("since"))
_OF_NUMBER, _OF_WHO = (_SINCE.where(each == bindparam("whom")) for each in (Picture.number, Picture.who))


def _may_add(session: Session, mine: Select[int, datetime], whom: str) -> None:
    since = now(session) - timedelta(days=1)
    count, oldest = session.execute(mine, {"whom": whom, "since": since}).one()
    if count >= A_DAY:
        after_s = max(1, round((oldest - since).total_seconds()))
        raise Refused("too-many-pictures", f"at most {A_DAY} pictures a day", after_s=after_s)


def _row(session: Session, name: str, picture: Plain, kind: PictureKind) -> Picture:
    row = Picture(
        id=name,
        kind=kind,
        width=picture.width,
        height=picture.height,
        size=len(picture.data),
        checksum=stores.hash_data(picture.data),
        made_at=now(session),
    )
    session.add(row)
    return row


def lock_waiting(session: Session, names: Sequence[str], of_whom: ColumnElement[bool]) -> Sequence[Picture]:
    """Lock and return these pictures, which meet `of_whom` and belong to no request yet, in the given order.

    Call it before anything is logged. Raises Refused("picture-unknown") if one is used, deleted, or
    another's.
    """
    if not names:
        return []
    mine = (of_whom, Picture.request_id.is_(None), Picture.deleted_at.is_(None))
    query = select(Picture).where(Picture.id.in_(names), *mine).order_by(Picture.id).with_for_update()
    found = {picture.id: picture for picture in session.scalars(query)}
    if len(names) > MOST or len(found) != len(names):
        raise Refused("picture-unknown", "no such picture waits; send it once more", "pictures")
    return [found[name] for name in names]


def give(
    session: Session, given: Sequence[Picture], request_id: int, kind: PictureKind, *, new: bool = False
) -> None:
    """Attach the pictures to the request, after its other ones of the kind; a `new` request has none."""
    if not given:
        return
    has = select(func.coalesce(func.max(Picture.position), 0))
    its = has.where(Picture.request_id == request_id, Picture.kind == kind)
    after = 0 if new else session.scalar(its) or 0
    for position, picture in enumerate(given, after + 1):
        picture.request_id, picture.kind, picture.position = request_id, kind, position
    session.flush()


_OF_REQUEST = (
    select(Picture)
    .where(Picture.request_id == bindparam("request"), Picture.deleted_at.is_(None))
    .order_by(Picture.kind, Picture.position)
)


def list_by_request(session: Session, request_id: int) -> Sequence[Picture]:
    """Return the request's pictures that are not deleted, in order."""
    return session.scalars(_OF_REQUEST, {"request": request_id}).all()


def list_by_number(session: Session, number: str) -> Sequence[Picture]:
    """Return all pictures that a number has sent and that are not deleted."""
    there = select(Picture).where(Picture.number == number, Picture.deleted_at.is_(None))
    return session.scalars(there.order_by(Picture.made_at, Picture.id)).all()


def where_seen_by(number: str) -> ColumnElement[bool]:
    """Condition: the pictures that an E.164 number may see.

    It sees pictures that it sent, those of its requests, and the proofs of its duplicates' originals.
    """
    mine = select(Request.id).where(Request.number == number)
    first = select(Request.duplicate_of_id).where(Request.number == number)
    mended = and_(Picture.kind == PictureKind.EVIDENCE, Picture.request_id.in_(first))
    return or_(Picture.number == number, Picture.request_id.in_(mine), mended)


def find(session: Session, name: str, *of_whom: ColumnElement[bool]) -> stores.File:
    """Return the file of a picture that meets `of_whom`. Raises Refused("not-found")."""
    there = select(Picture.id, Picture.checksum).where(Picture.id == name, Picture.deleted_at.is_(None))
    found = session.execute(there.where(*of_whom)).first()
    if found is None:
        raise Refused("not-found", "there is no picture, or not any more")
    return stores.File(*found)


def list_files(session: Session, request_id: int, names: Collection[str]) -> Sequence[stores.File]:
    """Return the files of a request's pictures. Raises Refused("picture-unknown")."""
    there = select(Picture.id, Picture.checksum).where(
        Picture.request_id == request_id, Picture.id.in_(names), Picture.deleted_at.is_(None)
    )
    found = [stores.File(*row) for row in session.execute(there.order_by(Picture.kind, Picture.position))]
    if {each.name for each in found} != set(names):
        raise Refused("picture-unknown", "it has no such picture, or not any more", "pictures")
    return found


def take_back(session: Session, *which: ColumnElement[bool]) -> Sequence[str]:
    """Delete the public copies of these pictures at once; return the names of their files."""
    of = PublicPicture.picture_id.in_(select(Picture.id).where(*which))
    names = session.scalars(select(PublicPicture.id).where(of).order_by(PublicPicture.id)).all()
    gone = delete(PublicPicture).where(PublicPicture.id.in_(names))
    session.execute(gone.execution_options(synchronize_session=False))
    erase(session, names)
    return names


def drop_of_number(session: Session, number: str) -> Sequence[str]:
    """Delete the number's pictures that wait for a request, and detach it from the others.

    Return the names of the files to delete.
    """
    mine = select(Picture).where(Picture.number == number).order_by(Picture.id).with_for_update()
    gone = []
    for picture in session.scalars(mine).all():
        picture.number = None
        if picture.request_id is None:
            gone.append(picture.id)
            session.delete(picture)
    return gone


def drop_of_request(session: Session, request_id: int) -> Sequence[str]:
    """Mark the citizen's pictures of the request as deleted; return the names of their files."""
    at = now(session)
    citizens = [each for each in list_by_request(session, request_id) if not each.who]
    for picture in citizens:
        picture.deleted_at = at
    names = [picture.id for picture in citizens]
    take_back(session, Picture.id.in_(names))
    return names


def erase(session: Session, names: Sequence[str]) -> None:
    """Queue files for the scheduler, which deletes them wherever they are and retries until they are gone."""
    at = now(session)
    session.add_all([Erasure(file=f"{PLACE}/{name}{SUFFIX}", asked_at=at) for name in names])


def drop_nobodys(session: Session, limit: int) -> int:
    """Delete at most `limit` pictures that no request has claimed in time; return how many."""
    unclaimed = Picture.request_id.is_(None), Picture.pass_id.is_(None)
    old = *unclaimed, Picture.made_at < trusted_now(session) - NOBODYS
    some = select(Picture.id).where(*old).order_by(Picture.made_at).limit(limit)
    names = session.scalars(some.with_for_update(skip_locked=True)).all()
    gone = delete(Picture).where(Picture.id.in_(names), *old)
    session.execute(gone.execution_options(synchronize_session=False))
    erase(session, names)
    return len(names)


def forget(session: Session, days: int, limit: int) -> int:
    """Delete at most `limit` pictures older than `days` days whose requests have ended; return how many."""
    at = trusted_now(session)
    old = (
        select(Picture)
        .outerjoin(AgencyReferral, AgencyReferral.id == Picture.pass_id)
        .join(Request, Request.id == func.coalesce(Picture.request_id, AgencyReferral.request_id))
        .where(
            Picture.deleted_at.is_(None),
            Picture.made_at < at - timedelta(days=days),
            Request.state.not_in(OPEN_REQUESTS),
        )
        .order_by(Picture.made_at)
        .limit(limit)
        .with_for_update(of=Picture, skip_locked=True)
    )
    found = session.scalars(old).all()
    for picture in found:
        picture.deleted_at = at
    names = [picture.id for picture in found]
    take_back(session, Picture.id.in_(names))
    erase(session, names)
    return len(found)


def list_strays(session: Session, folder: Path) -> list[Path]:
    """Return files older than a day in the folder that have no row, left by an interrupted upload."""
    before = (trusted_now(session) - NOBODYS).timestamp()
    old = [path for path, status in disk.list_files(folder) if status.st_mtime < before]
    kept: set[str] = set()
    for begin in range(0, len(old), 500):
        some = [path.stem for path in old[begin : begin + 500] if path.suffix == SUFFIX]
        there = select(Picture.id).where(Picture.deleted_at.is_(None), Picture.id.in_(some))
        public = select(PublicPicture.id).where(PublicPicture.id.in_(some))
        kept |= {*session.scalars(there), *session.scalars(public)}
    return [path for path in old if path.suffix != SUFFIX or path.stem not in kept]
