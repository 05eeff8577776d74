"""Pictures: kept under a random name, handed to one request, seen by roles and their owner, deleted for real.

The file is there before the row, and goes after it: a row always has its file. It is in the folder at first,
and in the store, if there is one, when the clerk has brought it (hotline.pictures.stores).
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, or_, select
from sqlalchemy.orm import Session

from db.engine import core, now, one_at_a_time
from db.models import Erasure, Pass, Picture, PictureKind, PublicPicture, Request
from db.states import OPEN_REQUESTS
from db.trusted_time import trusted_now
from hotline.errors import Refused
from hotline.pictures import stores
from hotline.pictures.decoding import Plain
from hotline.recordings import disk

SUFFIX = stores.SUFFIX
PLACE = "pictures"
"""Of what is to be deleted: these are pictures."""
MOST = 3
"""At once, from a citizen or a department."""
A_DAY = 60
"""Of one number, or one person of a department, in 24 hours."""
NOBODYS = timedelta(days=1)
"""So long a picture waits for its request."""


def keep(folder: Path, picture: Plain) -> str:
    """Write the file, whole or not at all; returns the picture's name. Raises Refused("disk-full")."""
    name = secrets.token_hex(16)
    stores.Folder(folder).put(name, picture.data)
    return name


def discard(folder: Path, name: str) -> None:
    """Delete the file of a picture that no row keeps."""
    stores.Folder(folder).delete(name)


def path(folder: Path, name: str) -> Path:
    """Where the picture of this name lies, until the clerk brings it to the store."""
    return folder / f"{name}{SUFFIX}"


def add(session: Session, name: str, picture: Plain, *, number: str) -> Picture:
    """A picture of a citizen's E.164 `number` that waits for its request.

    Raises Refused("too-many-pictures").
    """
    one_at_a_time(session, f"pictures-{number}")
    _may_add(session, _OF_NUMBER, number)
    row = _row(session, name, picture, PictureKind.BEFORE)
    row.number = number
    session.flush()
    return row


def add_of_office(session: Session, name: str, picture: Plain, *, who: str) -> Picture:
    """A picture by which a department shows that something is mended; it waits for its request.

    Raises Refused("too-many-pictures").
    """
    one_at_a_time(session, f"pictures-{who}")
    _may_add(session, _OF_WHO, who)
    row = _row(session, name, picture, PictureKind.EVIDENCE)
    row.who = who
    session.flush()
    return row


def add_of_body(session: Session, name: str, picture: Plain, pass_id: int) -> Picture:
    """A picture by which a body outside the city shows what it has done; it waits until the city uses it."""
    row = _row(session, name, picture, PictureKind.EVIDENCE)
    row.who, row.pass_id = f"pass {pass_id}", pass_id  # no username has a space
    session.flush()
    return row


_SINCE = select(func.count(), func.min(Picture.made_at)).where(Picture.made_at > bindparam("since"))
_OF_NUMBER, _OF_WHO = (_SINCE.where(each == bindparam("whom")) for each in (Picture.number, Picture.who))


def _may_add(session: Session, mine: Select[int, datetime], whom: str) -> None:
    since = now(session) - timedelta(days=1)
    count, oldest = core(session).execute(mine, {"whom": whom, "since": since}).one()
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
        checksum=stores.checksum(picture.data),
        made_at=now(session),
    )
    session.add(row)
    return row


def waiting(session: Session, names: Sequence[str], of_whom: ColumnElement[bool]) -> Sequence[Picture]:
    """These pictures, which are `of_whom`, of no request yet and nobody else's until the transaction ends.

    Call it before anything is logged. Raises Refused("picture-unknown"): another's, used, or gone by now.
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
    """They are the request's from now on, after those of the kind that it has; a `new` one has none."""
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


def of_request(session: Session, request_id: int) -> Sequence[Picture]:
    """The request's pictures that are still there, in their order."""
    return session.scalars(_OF_REQUEST, {"request": request_id}).all()


def of_number(session: Session, number: str) -> Sequence[Picture]:
    """All that a number has handed in and that is still there."""
    there = select(Picture).where(Picture.number == number, Picture.deleted_at.is_(None))
    return session.scalars(there.order_by(Picture.made_at, Picture.id)).all()


def seen_by(number: str) -> ColumnElement[bool]:
    """What an E.164 number may see: what it handed in, what its requests have, and how their first ones were
    mended.
    """
    mine = select(Request.id).where(Request.number == number)
    first = select(Request.duplicate_of_id).where(Request.number == number)
    mended = and_(Picture.kind == PictureKind.EVIDENCE, Picture.request_id.in_(first))
    return or_(Picture.number == number, Picture.request_id.in_(mine), mended)


