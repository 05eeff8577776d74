"""A third person in my desk's conversation."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api.access import AtDesk, InForce, Reading, Writing
from api.desk import desk_schemas as desk
from api.desk.callbacks import find_mine, find_once_mine
from api.ids import PathId
from db import models
from hotline import numbers
from hotline.callbacks import third_party
from hotline.errors import Refused
from hotline.requests import departments
from hotline.rounds import officials

router = APIRouter(prefix="/callbacks", tags=["callbacks"])


@router.get("/{callback_id}/guests")
def list_guests(callback_id: PathId, user: AtDesk, session: Reading) -> list[desk.Guest]:
    """Third persons called into my desk's conversation, newest first."""
    callback = find_once_mine(session, callback_id, user)
    return [_view(guest) for guest in third_party.list_by_callback(session, callback.id)]


@router.post("/{callback_id}/guests", status_code=202)
def ask_guest(
    callback_id: PathId, body: desk.GuestIn, user: AtDesk, session: Writing, settings: InForce
) -> desk.Guest:
    """Call a third person into my conversation; asking twice places one call."""
    callback = find_mine(session, callback_id, user)
    whom = _whom(session, body)
    number = numbers.parse((whom.number if whom else body.number) or "", settings.allowed_prefixes)
    asked = third_party.ask(session, callback, number, settings, who=user.username, whom=whom)
    return _view(asked)


@router.delete("/{callback_id}/guests/{guest_id}", status_code=202)
def end_guest(callback_id: PathId, guest_id: PathId, user: AtDesk, session: Writing) -> desk.Guest:
    """End the third person's part; the conversation with the citizen goes on."""
    guest = third_party.get(session, find_mine(session, callback_id, user), guest_id)
    return _view(third_party.end(session, guest, who=user.username))


def _whom(session: Session, body: desk.GuestIn) -> models.Department | models.Official | None:
    if len(body.model_dump(exclude_none=True)) != 1:
        raise Refused("number-invalid", "one of a department, an official and a number")
    if body.official_id:
        return officials.get(session, body.official_id)
    return departments.get(session, body.department_id) if body.department_id else None


def _view(guest: models.Guest) -> desk.Guest:
    return desk.Guest(
        id=guest.id,
        number=numbers.format_national(guest.number),
        department_id=guest.department_id,
        official_id=guest.official_id,
        state=guest.state,
        ended_by=guest.ended_by if guest.ended_at else None,
        asked_at=guest.asked_at,
        talking_at=guest.talking_at,
        ended_at=guest.ended_at,
        ending=guest.hangup_asked_at is not None and guest.ended_at is None,
    )
