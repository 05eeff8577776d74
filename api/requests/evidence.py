"""Pictures as evidence of a repair; they wait for an answer «solved» to claim them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine

from api import access
from api import pictures as wire_pictures
from api.access import Database, InForce, MayHandleRequests, OfDepartment
from api.limits import Coming, Guesses
from api.my.my_schemas import PictureKept
from api.pictures import SENT
from db.engine import writing
from db.models import User
from hotline.errors import Refused
from hotline.pictures import attachments, decoding
from settings import Settings

router = APIRouter()


def _received_of(person: Callable[..., Awaitable[User]]) -> Callable[..., Any]:
    """Make a dependency that receives such a person's picture. Each attempt counts against the limit."""

    async def received(
        request: Request, user: Annotated[User, Depends(person)], settings: InForce
    ) -> AsyncIterator[BinaryIO]:
        sent: Guesses = request.app.state.pictures_sent
        coming: Coming = request.app.state.pictures_coming
        with coming.one(user.username):
            await run_in_threadpool(sent.take, user.username)
            async with wire_pictures.received(request, settings.pictures_dir) as file:
                yield file

    return received


_OfDepartment = Annotated[BinaryIO, Depends(_received_of(access.of_department))]
_OfOffice = Annotated[BinaryIO, Depends(_received_of(access.handles_requests))]


@router.post("/inbox/pictures", status_code=201, tags=["inbox"], **SENT)
def hand_in(user: OfDepartment, file: _OfDepartment, engine: Database, settings: InForce) -> PictureKept:
    """Send a picture of the repair; the body is the file. A «solved» has a day to claim it."""
    return _kept(user, file, engine, settings)


@router.post("/requests/pictures", status_code=201, tags=["requests"], **SENT)
def hand_in_of_office(
    user: MayHandleRequests, file: _OfOffice, engine: Database, settings: InForce
) -> PictureKept:
    """Send a picture of the repair from the office."""
    return _kept(user, file, engine, settings)


def _kept(user: User, file: BinaryIO, engine: Engine, settings: Settings) -> PictureKept:
    made = decoding.redraw(file)
    name = attachments.keep(settings.pictures_dir, made)
    try:
        with writing(engine) as session:
            attachments.add_of_office(session, name, made, who=user.username)
    except Refused:  # after any other error the rows may exist
        attachments.discard(settings.pictures_dir, name)
        raise
    return PictureKept(id=name, width=made.width, height=made.height, size=len(made.data))