def find(session: Session, name: str, *of_whom: ColumnElement[bool]) -> stores.File:
    """The file of a picture, if it is `of_whom`. Raises Refused("not-found")."""
    there = select(Picture.id, Picture.checksum).where(Picture.id == name, Picture.deleted_at.is_(None))
    found = session.execute(there.where(*of_whom)).first()
    if found is None:
        raise Refused("not-found", "there is no picture, or not any more")
    return stores.File(*found)


def files(session: Session, request_id: int, names: Collection[str]) -> Sequence[stores.File]:
    """The files of a request's pictures. Raises Refused("picture-unknown")."""
    there = select(Picture.id, Picture.checksum).where(
        Picture.request_id == request_id, Picture.id.in_(names), Picture.deleted_at.is_(None)
    )
    found = [stores.File(*row) for row in session.execute(there.order_by(Picture.kind, Picture.position))]
    if {each.name for each in found} != set(names):
        raise Refused("picture-unknown", "it has no such picture, or not any more", "pictures")
    return found


def take_back(session: Session, *which: ColumnElement[bool]) -> Sequence[str]:
    """The public copies of these pictures are gone at once; the names whose files go."""
    of = PublicPicture.picture_id.in_(select(Picture.id).where(*which))
    names = session.scalars(select(PublicPicture.id).where(of).order_by(PublicPicture.id)).all()
    gone = delete(PublicPicture).where(PublicPicture.id.in_(names))
    session.execute(gone.execution_options(synchronize_session=False))
    erase(session, names)
    return names


def drop_of_number(session: Session, number: str) -> Sequence[str]:
    """What waits for a request is gone, what a request has is nobody's; the names whose files go."""
    mine = select(Picture).where(Picture.number == number).order_by(Picture.id).with_for_update()
    gone = []
    for picture in session.scalars(mine).all():
        picture.number = None
        if picture.request_id is None:
            gone.append(picture.id)
            session.delete(picture)
    return gone


def drop_of_request(session: Session, request_id: int) -> Sequence[str]:
    """What its citizen has handed in is gone; the names whose files go."""
    at = now(session)
    citizens = [each for each in of_request(session, request_id) if not each.who]
    for picture in citizens:
        picture.deleted_at = at
    names = [picture.id for picture in citizens]
    take_back(session, Picture.id.in_(names))
    return names


def erase(session: Session, names: Sequence[str]) -> None:
    """The clerk deletes these files, wherever they lie, and tries again until they are gone."""
    at = now(session)
    session.add_all([Erasure(file=f"{PLACE}/{name}{SUFFIX}", asked_at=at) for name in names])


def drop_nobodys(session: Session, limit: int) -> int:
    """Forget at most `limit` pictures that no request has claimed in their time; returns how many."""
    unclaimed = Picture.request_id.is_(None), Picture.pass_id.is_(None)
    old = *unclaimed, Picture.made_at < trusted_now(session) - NOBODYS
    some = select(Picture.id).where(*old).order_by(Picture.made_at).limit(limit)
    names = session.scalars(some.with_for_update(skip_locked=True)).all()
    gone = delete(Picture).where(Picture.id.in_(names), *old)
    session.execute(gone.execution_options(synchronize_session=False))
    erase(session, names)
    return len(names)


def forget(session: Session, days: int, limit: int) -> int:
    """At most `limit` pictures that are so many days old, of requests that are over, are gone from now on."""
    at = trusted_now(session)
    old = (
        select(Picture)
        .outerjoin(Pass, Pass.id == Picture.pass_id)
        .join(Request, Request.id == func.coalesce(Picture.request_id, Pass.request_id))
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


def strays(session: Session, folder: Path) -> list[Path]:
    """Files of a day ago, in the folder, of which no row knows: a writing cut short."""
    before = (trusted_now(session) - NOBODYS).timestamp()
    old = [path for path, status in disk.files(folder) if status.st_mtime < before]
    kept: set[str] = set()
    for begin in range(0, len(old), 500):
        some = [path.stem for path in old[begin : begin + 500] if path.suffix == SUFFIX]
        there = select(Picture.id).where(Picture.deleted_at.is_(None), Picture.id.in_(some))
        public = select(PublicPicture.id).where(PublicPicture.id.in_(some))
        kept |= {*session.scalars(there), *session.scalars(public)}
    return [path for path in old if path.suffix != SUFFIX or path.stem not in kept]
