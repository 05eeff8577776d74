"""Pictures by which a department shows that something is mended; they wait for a «solved» to claim them."""

from collections.abc import AsyncIterator
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Request

from api import pictures as wire_pictures
from api.access import Database, InForce, OfDepartment
from api.limits import Coming, Guesses
from api.my import my_schemas
from api.pictures import SENT
from db.engine import writing
from hotline.errors import Refused
from hotline.pictures import decoding, pictures

router = APIRouter(prefix="/inbox/pictures", tags=["inbox"])


async def _received(request: Request, user: OfDepartment, settings: InForce) -> AsyncIterator[BinaryIO]:
    """What a department sends; each one costs, whatever it is."""
    sent: Guesses = request.app.state.pictures_sent
    coming: Coming = request.app.state.pictures_coming
    with coming.one(user.username):
        sent.take(user.username)
        async with wire_pictures.received(request, settings.pictures_dir) as file:
            yield file


@router.post("", status_code=201, **SENT)
def hand_in(
    user: OfDepartment, file: Annotated[BinaryIO, Depends(_received)], engine: Database, settings: InForce
) -> my_schemas.PictureKept:
    """Hand in a picture of what was mended; the body is the file. A «solved» has a day to claim it."""
    made = decoding.plain(file)
    name = pictures.keep(settings.pictures_dir, made)
    try:
        with writing(engine) as session:
            pictures.add_of_office(session, name, made, who=user.username)
    except Refused:  # whatever else goes wrong, the row may be there
        pictures.discard(settings.pictures_dir, name)
        raise
    return my_schemas.PictureKept(id=name, width=made.width, height=made.height, size=len(made.data))
