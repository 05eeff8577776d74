"""Busy phones: nobody is called who is on the phone with us now.

A citizen is passed over who has dialled 137, is being called for another place, or hears a heads-up. Being
passed over costs nothing, and the ledger records it (`take_next`). A caller who waits on the line for an
operator is not engaged for that place: no phone is dialled. After a hang-up a phone does not ring for a
moment.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, bindparam, delete, exists, func, insert, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.engine import now
from db.models import (
    Callback,
    CallerNow,
    Heartbeat,
    OutboundCall,
    PlacedCall,
    Registration,
    UtcDateTime,
    WaitingCaller,
    make_literals,
)
from db.states import ON_THE_PHONE, CallbackState
from hotline import heartbeats
from hotline.errors import Refused
from hotline.nodes import round_affinity

_Number = InstrumentedAttribute[str] | InstrumentedAttribute[str | None]
_IN_HAND = (CallbackState.CLAIMED, *ON_THE_PHONE)


PUTS_DOWN = timedelta(seconds=10)
"""How long after a hang-up a phone must not ring."""

BELIEVED = timedelta(minutes=3)
"""How long an incoming call marks its number as busy. Kept short because caller ID is easily forged. A
citizen who is called after that and is busy loses no attempt (`is_on_the_line`).
"""

_place, _heads_up = aliased(Registration), aliased(OutboundCall)
_caller, _leaver = aliased(WaitingCaller), aliased(WaitingCaller)

ON_THE_LINE = exists().where(_caller.registration_id == Registration.id, _caller.left_at.is_(None))
"""Condition on Registration that its caller waits on the line."""


def where_busy(number: _Number) -> ColumnElement[bool]:
    """Return the condition that the phone of this column is engaged; `bind_moment` gives the parameters."""
    return or_(_in_hand_or_leaves(number), _is_rung(number), _has_dialled(number))


def _is_rung(number: _Number) -> ColumnElement[bool]:
    """Return the condition that a call of ours to the number has not ended.

    The condition holds for overflow callers, too, who were called back and talk with us.
    """
    return exists().where(PlacedCall.number == number, PlacedCall.ended_at.is_(None))


def _in_hand_or_leaves(number: _Number) -> ColumnElement[bool]:
    in_hand = (  # called now or soon, for any place of the number
        select(Callback.id)
        .join(_place, _place.id == Callback.registration_id)
        .where(
            _place.number == number,
            Callback.state.in_(make_literals(_IN_HAND)),
            Callback.id != bindparam("but", type_=Integer),
        )
        .correlate(number.class_)
    )
    puts_down = (
        select(_leaver.registration_id)
        .join(_place, _place.id == _leaver.registration_id)
        .where(_place.number == number, _leaver.left_at > bindparam("left_since", type_=UtcDateTime))
        .correlate(number.class_)
    )
    return or_(exists(in_hand), exists(puts_down))


def _has_dialled(number: _Number) -> ColumnElement[bool]:
    alive = exists().where(
        Heartbeat.process == "ivr", Heartbeat.at > bindparam("alive_since", type_=UtcDateTime)
    )
    here = exists().where(
        CallerNow.number == number, CallerNow.since > bindparam("dialled_since", type_=UtcDateTime)
    )
    return and_(here, alive)  # the rows of a dead `ivr` do not count


ENGAGED = or_(
    exists().where(
        _heads_up.registration_id == Registration.id,
        _heads_up.token.is_not(None),
    ),
    _in_hand_or_leaves(Registration.number),
    and_(or_(_is_rung(Registration.number), _has_dialled(Registration.number)), ~ON_THE_LINE),
)
"""Condition on Registration that its phone is engaged with us; `bind_moment` gives the parameters."""

_AMONG = select(Registration.id).where(Registration.id.in_(bindparam("ids", expanding=True)), ENGAGED)
_WAITS = select(exists().where(Registration.id == bindparam("id", type_=Integer), ON_THE_LINE))
_ELSEWHERE = select(exists().where(Registration.id == bindparam("id", type_=Integer), ENGAGED))


def bind_moment(at: datetime, but: int = 0) -> dict[str, Any]:
    """Return the parameters of ENGAGED at the moment `at`; the callback `but` does not count."""
    return {
        "alive_since": at - heartbeats.FRESH,
        "dialled_since": at - BELIEVED,
        "left_since": at - PUTS_DOWN,
        "but": but,
    }


def is_caller_waiting(session: Session, registration_id: int) -> bool:
    """Return whether the caller of this place is on the line, so that no phone need be dialled."""
    return bool(session.execute(_WAITS, {"id": registration_id}).scalar())


def list_busy(session: Session, ids: Collection[int]) -> set[int]:
    """Return those of these registrations whose phone is engaged."""
    if not ids:
        return set()
    found = session.execute(_AMONG, {"ids": list(ids), **bind_moment(now(session))})
    return set(found.scalars())


def is_busy_elsewhere(session: Session, callback: Callback, at: datetime) -> bool:
    """Return whether anything but this unplaced callback engages the citizen's phone."""
    values = {"id": callback.registration_id, **bind_moment(at, callback.id)}
    return bool(session.execute(_ELSEWHERE, values).scalar())


