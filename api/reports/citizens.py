"""A citizen: everything about their number.

The audit log shows who reads it, except for the desk that has the citizen now.
"""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api.access import Database, MayMove, MayReadCitizens, Writing
from api.desk import citizen_history as desk_history
from api.ids import PathId
from api.reports import citizen_schemas as wire
from db.engine import reading, writing
from db.models import User
from hotline import audit, numbers
from hotline.callbacks import transitions
from hotline.citizens import erasure
from hotline.line import blocked
from hotline.reports import citizen_history

router = APIRouter(prefix="/citizens", tags=["citizens"])


@router.get("/{of}/{id_}")
def show(of: citizen_history.Of, id_: PathId, user: MayReadCitizens, engine: Database) -> wire.Citizen:
    """The citizen of this registration or request."""
    with reading(engine) as session:
        number = citizen_history.find_number(session, of, id_)
        citizen = _citizen(session, user, number)
    if citizen.masked:
        with writing(engine) as session:
            audit.record_once(session, user.username, "citizen-read", f"{of} {id_}")
    return citizen


def _citizen(session: Session, user: User, number: str) -> wire.Citizen:
    in_hand = _in_hand(session, user, number)
    history = desk_history.read_history(session, number, user)
    return wire.Citizen(
        number=numbers.format_national(number if in_hand else numbers.mask(number)),
        masked=not in_hand,
        blocked=blocked.is_blocked(session, number),
        registrations=history.registrations,
        requests=history.requests,
        messages=[
            wire.SentMessage.model_validate(message, from_attributes=True)
            for message in citizen_history.list_messages(session, number)
        ],
    )


@router.post("/{of}/{id_}/number")
def show_number(
    of: citizen_history.Of, id_: PathId, user: MayReadCitizens, session: Writing
) -> wire.CitizensNumber:
    """The citizen's whole number, or the one that a program sent; the audit log shows who asked."""
    number = citizen_history.get_contact(session, of, id_)
    audit.record(session, user.username, "number-shown", f"{of} {id_}")
    return wire.CitizensNumber(number=numbers.format_national(number))


@router.post("/{of}/{id_}/new-owner", status_code=204)
def new_owner(
    of: citizen_history.Of, id_: PathId, body: wire.NewOwner, user: MayMove, session: Writing
) -> None:
    """Record a new owner of the number: the former owner's data is separated from it for good."""
    number = citizen_history.find_number(session, of, id_)
    erasure.delete_former_owner(session, number, who=user.username, reason=body.reason, give_up=body.give_up)


def _in_hand(session: Session, user: User, number: str) -> bool:
    if user.desk_id is None:
        return False
    mine = (
        find(session, user.desk_id)
        for find in (transitions.find_live_at_desk, transitions.find_screened_at_desk)
    )
    return any(callback is not None and callback.registration.number == number for callback in mine)
