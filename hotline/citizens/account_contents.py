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
from hotline.citizens.exported import when
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


def places(session: Session, number: str, limit: int = _SHOWN) -> Sequence[Place]:
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
    phase = phases.phase(mine.round, now(session))
    return Place(mine, phase, order.before_me(session, mine) + 1 if waits else None)


def requests(session: Session, number: str, limit: int = _SHOWN) -> Sequence[Reported]:
    """Return the newest requests of an E.164 number."""
    newest = select(Request).where(Request.number == number).order_by(Request.id.desc()).limit(limit)
    return [reported(session, request) for request in session.scalars(newest)]


def reported(session: Session, request: Request) -> Reported:
    """Return a request with its state as its citizen may read it."""
    leading, stands = city_requests.first(session, request), city_requests.progress(session, request)
    category = categories.get(session, request.category)
    reply = spoken_replies.standing(leading)
    return Reported(request, category, stands.state, reply, stands.asked, stands.joined)


def export(session: Session, number: str, *, who: str, public_url: str = "") -> Mapping[str, Any]:
    """Return all data under an E.164 number as plain values, and record the export in the audit log."""
    audit.record(session, who, "citizen-exported", f"citizen {numbers.masked(number)}")
    silent = session.get(SilentCaller, number)
    blocked = session.get(BlockedNumber, number)
    return {
        "number": number,
        "exported_at": when(now(session)),
        "blocked": {"reason": blocked.reason.value, "since": when(blocked.blocked_at)} if blocked else None,
        "let_a_question_pass_at": when(silent.silent_at) if silent else None,
        "places": exported.places(session, number),
        "requests": exported.requests(session, number),
        "named_as_contact": exported.named(session, number),
        "pictures": exported.pictures(session, number, public_url),
        "on_their_way": [
            {"kind": each.kind.value, "bytes": each.size, "since": when(each.made_at)}
            for each in pending_uploads.of_number(session, number)
        ],
        "follows": [
            {"tracking": each.request.tracking, "since": when(each.follower.at)}
            for each in following.followed(session, number)
        ],
        "told_of_next_rounds": [
            {"office": each.official.office_fa, "since": when(each.wish.asked_at)}
            for each in round_alerts.offices(session, number)
            if each.wish
        ],
        "not_to_be_told": [
            {"of": each.topic.value, "by": each.way.value}
            for each in notification_preferences.muted(session, number)
        ],
        "takes_notices": [
            {"since": when(each.made_at), "address": each.endpoint, "key": each.public_key}
            for each in subscriptions.of_number(session, number)
        ],
        "messages": exported.messages(session, number),
        "calls_placed": exported.calls_placed(session, number),
        "called_as_third_person": exported.as_guest(session, number),
        "asked_of_owner": exported.confirmations(session, number),
        "calls_by_the_system": exported.outbound_calls(session, number),
        "sessions": [
            {"since": when(each.created_at), "last_used_at": when(each.rotated_at), "browser": each.agent}
            for each in sessions.of_number(session, number)
        ],
    }
