"""Limits of registration: the round's state, its room, and a number's registrations of 24 hours."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, String, bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased

from db.engine import hold_lock, now
from db.models import (
    BlockedNumber,
    Confirmation,
    ConfirmationKind,
    LedgerEntry,
    Registration,
    Round,
    UtcDateTime,
)
from db.states import HOLDS_PLACE, TAKES_NO_ROOM, RegistrationState
from db.trusted_time import STEP
from hotline.errors import Blocked, Refused
from hotline.rounds import phases

_DAY = timedelta(days=1)
_SECOND_THOUGHTS = 2
"""Multiple of the daily limit for all registrations, those given up included; the limit itself excludes them.
"""

# Every registration runs these statements, so there are few, and each is built once.
_NUMBER = bindparam("number", type_=String)
_CALLER = bindparam("caller", type_=String)
_SINCE = bindparam("since", type_=UtcDateTime)
_UNTIL = bindparam("until", type_=UtcDateTime)
"""Later rows were stamped by a clock that has been set back since: they do not count."""
_HOLDING = select(Registration.id).where(
    Registration.round_id == bindparam("round"),
    Registration.number == _NUMBER,
    Registration.state.in_(HOLDS_PLACE),
)
_OF = aliased(Round)
_OWN_TODAY = (
    select(func.count(Registration.id))
    .join(_OF, _OF.id == Registration.round_id)
    .where(
        Registration.number == _CALLER,
        Registration.registered_at.between(_SINCE, _UNTIL),
        _OF.is_operators_line
        == Round.is_operators_line,  # the operators' line and the rounds are limited apart
    )
    .correlate(Round)
)
_KEPT_TODAY = _OWN_TODAY.where(Registration.state.not_in(TAKES_NO_ROOM))
_GIVEN_UP_TODAY = _OWN_TODAY.where(
    Registration.state == RegistrationState.CANCELLED,
    ~exists()  # a stranger's rejected requests do not count
    .where(Confirmation.number == _CALLER, Confirmation.registration_id == Registration.id)
    .where(Confirmation.kind == ConfirmationKind.REGISTRATION)
    .correlate(Registration),
)
_FOR_OTHERS_TODAY = select(func.count(Confirmation.id)).where(
    Confirmation.asked_by == _CALLER,
    Confirmation.asked_at.between(_SINCE, _UNTIL),
    Confirmation.number != Confirmation.asked_by,  # calls to the caller's own number are limited apart
)
_FOUND = select(
    *(Round.id, Round.capacity, Round.ended_at, Round.cancelled_at),
    *(Round.registration_from, Round.registration_until),
    _HOLDING.scalar_subquery().label("holding"),
    select(BlockedNumber.reason).where(BlockedNumber.number == _CALLER).scalar_subquery().label("blocked"),
    _KEPT_TODAY.scalar_subquery().label("kept_today"),
    _FOR_OTHERS_TODAY.scalar_subquery().label("for_others_today"),
    _GIVEN_UP_TODAY.scalar_subquery().label("given_up_today"),
    select(LedgerEntry.at).order_by(LedgerEntry.id.desc()).limit(1).scalar_subquery().label("newest_fact_at"),
).where(Round.id == bindparam("round"))


def find_round(session: Session, round_id: int, number: str, *, caller: str | None) -> Row[Any]:
    """Return the round, the number's place in it, and the caller's counts. Raises Refused("not-found")."""
    asked = {"round": round_id, "number": number, "caller": caller, **_last_day(session)}
    found = session.execute(_FOUND, asked).one_or_none()
    if found is None:
        raise Refused("not-found", f"no round {round_id}")
    return found


def find_place_id(session: Session, round_id: int, number: str) -> int | None:
    """Return the id of the number's place in the round, or None."""
    return session.execute(_HOLDING, {"round": round_id, "number": number}).scalar()


def check(session: Session, found: Row[Any], per_day: int | None, *, for_other: bool = False) -> None:
    """Check that the round has room, and that the caller is neither blocked nor over the limit of 24 hours.

    `for_other`: the place is for another person's number.
    Raises Refused("registration-closed" | "round-full" | "too-many-today") and Blocked.
    """
    check_open(session, found)
    check_room(session, found.id, found.capacity)
    check_today(found, per_day, for_other=for_other)


def check_open(session: Session, found: Row[Any]) -> None:
    """Raise Refused("registration-closed") if the round takes no registrations; Blocked if the caller is."""
    if not phases.may_register(found, now(session)):
        raise Refused("registration-closed", "this round takes no registrations now")
    if found.blocked:
        raise Blocked(found.blocked)


def check_today(found: Row[Any], per_day: int | None, *, for_other: bool = False) -> None:
    """Check the caller's limit of 24 hours; the operators' line has a limit of its own.

    Numbers keyed in for others do not count against the caller's own place. A stranger who shows the caller's
    number may have keyed them in. Raises Refused("too-many-today").
    """
    if per_day is None:
        return
    today = found.kept_today + (found.for_others_today if for_other else 0)
    if today >= per_day or today + found.given_up_today >= per_day * _SECOND_THOUGHTS:
        raise Refused("too-many-today", f"a number registers at most {per_day} times a day")


def count_for_others_today(session: Session, caller: str) -> int:
    """Return how often in 24 hours the caller has keyed in another person's number."""
    return session.execute(_FOR_OTHERS_TODAY, {"caller": caller, **_last_day(session)}).scalar_one()


def _last_day(session: Session) -> dict[str, datetime]:
    at = now(session)
    return {"since": at - _DAY, "until": at + STEP}


def check_room(session: Session, round_id: int, capacity: int | None) -> None:
    """Check that one more citizen may register. Raises Refused("round-full")."""
    if capacity is not None and _places_taken(session, round_id) >= capacity:
        raise Refused("round-full", f"the round takes {capacity} registrations")


def _places_taken(session: Session, round_id: int) -> int:
    """Return how many hold or held a place.

    A lock makes concurrent counts wait, so the last place is given once.
    """
    hold_lock(session, f"places-{round_id}")
    taken = select(func.count()).where(
        Registration.round_id == round_id,
        Registration.state.not_in(TAKES_NO_ROOM),
    )
    return session.scalar(taken) or 0
