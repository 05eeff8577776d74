"""A citizen's account: the places and requests of the signed-in citizen's number, and their export."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db.engine import now
from db.models import BlockedNumber, Category, Registration, Request, SilentCaller
from db.states import Phase, RegistrationState, RequestState
from hotline import audit, numbers
from hotline.citizens import (
    exported,
    following,
    notification_preferences,
    round_alerts,
    sessions,
    subscriptions,
)
from hotline.citizens.exported import format_time
from hotline.line import order
from hotline.requests import categories, spoken_replies
from hotline.requests import lifecycle as city_requests
from hotline.rounds import phases
from hotline.uploads import pending_uploads

_SHOWN = 50


class Place(NamedTuple):
    """A place in a round, the round's phase, and its position in the line while it waits (from 1)."""

    registration: Registration
    phase: Phase
    place: int | None


class Reported(NamedTuple):
    """A request with its category and its state for the citizen; a duplicate has its original's state."""

    request: Request
    category: Category
    state: RequestState
    reply: str
    asked: bool
    joined: bool


def list_places(session: Session, number: str, limit: int = _SHOWN) -> Sequence[Place]:
    """Return the newest places of an E.164 number."""
    newest = select(Registration).where(Registration.number == number).options(joinedload(Registration.round))
    found = session.scalars(
        newest.order_by(Registration.registered_at.desc(), Registration.id.desc()).limit(limit)
    ).all()
    return [_place(session, each) for each in found]


def place(session: Session, registration_id: int) -> Place:
    """Return one place by its registration's id."""
    with_round = [joinedload(Registration.round)]
    found = session.get_one(Registration, registration_id, options=with_round, populate_existing=True)
    return _place(session, found)


def _place(session: Session, mine: Registration) -> Place:
    waits = mine.state is RegistrationState.WAITING
    phase = phases.find_phase(mine.round, now(session))
    return Place(mine, phase, order.count_before(session, mine) + 1 if waits else None)


def list_requests(session: Session, number: str, limit: int = _SHOWN) -> Sequence[Reported]:
    """Return the newest requests of an E.164 number."""
    newest = select(Request).where(Request.number == number).order_by(Request.id.desc()).limit(limit)
    return [describe_request(session, request) for request in session.scalars(newest)]


def describe_request(session: Session, request: Request) -> Reported:
    """Return a request with its state as its citizen may read it."""
    leading, stands = (
        city_requests.find_original(session, request),
        city_requests.find_progress(session, request),
    )
    category = categories.get(session, request.category)
    reply = spoken_replies.find_standing_reply(leading)
    return Reported(request, category, stands.state, reply, stands.asked, stands.joined)


def export(session: Session, number: str, *, who: str, public_url: str = "") -> Mapping[str, Any]:
    """Return all data under an E.164 number as plain values, and record the export in the audit log."""
    audit.record(session, who, "citizen-exported", f"citizen {numbers.mask(number)}")
    silent = session.get(SilentCaller, number)
    blocked = session.get(BlockedNumber, number)
    return {
        "number": number,
        "exported_at": format_time(now(session)),
        "blocked": {"reason": blocked.reason.value, "since": format_time(blocked.blocked_at)}
        if blocked
        else None,
        "let_a_question_pass_at": format_time(silent.silent_at) if silent else None,
        "places": exported.list_places(session, number),
        "requests": exported.list_requests(session, number),
        "named_as_contact": exported.list_naming_requests(session, number),
        "pictures": exported.list_pictures(session, number, public_url),
        "on_their_way": [
            {"kind": each.kind.value, "bytes": each.size, "since": format_time(each.made_at)}
            for each in pending_uploads.list_by_number(session, number)
        ],
        "follows": [
            {"tracking": each.request.tracking, "since": format_time(each.follower.at)}
            for each in following.list_followed(session, number)
        ],
        "told_of_next_rounds": [
            {"office": each.official.office_fa, "since": format_time(each.wish.asked_at)}
            for each in round_alerts.list_offices(session, number)
            if each.wish
        ],
        "not_to_be_told": [
            {"of": each.topic.value, "by": each.way.value}
            for each in notification_preferences.list_muted(session, number)
        ],
        "takes_notices": [
            {"since": format_time(each.made_at), "address": each.endpoint, "key": each.public_key}
            for each in subscriptions.list_by_number(session, number)
        ],
        "messages": exported.list_messages(session, number),
        "calls_placed": exported.list_call_times(session, number),
        "called_as_third_person": exported.list_guest_calls(session, number),
        "asked_of_owner": exported.list_confirmations(session, number),
        "calls_by_the_system": exported.list_outbound_calls(session, number),
        "sessions": [
            {
                "since": format_time(each.created_at),
                "last_used_at": format_time(each.rotated_at),
                "browser": each.agent,
            }
            for each in sessions.list_by_number(session, number)
        ],
    }