def check_free(session: Session, callback: Callback) -> None:
    """Raise Refused("engaged") if the citizen is on the phone with us."""
    if is_busy_elsewhere(session, callback, now(session)):
        raise Refused("engaged", "the citizen is on the line with us at this moment")


def is_on_the_line(session: Session, number: str) -> bool:
    """Return whether this number is on the line of 137, however long: then we ourselves keep it busy."""
    waits = select(_caller.registration_id).join(_place, _place.id == _caller.registration_id)
    if session.scalar(waits.where(_place.number == number, _caller.left_at.is_(None)).limit(1)):
        return True
    here = session.scalar(select(exists().where(CallerNow.number == number)))
    return bool(here) and heartbeats.is_alive(session, "ivr")


def has_just_hung_up(session: Session, callback: Callback) -> bool:
    """Return whether another call of ours to this phone ended just before this one began.

    The phone may still be busy then.

    A call for the same place does not count: a phone that is always busy would never be given up.
    """
    same = exists().where(
        Callback.token == PlacedCall.token, Callback.registration_id == callback.registration_id
    )
    other = exists().where(
        PlacedCall.number == callback.registration.number,
        PlacedCall.ended_at > (callback.placed_at or callback.claimed_at) - PUTS_DOWN,
        ~same,
    )
    return bool(session.scalar(select(other)))


def count_callers(session: Session, node: str | None = None) -> int:
    """Return how many callers are on the line of 137, those with a desk included; on `node` or on all.

    If ivr is silent, only callers with a desk are counted.
    """
    here = {"node": node}
    met = select(func.count()).where(
        Callback.ended_at.is_(None), Callback.on_the_line, round_affinity.where_mine(Callback.node)
    )
    speaking = session.scalar(met, here) or 0
    if not heartbeats.is_alive(session, "ivr"):
        return speaking
    waiting = select(func.count()).select_from(CallerNow).where(round_affinity.where_mine(CallerNow.node))
    return speaking + (session.scalar(waiting, here) or 0)


def forget_callers(session: Session, node: str | None = None) -> None:
    """Delete the records of callers on the line of 137, on this node or on all."""
    session.execute(delete(CallerNow).where(round_affinity.where_mine(CallerNow.node)), {"node": node})


def record_callers(
    session: Session, came: Mapping[str, str], went: Collection[str], node: str | None = None
) -> None:
    """Record callers who came to this node, E.164 numbers by channel, and delete those who went."""
    if went:
        session.execute(delete(CallerNow).where(CallerNow.channel.in_(went)))
    if came:
        at = now(session)
        rows = [
            {"channel": channel, "number": number, "since": at, "node": node}
            for channel, number in came.items()
        ]
        session.execute(insert(CallerNow), rows)
