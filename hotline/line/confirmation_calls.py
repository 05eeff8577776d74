"""Calls that ask the owner of a number, and the effect of the answer (hotline.line.confirmations).

A confirmation is due until it is decided. `token` is committed before the call is placed, so that the call is
never placed twice.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, and_, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import (
    Confirmation,
    ConfirmationKind,
    Registration,
    Round,
    UtcDateTime,
    make_literal,
    make_literals,
)
from db.states import HOLDS_PLACE, RegistrationState
from hotline.errors import Refused
from hotline.line import busy_numbers, confirmations, registration, registration_limits
from hotline.line.registration import Registered
from hotline.rounds import phases

_PREFIX = "confirm-"
_MAX_ATTEMPTS = 3
_WAIT = timedelta(minutes=5)
"""Delay after the first unanswered call, doubled after the second: people telephone for minutes."""
LONGEST_WAIT = _WAIT * (_MAX_ATTEMPTS - 1)
_WAIT_AFTER_OURS = timedelta(minutes=2)

_K, _S = ConfirmationKind, RegistrationState


_can_be_done = or_(
    *(
        and_(Confirmation.kind == make_literal(kind), Registration.state.in_(make_literals(states)))
        for kind, states in confirmations.ASKED_FOR.items()
    )
)
_of_a_place = (
    exists()
    .where(
        Registration.id == Confirmation.registration_id,
        _can_be_done,
        or_(Confirmation.kind != make_literal(_K.REGISTRATION), ~phases.where_over()),
        Round.id == Registration.round_id,
    )
    .correlate(Confirmation)
)
_DUE = and_(
    Confirmation.decided_at.is_(None),
    Confirmation.token.is_(None),
    Confirmation.not_before <= bindparam("at", type_=UtcDateTime),
    _of_a_place,
    ~busy_numbers.where_busy(Confirmation.number),
)
"""Condition on Confirmation that its number is called now; `_asked` gives the parameters."""

# The dialer asks this at each poll: the statement is built once.
_ALL_DUE = (
    select(Confirmation.id)
    .where(_DUE)
    .order_by(Confirmation.not_before, Confirmation.id)
    .limit(bindparam("limit", type_=Integer))
)


def _asked(at: datetime) -> dict[str, Any]:
    return {**phases.bind_moment(at), **busy_numbers.bind_moment(at)}


def is_token(channel_id: str) -> bool:
    """Return whether a channel's id can be a confirmation's token."""
    return channel_id.startswith(_PREFIX)


def list_due(session: Session, limit: int) -> Sequence[int]:
    """Return at most `limit` confirmations whose numbers are to be called now."""
    asked = {"limit": limit, **_asked(now(session))}
    return session.execute(_ALL_DUE, asked).scalars().all()


def take_up(session: Session, confirmation_id: int) -> Confirmation | None:
    """Give the confirmation its token, so that its call is placed once. Return None if it is not due."""
    at = now(session)
    taken = session.scalar(
        update(Confirmation)
        .where(Confirmation.id == confirmation_id, _DUE)
        .values(token=f"{_PREFIX}{uuid.uuid4().hex}", attempts=Confirmation.attempts + 1, not_before=at)
        .returning(Confirmation.id)
        .execution_options(synchronize_session=False),
        _asked(at),
    )
    return session.get(Confirmation, taken, populate_existing=True) if taken else None


def postpone(session: Session, confirmation: Confirmation, until: datetime) -> None:
    """Take a claim back: the attempt does not count, and the call is due again from `until` on."""
    confirmation.token = None
    confirmation.attempts -= 1
    confirmation.not_before = until


def find_by_token(session: Session, token: str) -> Confirmation | None:
    """Return the confirmation whose channel is `token`."""
    return session.scalar(select(Confirmation).where(Confirmation.token == token))


def list_in_progress(session: Session) -> dict[str, datetime]:
    """Return the tokens of the calls in progress, with the time when each was placed."""
    query = select(Confirmation.token, Confirmation.not_before).where(Confirmation.token.is_not(None))
    return {token: placed_at for token, placed_at in session.execute(query) if token}


def answer(
    session: Session, token: str, *, yes: bool, per_day: int | None = None
) -> Registered | Refused | None:
    """Record the owner's 1 or 2; return the owner's place as it is now, or None if there is none.

    `per_day`: how often a number registers in 24 hours, also where somebody else asked for it.

    A rule that forbids the owner's wish is returned, not raised, because the refusal decides, too.
    Its codes are "round-full", "too-many-today", "number-taken" and "number-blocked". After the end of the
    call or of the wish the code is "wrong-state".
    """
    asked = find_by_token(session, token)
    if asked is None or asked.registration is None:
        return _too_late()
    for number in sorted({asked.number, asked.registration.number}):  # numbers before rows, as everywhere
        hold_lock(session, number)
    confirmation = session.scalar(
        select(Confirmation)
        .where(Confirmation.token == token, Confirmation.decided_at.is_(None))
        .with_for_update(of=Confirmation)
        .execution_options(populate_existing=True)
    )
    place = confirmation.registration if confirmation else None
    if confirmation is None or place is None:
        session.refresh(asked.registration)
        return _when_over(asked, asked.registration, yes=yes)
    session.refresh(place)
    confirmation.agreed, confirmation.decided_at = yes, now(session)
    session.flush()
    try:
        if yes:
            return _agreed(session, confirmation, place, per_day)
        _declined(session, confirmation)
    except Refused as refused:
        if refused.code in ("round-full", "too-many-today"):
            registration.withdraw(session, place.id)
        return refused
    return None


def find_obstacle(session: Session, token: str) -> Refused | None:
    """Return None if the place keeps its number and its turn without the owner's yes, else why not.

    Refused("cancelled" | "wrong-state").
    """
    asked = find_by_token(session, token)
    if asked is None or asked.registration is None:
        return _too_late()
    session.refresh(asked.registration)
    return _without_yes(asked, asked.registration)


def _when_over(asked: Confirmation, place: Registration, *, yes: bool) -> Refused | None:
    """Answer a key in the call of a wish that is over by how the place stands now."""
    if yes:
        is_done = asked.kind is _K.CANCELLATION and place.state is _S.CANCELLED
        return None if is_done else _without_yes(asked, place) or _too_late()
    return _without_yes(asked, place)


def _without_yes(asked: Confirmation, place: Registration) -> Refused | None:
    if place.state is _S.CANCELLED:
        return Refused("cancelled", "the registration has been cancelled")
    is_owners = asked.kind is not _K.REGISTRATION and place.number == asked.number == asked.asked_by
    return None if is_owners and place.state in confirmations.ASKED_FOR[asked.kind] else _too_late()


def _too_late() -> Refused:
    return Refused("wrong-state", "what was asked for is over")


def _agreed(
    session: Session, confirmation: Confirmation, place: Registration, per_day: int | None
) -> Registered | None:
    if confirmation.kind is _K.REGISTRATION and place.state is _S.UNCONFIRMED:
        found = registration_limits.find_round(session, place.round_id, place.number, caller=place.number)
        registration_limits.check_today(found, per_day)
        return registration.confirm(session, place)
    if confirmation.kind is _K.REGISTRATION and place.state not in HOLDS_PLACE:
        raise _too_late()
    if confirmation.kind is not _K.REGISTRATION and place.number != confirmation.asked_by:
        raise _too_late()  # the place has another number since
    if confirmation.kind is _K.CANCELLATION:
        registration.cancel(session, place.id, tell=True)
        return None
    if confirmation.new_number:
        if place.state not in confirmations.ASKED_FOR[_K.NUMBER]:
            raise _too_late()
        confirmations.call_off_moves(session, place.id)
        confirmations.ask_new_number(session, place, confirmation.new_number)
        return None
    if confirmation.kind is _K.NUMBER:
        if not confirmations.may_move(session, confirmation, place):
            raise _too_late()
        registration.change_number(session, place.id, confirmation.number)
    return registration.describe_place(session, place, already=True)


def repeat_answer(session: Session, confirmation: Confirmation) -> Registered | Refused | None:
    """Return again the result of `answer`, for an owner whose script broke off before it was said."""
    place, kind = confirmation.registration, confirmation.kind
    if place is None or not confirmation.agreed:
        return None
    cancelled = place.state is _S.CANCELLED
    if kind is _K.CANCELLATION:
        return None if cancelled else _too_late()
    if confirmation.new_number:
        return None if place.state in confirmations.ASKED_FOR[_K.NUMBER] else _too_late()
    if kind is _K.REGISTRATION and cancelled:
        return _why_withdrawn(session, place)
    if place.state not in HOLDS_PLACE or place.number != confirmation.number or place.state is _S.UNCONFIRMED:
        return _too_late()
    return registration.describe_place(session, place, already=True)


def _why_withdrawn(session: Session, place: Registration) -> Refused:
    """Return the refusal that an owner heard who agreed to a place that is cancelled."""
    round_ = session.get_one(Round, place.round_id)
    try:
        registration_limits.check_room(session, round_.id, round_.capacity)
    except Refused as full:
        return full
    return _too_late()


def _declined(session: Session, confirmation: Confirmation) -> None:
    if confirmation.kind is _K.REGISTRATION and confirmation.registration_id:
        registration.withdraw(session, confirmation.registration_id)


def record_end(session: Session, token: str, *, ours: bool = False) -> None:
    """Record that the call is over; without an answer it is retried later, three calls in all.

    `ours`: it failed by our own fault, and is none of the three.
    """
    confirmation = find_by_token(session, token)
    if confirmation is None:
        return
    if confirmation.new_number and confirmation.agreed:
        confirmations.call_new_number(session, confirmation)
    at = now(session)
    confirmation.token = None
    confirmation.not_before = at + (_WAIT_AFTER_OURS if ours else _WAIT * confirmation.attempts)
    confirmation.attempts -= ours
    if confirmation.attempts >= _MAX_ATTEMPTS and confirmation.decided_at is None:
        confirmation.decided_at = at
        session.flush()
        _declined(session, confirmation)
