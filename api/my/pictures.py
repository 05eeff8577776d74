"""Pictures that a citizen sends for a report, and the citizen's own pictures."""

from collections.abc import AsyncIterator
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from api import pictures as wire_pictures
from api.access import Database, InForce
from api.limits import Coming, Guesses
from api.my import my_schemas as wire
from api.my.signed_in import Citizen
from api.pictures import SENT, SHOWN, PictureId
from db import models
from db.engine import reading, writing
from hotline.citizens import sessions
from hotline.errors import Refused
from hotline.pictures import attachments, decoding

router = APIRouter(prefix="/my/pictures", tags=["my"])


async def _received(request: Request, citizen: Citizen, settings: InForce) -> AsyncIterator[BinaryIO]:
    """Receive a citizen's picture. Each attempt counts against the limit, refused ones, too."""
    sent: Guesses = request.app.state.pictures_sent
    coming: Coming = request.app.state.pictures_coming
    with coming.one(citizen.number):
        await run_in_threadpool(sent.take, citizen.number)
        async with wire_pictures.received(request, settings.pictures_dir) as file:
            yield file


Received = Annotated[BinaryIO, Depends(_received)]


@router.post("", status_code=201, **SENT)
def hand_in(citizen: Citizen, file: Received, engine: Database, settings: InForce) -> wire.PictureKept:
    """Send a picture for a report, which has a day to claim it; the body is the file."""
    made = decoding.redraw(file)
    name = attachments.keep(settings.pictures_dir, made)
    try:
        with writing(engine) as session:
            sessions.lock_number(session, citizen)
            attachments.add(session, name, made, number=citizen.number)
    except Refused:  # after any other error the row may exist
        attachments.discard(settings.pictures_dir, name)
        raise
    return wire.PictureKept(id=name, width=made.width, height=made.height, size=len(made.data))


@router.get("/{picture_id}", **SHOWN)
def show_picture(picture_id: PictureId, citizen: Citizen, engine: Database, settings: InForce) -> Response:
    """A picture of mine, or of a request of mine."""
    with reading(engine) as session:
        file = attachments.find(session, picture_id, attachments.where_seen_by(citizen.number))
    return wire_pictures.show(settings, file)


def describe_picture(picture: models.Picture) -> wire.MyPicture:
    """Return the JSON of a request's picture."""
    return wire.MyPicture(
        id=picture.id,
        kind=picture.kind,
        width=picture.width,
        height=picture.height,
        made_at=picture.made_at,
    )
