"""The data of a number as plain values, one function for each kind, for the citizen's export."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from db.models import (
    ApiKey,
    Callback,
    Category,
    Confirmation,
    Guest,
    Note,
    OutboundCall,
    OutboxMessage,
    PlacedCall,
    Recording,
    Registration,
    Request,
    VoiceSummary,
)
from hotline.pictures import attachments as kept_pictures
from hotline.requests import lifecycle as city_requests
from hotline.requests import ratings


def list_places(session: Session, number: str) -> list[Mapping[str, Any]]:
    """Return the places in lines, with the calls and conversations of each."""
    mine = select(Registration).where(Registration.number == number).order_by(Registration.id)
    found = session.scalars(mine.options(joinedload(Registration.round))).all()
    summed_up = select(VoiceSummary).where(VoiceSummary.registration_id.in_([each.id for each in found]))
    summaries = {each.registration_id: each.written for each in session.scalars(summed_up)}
    calls: dict[int, list[Mapping[str, Any]]] = {}
    rows = session.execute(
        select(Callback, Recording)
        .outerjoin(Recording, (Recording.callback_id == Callback.id) & Recording.deleted_at.is_(None))
        .where(Callback.registration_id.in_([each.id for each in found]))
        .options(selectinload(Callback.notes))
        .order_by(Callback.id)
    )
    for callback, recording in rows:
        calls.setdefault(callback.registration_id, []).append(_call(callback, recording))
    return [
        {
            "ticket": each.ticket,
            "office": each.round.official.office_fa,
            "round_starts_at": format_time(each.round.starts_at),
            "registered_at": format_time(each.registered_at),
            "state": each.state.value,
            "language": each.language,
            "subject": each.subject,
            "voice_message": each.voice_message is not None,
            "voice_message_summary": summaries.get(each.id),
            "moved_up_because": each.moved_reason,
            "calls": calls.get(each.id, []),
        }
        for each in found
    ]


def _call(callback: Callback, recording: Recording | None) -> Mapping[str, Any]:
    return {
        "placed_at": format_time(callback.placed_at),
        "answered_at": format_time(callback.answered_at),
        "conversation_at": format_time(callback.talking_at),
        "ended_at": format_time(callback.ended_at),
        "outcome": callback.outcome.value if callback.outcome else None,
        "recorded_seconds": recording.seconds if recording else None,
        "threat_marked_at": format_time(callback.threat_at),
        "notes": [_note(note) for note in callback.notes],
    }


def _note(note: Note) -> Mapping[str, Any]:
    return {"at": format_time(note.at), "written": note.written}


def list_requests(session: Session, number: str) -> list[Mapping[str, Any]]:
    """Return the requests with the history that their citizen may read."""
    mine = select(Request).where(Request.number == number).order_by(Request.id)
    return [
        {
            "tracking": each.tracking,
            "category": session.get_one(Category, each.category).name_fa,
            "district": each.district,
            "written": each.written,
            "voice_message": each.voice_message is not None,
            "reported_at": format_time(each.made_at),
            "state": each.state.value,
            "reply": each.reply,
            "satisfaction": [
                {"at": format_time(rating.at), "of_5": rating.stars}
                for rating in ratings.list_by_request(session, each).values()
            ],
            "place": {"latitude": each.latitude, "longitude": each.longitude, "words": each.place},
            "history": [
                {"at": format_time(entry.at), "step": entry.step.value, "note": note}
                for entry, note in city_requests.list_public_steps(session, each)
            ],
        }
        for each in session.scalars(mine)
    ]


def list_naming_requests(session: Session, number: str) -> list[Mapping[str, Any]]:
    """Return the requests in which a program named the number; nothing proves that its owner filed them."""
    named = (
        select(Request, Category, ApiKey.name)
        .join(Category, Category.id == Request.category)
        .join(ApiKey, ApiKey.id == Request.api_key_id)
        .where(Request.contact == number)
        .order_by(Request.id)
    )
    return [
        {
            "tracking": request.tracking,
            "category": category.name_fa,
            "reported_at": format_time(request.made_at),
            "state": request.state.value,
            "by_program": program,
        }
        for request, category, program in session.execute(named)
    ]


def list_pictures(session: Session, number: str, public_url: str) -> list[Mapping[str, Any]]:
    """Return the number's pictures: the report of each, and the link that opens it for the signed-in citizen.

    A picture that no report took has none.
    """
    found = kept_pictures.list_by_number(session, number)
    of = select(Request.id, Request.tracking).where(
        Request.id.in_({each.request_id for each in found if each.request_id})
    )
    tracking = {id_: number for id_, number in session.execute(of)}
    return [
        {
            "id": each.id,
            "tracking": tracking.get(each.request_id or 0),
            "link": f"{public_url}/public/my/pictures/{each.id}",
            "shows": each.kind.value,
            "made_at": format_time(each.made_at),
        }
        for each in found
    ]


def list_messages(session: Session, number: str) -> list[Mapping[str, Any]]:
    """Return the messages to the number."""
    told = select(OutboxMessage).where(OutboxMessage.to == number).order_by(OutboxMessage.id)
    return [
        {
            "kind": each.kind.value,
            "state": each.state.value,
            "made_at": format_time(each.made_at),
            "sent_at": format_time(each.sent_at),
            "facts": json.loads(each.body),
        }
        for each in session.scalars(told)
    ]


def list_call_times(session: Session, number: str) -> list[str | None]:
    """Return the times at which the number was called."""
    placed = select(PlacedCall.at).where(PlacedCall.number == number).order_by(PlacedCall.at)
    return [format_time(at) for at in session.scalars(placed)]


def list_guest_calls(session: Session, number: str) -> list[str | None]:
    """Return the times at which somebody asked to have the number called as a third person."""
    asked = select(Guest.asked_at).where(Guest.number == number).order_by(Guest.asked_at)
    return [format_time(at) for at in session.scalars(asked)]


def list_confirmations(session: Session, number: str) -> list[Mapping[str, Any]]:
    """Return the wishes about this number and by this number, without the other number of each."""
    either = or_(Confirmation.number == number, Confirmation.asked_by == number)
    return [
        {
            "kind": each.kind.value,
            "asked_at": format_time(each.asked_at),
            "asked_by_this_number": each.asked_by == number,
            "about_this_number": each.number == number,
            "agreed": each.agreed,
        }
        for each in session.scalars(select(Confirmation).where(either).order_by(Confirmation.id))
    ]


def list_outbound_calls(session: Session, number: str) -> list[Mapping[str, Any]]:
    """Return the calls that the system places to the number by itself."""
    asked = select(OutboundCall).where(OutboundCall.number == number).order_by(OutboundCall.id)
    return [
        {
            "kind": each.kind.value,
            "asked_at": format_time(each.asked_at),
            "placed_at": format_time(each.placed_at),
            "answer": each.answer,
        }
        for each in session.scalars(asked)
    ]


def format_time(at: datetime | None) -> str | None:
    """Return a time in the form of the export."""
    return at.isoformat(timespec="seconds") if at else None
