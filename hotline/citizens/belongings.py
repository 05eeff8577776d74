"""What is there under a number, for whoever is signed in by it: places, requests, and all of it as a file."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from db.engine import now
from db.models import (
    ApiKey,
    BlockedNumber,
    Callback,
    Category,
    Confirmation,
    Guest,
    Note,
    OutboxMessage,
    PlacedCall,
    Recording,
    Registration,
    Request,
    SilentCaller,
    VoiceSummary,
)
from db.states import Phase, RegistrationState, RequestState
from hotline import audit, numbers
from hotline.citizens import choices, following, sessions, subscriptions
from hotline.line import line
from hotline.pictures import pictures
from hotline.requests import ratings
from hotline.requests import requests as city_requests
from hotline.rounds import rounds
from hotline.uploads import uploads

_SHOWN = 50


class Place(NamedTuple):
    """A place in a round, the round's phase, and which one of the line it is while it waits (from 1)."""

    registration: Registration
    phase: Phase
    place: int | None


class Reported(NamedTuple):
    """A request with its category, and how it stands: a duplicate as the first one."""

    request: Request
    category: Category
    state: RequestState
    reply: str
    asked: bool


def places(session: Session, number: str, limit: int = _SHOWN) -> Sequence[Place]:
    """The newest places of an E.164 number."""
    newest = select(Registration).where(Registration.number == number).options(joinedload(Registration.round))
    found = session.scalars(
        newest.order_by(Registration.registered_at.desc(), Registration.id.desc()).limit(limit)
    ).all()
    return [_place(session, each) for each in found]


def place(session: Session, registration_id: int) -> Place:
    """One of them."""
    with_round = [joinedload(Registration.round)]
    found = session.get_one(Registration, registration_id, options=with_round, populate_existing=True)
    return _place(session, found)


def _place(session: Session, mine: Registration) -> Place:
    waits = mine.state is RegistrationState.WAITING
    phase = rounds.phase(mine.round, now(session))
    return Place(mine, phase, line.before_me(session, mine) + 1 if waits else None)


def requests(session: Session, number: str, limit: int = _SHOWN) -> Sequence[Reported]:
    """The newest requests of an E.164 number."""
    newest = select(Request).where(Request.number == number).order_by(Request.id.desc()).limit(limit)
    return [reported(session, request) for request in session.scalars(newest)]


def reported(session: Session, request: Request) -> Reported:
    """How a request stands for its citizen."""
    leading, stands = city_requests.first(session, request), city_requests.progress(session, request)
    category = session.get_one(Category, request.category)
    return Reported(request, category, stands.state, leading.reply, stands.asked)


def export(session: Session, number: str, *, who: str) -> Mapping[str, Any]:
    """All that is kept under an E.164 number, as plain data; that it was given out is in the audit log."""
    audit.record(session, who, "citizen-exported", f"citizen {numbers.masked(number)}")
    silent = session.get(SilentCaller, number)
    blocked = session.get(BlockedNumber, number)
    return {
        "number": number,
        "exported_at": _when(now(session)),
        "blocked": {"reason": blocked.reason.value, "since": _when(blocked.blocked_at)} if blocked else None,
        "let_a_question_pass_at": _when(silent.silent_at) if silent else None,
        "places": _places(session, number),
        "requests": _requests(session, number),
        "named_as_contact": _named(session, number),
        "pictures": _pictures(session, number),
        "on_their_way": [
            {"kind": each.kind.value, "bytes": each.size, "since": _when(each.made_at)}
            for each in uploads.of_number(session, number)
        ],
        "follows": [
            {"tracking": each.request.tracking, "since": _when(each.follower.at)}
            for each in following.followed(session, number)
        ],
        "not_to_be_told": [
            {"of": each.topic.value, "by": each.way.value} for each in choices.muted(session, number)
        ],
        "takes_notices": [
            {"since": _when(each.made_at), "address": each.endpoint, "key": each.public_key}
            for each in subscriptions.of_number(session, number)
        ],
        "messages": _messages(session, number),
        "calls_placed": _calls_placed(session, number),
        "called_as_third_person": _as_guest(session, number),
        "asked_of_owner": _confirmations(session, number),
        "sessions": [
            {"since": _when(each.created_at), "last_used_at": _when(each.rotated_at), "browser": each.agent}
            for each in sessions.of_number(session, number)
        ],
    }


