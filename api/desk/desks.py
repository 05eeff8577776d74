"""The office's desks: their people and phones, and recording an outcome for an absent person."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api import views
from api.access import InForce, MayAdminister, MayMove, MayWatch, Reading, Writing
from api.desk import place_schemas
from api.ids import PathId
from db import models
from db.engine import now
from dialplan import accounts
from hotline import numbers
from hotline.callbacks import forgotten_claims, wrap_up
from hotline.desks import desk_phones, staffing
from hotline.people import desk_admission
from hotline.rounds import phases

router = APIRouter(prefix="/desks", tags=["desks"])


def _views(session: Session, places: list[models.Desk]) -> list[place_schemas.DeskPlace]:
    people, in_hand = staffing.find_people(session), staffing.find_in_hand(session)
    return [_view(session, desk, people.get(desk.id), in_hand.get(desk.id)) for desk in places]


def _view(
    session: Session, desk: models.Desk, person: models.User | None, live: models.Callback | None
) -> place_schemas.DeskPlace:
    served = phases.get(session, desk.round_id) if desk.round_id else None
    return place_schemas.DeskPlace(
        id=desk.id,
        person_id=person.id if person else None,
        person=person.name if person else None,
        phone=staffing.find_phone_kind(desk),
        number=numbers.format_national(desk.number) if desk.number else None,
        phone_connected=bool(desk.phone_connected),
        round_id=desk.round_id,
        serves=views.describe_official(phases.find_speaker(served)) if served else None,
        in_hand=place_schemas.DeskInHand(
            callback_id=live.id,
            ticket=live.registration.ticket,
            state=live.state,
            since=live.ended_at or wrap_up.find_over_since(live) or live.talking_at or live.claimed_at,
            talking_at=live.talking_at,
            owed=forgotten_claims.is_owed(live, now(session)),
        )
        if live
        else None,
    )


@router.get("")
def list_desks(_user: MayWatch, session: Reading, settings: InForce) -> list[place_schemas.DeskPlace]:
    """Every desk of the office by number, unused desks included."""
    known = staffing.list_used(session)
    places = [known.get(id_) or models.Desk(id=id_) for id_ in range(1, settings.desks + 1)]
    return _views(session, places)


@router.patch("/{desk_id}")
def set_phone(
    desk_id: PathId, body: place_schemas.DeskPhoneIn, user: MayAdminister, session: Writing, settings: InForce
) -> place_schemas.DeskPlace:
    """Set a desk's kind of phone."""
    desk = staffing.get(session, desk_id, settings.desks)
    wanted = body.phone == "number" and body.number.strip()
    number = (
        numbers.parse_desk(body.number, settings.allowed_prefixes, settings.extensions) if wanted else None
    )
    desk_phones.choose(session, desk, body.phone, number, who=user.username)
    return _views(session, [desk])[0]


@router.post("/{desk_id}/account")
def show_account(
    desk_id: PathId, user: MayAdminister, session: Writing, settings: InForce
) -> place_schemas.DeskAccount:
    """The account of a desk's SIP phone; the audit log shows who read it."""
    desk = staffing.get(session, desk_id, settings.desks)
    staffing.record_account_shown(session, desk, who=user.username)
    account = desk_admission.find_sip_account(session, desk, settings, who=user.username)
    return place_schemas.DeskAccount(
        username=accounts.get_desk_account(desk.id, sip=True),
        password=account.password,
        server=str(settings.sip),
        extension=accounts.DESK_EXTENSION + account.key,
    )


@router.post("/{desk_id}/outcome")
def say_outcome(
    desk_id: PathId, body: place_schemas.SaidOutcome, user: MayMove, session: Writing, settings: InForce
) -> place_schemas.DeskPlace:
    """Record the outcome of a desk's citizen for its absent person; the audit log shows it."""
    desk = staffing.get(session, desk_id, settings.desks)
    staffing.record_outcome(
        session,
        desk,
        body.callback_id,
        body.outcome,
        who=user.username,
        reason=body.reason,
        settings=settings,
    )
    return _views(session, [desk])[0]
