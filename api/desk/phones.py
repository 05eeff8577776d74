"""Accounts with which phones in browsers sign in to Asterisk."""

from fastapi import APIRouter, Request

from api import schemas, views
from api.access import AtDesk, Database, InForce, InSession, Reading, Writing, find_person, find_session
from api.desk import phone_schemas
from db import models
from db.engine import now, writing
from dialplan import accounts
from hotline import audit, numbers
from hotline.desks import desk_phones, relay
from hotline.errors import Refused
from hotline.nodes import phones
from hotline.people import desk_admission

router = APIRouter(tags=["phones"])


@router.get("/desk/phone")
def desk_phone(
    user: AtDesk, sign_in: InSession, settings: InForce, session: Reading, engine: Database
) -> phone_schemas.DeskPhone:
    """My desk's phone account, which this sign-in holds from now on. The extension opens the conference room.

    Both end with the sign-in. The password also ends when another sign-in of mine asks for the account.
    """
    assert user.desk_id is not None  # noqa: S101
    name = accounts.get_desk_account(user.desk_id)
    found = relay.relay(settings, name, now(session))
    node = phones.find_node(session, session.get_one(models.Desk, user.desk_id))
    password = settings.secret_for(name)  # what an Asterisk knows that an upgrade left running
    if phones.has_desk_passwords(session, node.name if node else settings.node):
        with writing(engine) as taking:
            password = desk_admission.take_account(taking, user.desk_id, sign_in.token_hash, settings)
    return phone_schemas.DeskPhone(
        websocket_url=node.websocket_url if node else settings.websocket,
        sip_uri=f"sip:{name}@{node.host if node else settings.asterisk_http.host}",
        username=name,
        password=password,
        extension=accounts.DESK_EXTENSION
        + desk_admission.make_key(sign_in.token_hash, user.desk_id, settings),
        ice_servers=[phone_schemas.IceServer(**found._asdict())] if found else [],
    )


@router.get("/desk/phone/admission", status_code=204)
def may_connect(request: Request, engine: Database, settings: InForce) -> None:
    """Whether a browser's phone may connect to Asterisk: the TLS proxy asks before it passes `/ws` on.

    Anybody may while the citizens' phones of /phone are switched on. A person without a desk gets
    «forbidden»: nginx accepts no refusal but 401 and 403.
    """
    if settings.browser_phone:
        return
    person = find_person(find_session(request, engine, settings), settings)
    if person.desk_id is None or person.role is models.Role.AUDITOR:
        raise Refused("forbidden", "only for people at a desk")


@router.get("/desk/phone/choice")
def phone_choice(user: AtDesk, session: Reading) -> phone_schemas.MyPhone:
    """My desk's phone."""
    desk = session.get_one(models.Desk, user.desk_id)
    return phone_schemas.MyPhone(
        use="number" if desk.number else "browser" if desk.phone == "browser" else "sip",
        number=numbers.format_national(desk.number) if desk.number else None,
        called=bool(desk.call_token or desk.call_asked_at),
        has_pin=user.pin_hash is not None,
    )


@router.put("/desk/phone/choice")
def choose_phone(
    body: phone_schemas.PhoneChoice, user: AtDesk, session: Writing, settings: InForce
) -> phone_schemas.MyPhone:
    """Choose my desk's phone; not while my desk has a citizen."""
    desk = session.get_one(models.Desk, user.desk_id)
    number = (
        numbers.parse_desk(body.number, settings.allowed_prefixes, settings.extensions)
        if body.number
        else None
    )
    desk_phones.choose(session, desk, body.use, number, who=user.username)
    return phone_choice(user, session)


@router.post("/desk/phone/account")
def sip_account(user: AtDesk, session: Writing, settings: InForce) -> phone_schemas.SipAccount:
    """The account of my desk's SIP phone, to be typed into it; the audit log shows who read it."""
    assert user.desk_id is not None  # noqa: S101
    desk = session.get_one(models.Desk, user.desk_id)
    node = phones.find_node(session, desk)
    audit.record(session, user.username, "desk-phone-account-shown", f"desk {user.desk_id}")
    account = desk_admission.find_sip_account(session, desk, settings, who=user.username)
    return phone_schemas.SipAccount(
        username=accounts.get_desk_account(desk.id, sip=True),
        password=account.password,
        server=node.sip if node else str(settings.sip),
        extension=accounts.DESK_EXTENSION + account.key,
    )


@router.post("/desk/phone/call", status_code=202)
def call_desk_phone(user: AtDesk, session: Writing, settings: InForce) -> schemas.Me:
    """Call my desk's telephone; it enters the conference room with my PIN."""
    desk = session.get_one(models.Desk, user.desk_id)
    desk_phones.ask_call(session, desk, session.get_one(models.User, user.id), settings)
    return views.describe_me(session, session.get_one(models.User, user.id))


@router.get("/browser-phone")
def browser_phone(settings: InForce) -> phone_schemas.BrowserPhone:
    """The citizens' phones of /phone, if they are switched on."""
    if not settings.browser_phone:
        raise Refused("not-found", "the phone in the browser is switched off here")
    return phone_schemas.BrowserPhone(
        websocket_url=settings.websocket,
        lines=[
            phone_schemas.BrowserLine(
                number=numbers.format_national(number),
                sip_uri=f"sip:{name}@{settings.asterisk_http.host}",
                username=name,
                password=settings.secret_for(name),
            )
            for name, number in accounts.BROWSER_PHONES.items()
        ],
    )
