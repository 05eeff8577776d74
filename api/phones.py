"""What the phones in browsers need to sign in to Asterisk."""

from fastapi import APIRouter, Request

from api import schemas, views
from api.access import AtDesk, InForce, Writing
from db import models
from dialplan import accounts
from hotline import desk_phones, numbers
from hotline.errors import Refused

router = APIRouter(tags=["phones"])


@router.get("/desk/phone")
def desk_phone(user: AtDesk, settings: InForce, request: Request) -> schemas.DeskPhone:
    """My desk's phone account."""
    assert user.desk_id is not None  # noqa: S101
    name = accounts.desk(user.desk_id)
    return schemas.DeskPhone(
        websocket_url=settings.websocket,
        sip_uri=f"sip:{name}@{settings.asterisk_http.host}",
        username=name,
        password=settings.secret_for(name),
        extension=accounts.DESK_EXTENSION,
    )


@router.post("/desk/phone/call", status_code=202)
def call_desk_phone(user: AtDesk, session: Writing) -> schemas.Me:
    """Have my desk's telephone called: it comes into the room with my PIN."""
    desk = session.get_one(models.Desk, user.desk_id)
    desk_phones.ask_call(session, desk, session.get_one(models.User, user.id))
    return views.me_view(session, session.get_one(models.User, user.id))


@router.get("/browser-phone")
def browser_phone(settings: InForce) -> schemas.BrowserPhone:
    """The citizens' phones of /phone, where they are switched on."""
    if not settings.browser_phone:
        raise Refused("not-found", "the phone in the browser is switched off here")
    return schemas.BrowserPhone(
        websocket_url=settings.websocket,
        lines=[
            schemas.BrowserLine(
                number=numbers.national(number),
                sip_uri=f"sip:{name}@{settings.asterisk_http.host}",
                username=name,
                password=settings.secret_for(name),
            )
            for name, number in accounts.BROWSER_PHONES.items()
        ],
    )
