"""Giving my conversation to another desk, which I may ask to join first."""

from fastapi import APIRouter

from api import schemas, views
from api.access import AtDesk, InForce, Reading, Writing
from api.desk import desk_schemas as desk
from api.desk.callbacks import find_mine, find_once_mine
from api.ids import PathId
from db import models
from hotline.desks import transfers

router = APIRouter(tags=["callbacks"])


@router.get("/callbacks/{callback_id}/takers")
def list_takers(callback_id: PathId, user: AtDesk, session: Reading) -> list[desk.Taker]:
    """Desks that can take over my conversation now; none once it is given."""
    mine = find_once_mine(session, callback_id, user)
    if mine.desk_id != user.desk_id:
        return []
    return [
        desk.Taker(desk_id=taker.desk.id, name=taker.person.name, here=taker.here)
        for taker in transfers.list_takers(session, mine)
    ]


@router.post("/callbacks/{callback_id}/consult", status_code=202)
def consult(
    callback_id: PathId, body: desk.Consulted, user: AtDesk, session: Writing, settings: InForce
) -> schemas.Callback:
    """Ask another desk's phone to join my conversation; with the citizen on hold, the two desks are alone."""
    mine = find_mine(session, callback_id, user)
    transfers.consult(session, mine, body.desk_id, body.note, settings, by=user, waits=body.waits)
    return views.describe_callback(session, mine)


@router.post("/callbacks/{callback_id}/give", status_code=202)
def give(
    callback_id: PathId, body: desk.GivenTo, user: AtDesk, session: Writing, settings: InForce
) -> schemas.Callback:
    """Give the conversation to another desk, which gets the citizen. A repeated request changes nothing."""
    callback = find_once_mine(session, callback_id, user)
    if callback.desk_id == body.desk_id != user.desk_id:
        return views.describe_callback(session, callback)
    mine = find_mine(session, callback_id, user)
    given = transfers.give(session, mine, body.desk_id, body.note, settings, by=user)
    return views.describe_callback(session, given)


@router.post("/callbacks/{callback_id}/take-back", status_code=202)
def take_back(callback_id: PathId, user: AtDesk, session: Writing, settings: InForce) -> schemas.Callback:
    """Take my citizen back from a desk that has not got them yet. A repeated request changes nothing."""
    mine = find_once_mine(session, callback_id, user)
    return views.describe_callback(session, transfers.take_back(session, mine, settings, by=user))


@router.delete("/desk/hears", status_code=204)
def leave(user: AtDesk, session: Writing) -> None:
    """Let my phone leave another desk's conversation."""
    transfers.leave(session, session.get_one(models.Desk, user.desk_id), who=user.username)
