"""Test calls: an administrator has a telephone called and sees the result.

One call at a time, six an hour; the caps on all calls apply. `token` is committed before the call is placed,
so that the call is never placed twice.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, delete, func, literal, select, update
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import BlockedNumber, TrialCall, TrialResult, UtcDateTime
from hotline import audit, numbers
from hotline.errors import Refused
from settings import Settings

_PREFIX = "trial-"
PER_HOUR = 6
_HOUR, _KEPT = timedelta(hours=1), timedelta(days=7)
IN_TIME, _GIVEN_UP = timedelta(seconds=60), timedelta(seconds=90)
"""How long after the request the call may be placed; a later ring would surprise the owner of the telephone.

Then, how long until the call counts as not placed.
"""
_LONGEST = timedelta(minutes=15)
"""Longer than any test call rings and speaks."""
_LONGEST_TRIED = 300

# The dialer asks this at each poll: the statement is built once.
_DUE = select(TrialCall.id).where(
    TrialCall.slot == 1,
    TrialCall.token.is_(None),
    TrialCall.asked_at > bindparam("since", type_=UtcDateTime),
)


def is_token(channel_id: str) -> bool:
    """Return whether a channel's id can be the token of a test call."""
    return channel_id.startswith(_PREFIX)


def ask(
    session: Session, text: str, *, who: str, language: str, settings: Settings, trunk: str = ""
) -> TrialCall:
    """Request a call to this telephone number as typed; return the present call if it goes to that number.

    With `trunk`, only that trunk is used. Raises what `numbers.parse` raises, and Refused("not-found" |
    "trial-under-way" | "trial-number-blocked" | "too-many-trials").
    """
    number = numbers.parse(text, settings.allowed_prefixes)
    if trunk and trunk not in [each.name for each in settings.trunks]:
        raise Refused("not-found", "there is no such trunk", "trunk")
    hold_lock(session, "trial calls")
    end_lost(session)
    under_way = session.scalar(select(TrialCall).where(TrialCall.slot == 1))
    if under_way and under_way.number == number:
        return under_way
    if under_way:
        raise Refused("trial-under-way", "another test call goes on")
    if session.get(BlockedNumber, number) is not None:
        raise Refused("trial-number-blocked", "this number is blocked: nobody calls it")
    at = now(session)
    of_hour = select(func.count()).where(TrialCall.asked_at > at - _HOUR)
    if (session.scalar(of_hour) or 0) >= PER_HOUR:
        raise Refused("too-many-trials", f"{PER_HOUR} test calls in an hour are enough")
    session.execute(delete(TrialCall).where(TrialCall.asked_at < at - _KEPT))
    call = TrialCall(number=number, language=language, asked_at=at, trunk=trunk)
    session.add(call)
    session.flush()
    audit.record(session, who, "trial-call", numbers.mask(number))
    return call


def end_lost(session: Session) -> None:
    """End calls that were not placed in time, or whose end the dialer or Asterisk never reported."""
    at = now(session)
    late = TrialCall.token.is_(None), TrialCall.asked_at <= at - _GIVEN_UP
    _end(session, *late, result=TrialResult.NOT_PLACED)
    _end(session, TrialCall.placed_at <= at - _LONGEST, result=TrialResult.UNKNOWN)


def find_result(session: Session, call: TrialCall) -> TrialResult | None:
    """Return the result of the call, or None while it is in progress."""
    if call.slot and call.token is None and call.asked_at <= now(session) - _GIVEN_UP:
        return TrialResult.NOT_PLACED  # the next requested call writes it down
    return call.result


def mask_number(call: TrialCall) -> str:
    """Return the call's number in a form that may be shown."""
    return call.number if call.ended_at else numbers.mask(call.number)


def list_latest(session: Session, limit: int = 5) -> Sequence[TrialCall]:
    """Return the newest calls, newest first."""
    query = select(TrialCall).order_by(TrialCall.id.desc()).limit(limit)
    return session.scalars(query.execution_options(populate_existing=True)).all()


