"""Releasing a request to the public."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy import Engine

from api.access import Database, InForce, Reading, SignedIn, admit_roles
from api.ids import PathId
from api.pictures import SHOWN, PictureId, send_picture
from api.requests import request_schemas as wire
from api.requests.reading import find_seen_by
from db.engine import reading, writing
from db.models import User
from hotline.errors import Refused
from hotline.pictures import attachments, decoding, stores
from hotline.requests import lifecycle
from hotline.requests.public import publications
from hotline.requests.public.publications import Shown
from settings import Settings

router = APIRouter(prefix="/requests", tags=["requests"])

MayRelease = Annotated[User, Depends(admit_roles(*publications.MODERATORS))]


@router.get("/{request_id}/release")
def show_release(request_id: PathId, user: SignedIn, session: Reading) -> wire.Release | None:
    """The request's release; null: none."""
    find_seen_by(session, user, lifecycle.get(session, request_id))
    found = publications.find(session, request_id)
    if found is None:
        return None
    row, copies = found
    shown = [
        wire.ShownPicture(
            id=copy.picture_id, hidden=[wire.Area(**decoding.Area(*area)._asdict()) for area in copy.hidden]
        )
        for copy in copies
    ]
    return wire.Release(text=row.text, pictures=shown, with_point=row.with_point, who=row.who, at=row.at)


@router.post("/{request_id}/pictures/{picture_id}/hidden", **SHOWN)
def preview(
    *,
    request_id: PathId,
    picture_id: PictureId,
    body: wire.Hidden,
    user: MayRelease,
    engine: Database,
    settings: InForce,
) -> Response:
    """A preview of the public picture with these areas hidden. It releases nothing."""
    (file,) = _files(engine, user, request_id, [picture_id])
    return send_picture(_copy(settings, file, body).data)


@router.post("/{request_id}/release", status_code=204)
def release(
    request_id: PathId, body: wire.ReleaseIn, user: MayRelease, engine: Database, settings: InForce
) -> None:
    """Release the request with this text and these pictures. A later release replaces it; the rest stays
    private.
    """
    wanted = {each.id: each for each in body.pictures}
    made: list[Shown] = []
    try:
        for file in _files(engine, user, request_id, list(wanted)):
            made.append(_made(settings, file, wanted[file.name]))
        with writing(engine) as session:
            gone = publications.release(
                session,
                request_id,
                text=body.text,
                shown=made,
                with_point=body.with_point,
                who=user.username,
            )
    except Refused:  # after any other error the rows may exist
        for each in made:
            attachments.discard(settings.pictures_dir, each.file.name)
        raise
    stores.delete(settings, gone)


@router.delete("/{request_id}/release", status_code=204)
def withdraw(request_id: PathId, user: MayRelease, engine: Database, settings: InForce) -> None:
    """Withdraw the release."""
    with writing(engine) as session:
        find_seen_by(session, user, lifecycle.get(session, request_id))
        gone = publications.withdraw(session, request_id, who=user.username)
    stores.delete(settings, gone)


def _files(engine: Engine, user: User, request_id: int, names: Sequence[str]) -> Sequence[stores.File]:
    with reading(engine) as session:
        find_seen_by(session, user, lifecycle.get(session, request_id))
        return attachments.list_files(session, request_id, names)


def _copy(settings: Settings, file: stores.File, wanted: wire.Hidden) -> decoding.Plain:
    return decoding.hide(stores.read(settings, file), _areas(wanted))


def _made(settings: Settings, file: stores.File, wanted: wire.Hidden) -> Shown:
    copy = _copy(settings, file, wanted)
    name = attachments.keep(settings.pictures_dir, copy)
    return Shown(file.name, _areas(wanted), stores.File(name, stores.hash_data(copy.data)))


def _areas(wanted: wire.Hidden) -> Sequence[decoding.Area]:
    return [decoding.Area(each.left, each.top, each.width, each.height) for each in wanted.hidden]