def _places(session: Session, number: str) -> list[Mapping[str, Any]]:
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
            "round_starts_at": _when(each.round.starts_at),
            "registered_at": _when(each.registered_at),
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
        "placed_at": _when(callback.placed_at),
        "answered_at": _when(callback.answered_at),
        "conversation_at": _when(callback.talking_at),
        "ended_at": _when(callback.ended_at),
        "outcome": callback.outcome.value if callback.outcome else None,
        "recorded_seconds": recording.seconds if recording else None,
        "threat_marked_at": _when(callback.threat_at),
        "notes": [_note(note) for note in callback.notes],
    }


def _note(note: Note) -> Mapping[str, Any]:
    return {"at": _when(note.at), "written": note.written}


def _requests(session: Session, number: str) -> list[Mapping[str, Any]]:
    mine = select(Request).where(Request.number == number).order_by(Request.id)
    return [
        {
            "tracking": each.tracking,
            "category": session.get_one(Category, each.category).name_fa,
            "district": each.district,
            "written": each.written,
            "voice_message": each.voice_message is not None,
            "reported_at": _when(each.made_at),
            "state": each.state.value,
            "reply": each.reply,
            "satisfaction": [
                {"at": _when(rating.at), "of_5": rating.stars}
                for rating in ratings.of_request(session, each).values()
            ],
            "place": {"latitude": each.latitude, "longitude": each.longitude, "words": each.place},
            "history": [
                {"at": _when(entry.at), "step": entry.step.value, "note": note}
                for entry, note in city_requests.told(session, each)
            ],
        }
        for each in session.scalars(mine)
    ]


def _named(session: Session, number: str) -> list[Mapping[str, Any]]:
    """Requests in which a program named the number; nothing shows that its owner reported them."""
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
            "reported_at": _when(request.made_at),
            "state": request.state.value,
            "by_program": program,
        }
        for request, category, program in session.execute(named)
    ]


def _pictures(session: Session, number: str) -> list[Mapping[str, Any]]:
    """Each can be had at /api/v1/my/pictures/ and its id, while its citizen is signed in."""
    return [
        {"id": each.id, "shows": each.kind.value, "made_at": _when(each.made_at)}
        for each in pictures.of_number(session, number)
    ]


def _messages(session: Session, number: str) -> list[Mapping[str, Any]]:
    told = select(OutboxMessage).where(OutboxMessage.to == number).order_by(OutboxMessage.id)
    return [
        {
            "kind": each.kind.value,
            "state": each.state.value,
            "made_at": _when(each.made_at),
            "sent_at": _when(each.sent_at),
            "facts": json.loads(each.body),
        }
        for each in session.scalars(told)
    ]


def _calls_placed(session: Session, number: str) -> list[str | None]:
    placed = select(PlacedCall.at).where(PlacedCall.number == number).order_by(PlacedCall.at)
    return [_when(at) for at in session.scalars(placed)]


def _as_guest(session: Session, number: str) -> list[str | None]:
    asked = select(Guest.asked_at).where(Guest.number == number).order_by(Guest.asked_at)
    return [_when(at) for at in session.scalars(asked)]


def _confirmations(session: Session, number: str) -> list[Mapping[str, Any]]:
    """Of a wish of others for this number nothing says whose; of wishes of this number, for whom, neither."""
    either = or_(Confirmation.number == number, Confirmation.asked_by == number)
    return [
        {
            "kind": each.kind.value,
            "asked_at": _when(each.asked_at),
            "asked_by_this_number": each.asked_by == number,
            "about_this_number": each.number == number,
            "agreed": each.agreed,
        }
        for each in session.scalars(select(Confirmation).where(either).order_by(Confirmation.id))
    ]


def _when(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