# --- for the dialer, and the call's script ---


def find_due(session: Session) -> int | None:
    """Return the id of the call that is due now."""
    found = session.execute(_DUE, {"since": now(session) - IN_TIME}).scalars().all()
    return next(iter(found), None)


def take_up(session: Session, call_id: int) -> TrialCall | None:
    """Give the call its token, so that it is placed once. Return None if it is not due."""
    at = now(session)
    taken = session.scalar(
        update(TrialCall)
        .where(TrialCall.id == call_id, TrialCall.id.in_(_DUE))
        .values(token=f"{_PREFIX}{uuid.uuid4().hex}", placed_at=at)
        .returning(TrialCall.id)
        .execution_options(synchronize_session=False),
        {"since": at - IN_TIME},
    )
    return session.get(TrialCall, taken, populate_existing=True) if taken else None


def find_by_token(session: Session, token: str) -> TrialCall | None:
    """Return the test call with the channel `token`, while it is in progress."""
    query = select(TrialCall).where(TrialCall.token == token, TrialCall.slot == 1)
    return session.scalar(query.execution_options(populate_existing=True))


def list_in_progress(session: Session) -> dict[str, datetime]:
    """Return the tokens of calls in progress, with the time when each was placed."""
    query = select(TrialCall.token, TrialCall.placed_at)
    found = session.execute(query.where(TrialCall.slot == 1, TrialCall.token.is_not(None)))
    return {token: at for token, at in found if token and at}


def record_ringing(session: Session, token: str, trunk: str) -> None:
    """Record that the telephone rings, and the trunk if known."""
    _set(session, token, rang_at=func.coalesce(TrialCall.rang_at, _at(session)), trunk=trunk)


def record_answer(session: Session, token: str, trunk: str) -> None:
    """Record that somebody answered."""
    _set(session, token, answered_at=func.coalesce(TrialCall.answered_at, _at(session)), trunk=trunk)


def record_heard(session: Session, token: str) -> None:
    """Record that the sentence was played to its end."""
    _set(session, token, heard_at=func.coalesce(TrialCall.heard_at, _at(session)))


def record_refusal(session: Session, token: str, trunk: str, sip: int, *, goes_on: bool) -> None:
    """Record a trunk's refusal (SIP code; 0: no answer); `goes_on`: another trunk is tried next."""
    if not goes_on:
        _set(session, token, trunk=trunk[:20], said=sip)
        return
    comma = case((TrialCall.tried == "", ""), else_=", ")
    told = func.substr(TrialCall.tried + comma + literal(f"{trunk} {sip}"), 1, _LONGEST_TRIED)
    _set(session, token, tried=told)


def record_end(session: Session, token: str, result: TrialResult, *, cap: str = "") -> None:
    """Record the end of the call, or that it was never placed; the first recorded end stays."""
    _end(session, TrialCall.token == token, result=result, cap=cap)


def _at(session: Session) -> Any:
    return literal(now(session), UtcDateTime)


def _set(session: Session, token: str, **values: Any) -> None:
    this = update(TrialCall).where(TrialCall.token == token, TrialCall.slot == 1)
    session.execute(this.values(**values).execution_options(synchronize_session=False))


def _end(session: Session, *which: Any, result: TrialResult, cap: str = "") -> None:
    """End calls and mask their numbers: an ended call does not need the number, and its owner recognises the
    rest.
    """
    number = (
        func.substr(TrialCall.number, 1, 4)
        .concat("…")
        .concat(func.substr(TrialCall.number, func.length(TrialCall.number) - 1))
    )
    over = update(TrialCall).where(TrialCall.slot == 1, *which)
    values = {"ended_at": now(session), "slot": None, "result": result, "cap": cap, "number": number}
    session.execute(over.values(**values).execution_options(synchronize_session=False))
