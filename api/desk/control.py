"""The control room: all desks, live lines and alarms, and a supervisor's actions."""

from fastapi import APIRouter

from api.access import AtDesk, InForce, MayMove, MayWatch, Reading, SignedIn, Writing
from api.desk import desk_schemas
from api.ids import PathId
from api.reason_schemas import Because
from api.rounds.timetable import Day
from db.models import Desk
from hotline.callbacks import transitions
from hotline.control import control_room, person_day
from hotline.control.alarms import Alarm
from hotline.desks import desk_messages, freeing, staffing

router = APIRouter(tags=["control"])


@router.get("/control")
def show(_user: MayWatch, session: Reading, settings: InForce) -> control_room.ControlRoom:
    """Desks, live lines and alarms at this moment. A citizen appears only as a ticket number."""
    return control_room.show(session, by_proxy=settings.sip_proxy is not None)


@router.get("/control/alarms")
def list_alarms(_user: MayWatch, session: Reading, settings: InForce) -> list[Alarm]:
    """Alarms that a supervisor must handle at once."""
    return control_room.show(session, by_proxy=settings.sip_proxy is not None).alarms


@router.post("/callbacks/{callback_id}/free", status_code=204)
def free(callback_id: PathId, body: Because, user: MayMove, session: Writing, settings: InForce) -> None:
    """Take the citizen from a desk that does not come back. It costs no attempt, and the citizen is first
    again.
    """
    callback = transitions.get(session, callback_id)
    freeing.free(session, callback, settings, who=user.username, reason=body.reason)


@router.post("/desks/{desk_id}/messages", status_code=204)
def send_message(
    desk_id: PathId, body: desk_schemas.DeskWordIn, user: MayMove, session: Writing, settings: InForce
) -> None:
    """Send a message to a desk; its page shows the message until somebody confirms it."""
    desk = staffing.get(session, desk_id, settings.desks)
    desk_messages.send(session, desk.id, body.text, who=user.username)


@router.post("/desk/messages/{message_id}/read", status_code=204)
def confirm_message(message_id: PathId, user: AtDesk, session: Writing) -> None:
    """Confirm that I have read a message to my desk."""
    desk = session.get_one(Desk, user.desk_id)
    desk_messages.confirm(session, desk.id, message_id, who=user.username)


@router.get("/people/{person_id}/day")
def show_day(person_id: PathId, day: Day, _user: MayWatch, session: Reading) -> person_day.PersonDay:
    """A person's day in the city's time: conversations, wrap-up, waiting, breaks, and when the phone was
    away.
    """
    return person_day.show(session, person_id, day)


@router.get("/me/week")
def show_own_week(day: Day, user: SignedIn, session: Reading) -> list[person_day.PersonDay]:
    """My week, from Saturday on, day by day; no day in the future."""
    return person_day.list_week(session, user.id, day)
