"""Callers who wait on the line for an operator, with a place in the line and without a dialled phone.

A lost call costs nobody the place: a caller who is no longer on the line is called back.
"""

import math
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import ago, now
from db.models import Callback, Desk, Registration, Round, WaitingCaller
from db.states import CallbackState, RegistrationState
from db.trusted_time import trusted_now
from hotline.callbacks import assignment, direct_routing, pacing, round_statistics, transitions
from hotline.line import busy_numbers, order
from hotline.nodes import round_affinity
from hotline.rounds import phases

STALE = timedelta(seconds=90)
"""How long a caller counts as present without a report. A script reports at least every 30 seconds."""

_STAYS = (RegistrationState.WAITING, RegistrationState.CALLING)
_ENOUGH = 3
"""Number of conversations from which a wait is estimated."""
_REACHED_S = 20.0
"""Seconds that it takes to reach a citizen ahead who is not on the line."""


class Outlook(NamedTuple):
    """Forecast for a caller."""

    before_me: int
    """Number of citizens ahead in the line."""
    free: bool
    """A desk is free for this caller now."""
    minutes: int | None
    """Estimated minutes of the wait, rounded up; None if unknown."""


def find(session: Session, registration_id: int) -> WaitingCaller | None:
    """Return the caller of this place if they wait on the line now."""
    caller = session.get(WaitingCaller, registration_id, populate_existing=True)
    return caller if caller and caller.left_at is None else None


def record_waiting(session: Session, registration_id: int, channel: str, node: str | None = None) -> bool:
    """Record that the caller of this channel of Asterisk waits on the line. False: it is over or taken.

    Caller ID is easily forged: a newer call does not replace an older one whose script still reports it. An
    older call that Asterisk has lost, or of which no script reports anything for `STALE`, is replaced.
    `node`: the node of that Asterisk.
    """
    place = session.get(Registration, registration_id, with_for_update={"key_share": True})
    if place is None or place.state not in _STAYS:
        return False
    at, caller = now(session), session.get(WaitingCaller, registration_id, populate_existing=True)
    if caller and caller.channel != channel and caller.left_at is None and caller.seen_at >= at - STALE:
        return False
    if caller is None:
        waits = {"registration_id": registration_id, "channel": channel, "since": at, "seen_at": at}
        session.add(WaitingCaller(**waits, node=node))
    else:
        known = caller.channel == channel
        seen, caller.channel, caller.seen_at = known and caller.left_at is None, channel, at
        caller.since, caller.left_at, caller.node = caller.since if known else at, None, node
        if seen:
            return True
    session.flush()
    events.append_registration(session, place)
    return True


def is_there(session: Session, registration_id: int, channel: str, node: str | None = None) -> bool:
    """Record that the caller is still there, even if believed gone.

    False: the place is over or a newer call's.
    """
    caller = session.get(WaitingCaller, registration_id, populate_existing=True)
    return (
        caller is not None
        and caller.channel == channel
        and record_waiting(session, registration_id, channel, node)
    )


def is_open(session: Session, registration_id: int) -> bool:
    """Return whether this place is still to be called, so that its caller may wait for it."""
    place = session.get(Registration, registration_id, populate_existing=True)
    return place is not None and place.state in _STAYS


def is_here(session: Session, node: str) -> bool:
    """Return whether the operators' line is on this node or on none, so that callers here can wait for it."""
    operators_line = phases.find_operators_line(session)
    home = round_affinity.find_node_of_round(session, operators_line.id) if operators_line else None
    return home in (None, node)


def leave(session: Session, channel: str) -> None:
    """Record that this channel's script has ended: hung up, given to a desk, or to be called back."""
    _left(session, WaitingCaller.channel == channel)


def leave_node(session: Session, node: str) -> None:
    """Record that the node is lost, with the calls of all who waited there."""
    _left(session, WaitingCaller.node == node)


IS_ANY_STALE = select(exists().where(WaitingCaller.left_at.is_(None), WaitingCaller.seen_at < ago(STALE)))
"""Query whether `leave_stale` has work."""


def leave_stale(session: Session) -> None:
    """Record as gone the callers without a report for STALE."""
    _left(session, WaitingCaller.seen_at < trusted_now(session) - STALE)


def list_channels(session: Session, node: str | None = None) -> Sequence[str]:
    """Return the channels of those who wait on the line in this node's Asterisk."""
    here = WaitingCaller.left_at.is_(None), round_affinity.where_mine(WaitingCaller.node)
    return session.scalars(select(WaitingCaller.channel).where(*here), {"node": node}).all()


def record_gone_except(session: Session, channels: Collection[str], node: str | None = None) -> None:
    """Record as gone the callers whose channel is not among Asterisk's `channels`.

    A caller of the last 5 seconds stays: the list may be older. `node`: the node of that Asterisk.
    """
    at = now(session)
    gone = [channel for channel in list_channels(session, node) if channel not in channels]
    if gone:
        _left(session, and_(WaitingCaller.channel.in_(gone), WaitingCaller.since < at - timedelta(seconds=5)))


def has_just_left(session: Session, registration_id: int) -> bool:
    """Return whether the caller of this place hung up so recently that their phone must not ring yet."""
    caller = session.get(WaitingCaller, registration_id, populate_existing=True)
    return bool(caller and caller.left_at and caller.left_at > now(session) - busy_numbers.PUTS_DOWN)


def settle(session: Session, node: str) -> bool:
    """Return whether the operators' line is on this node; a line without a node gets this one."""
    operators_line = phases.find_operators_line(session)
    return operators_line is not None and round_affinity.settle(session, operators_line.id, node)


def is_left_elsewhere(session: Session, registration_id: int, node: str) -> bool:
    """Return whether the caller of this place waits on another node, which the desks have left.

    Such a caller hears that we call back, and is called back from their own place.
    """
    caller = find(session, registration_id)
    if caller is None or caller.node in (None, node):
        return False
    caller.left_at = now(session)
    session.flush()
    return True


def record_hangup(session: Session, registration_id: int) -> None:
    """Record that the caller hung up when a desk had them already: their phone must not ring for a moment."""
    session.execute(
        update(WaitingCaller)
        .where(WaitingCaller.registration_id == registration_id)
        .values(left_at=now(session))
    )


def _left(session: Session, which: ColumnElement[bool]) -> None:
    gone = session.scalars(
        update(WaitingCaller)
        .where(which, WaitingCaller.left_at.is_(None))
        .values(left_at=now(session))
        .returning(WaitingCaller.registration_id)
        .execution_options(synchronize_session=False)
    ).all()
    for registration_id in gone:
        events.append_registration(session, session.get_one(Registration, registration_id))
        in_hand = transitions.find_by_registration(session, registration_id)
        if in_hand:  # the desk's page shows that the phone must ring
            events.append_callback(session, in_hand)


def list_waiting_among(session: Session, registration_ids: Collection[int]) -> set[int]:
    """Return those of these places whose callers wait on the line."""
    waiting = select(WaitingCaller.registration_id).where(
        WaitingCaller.registration_id.in_(registration_ids), WaitingCaller.left_at.is_(None)
    )
    return set(session.scalars(waiting))


def is_on_the_line(session: Session, callback: Callback) -> bool:
    """Return whether the callback reaches its citizen on the line, without a dialled phone."""
    return callback.on_the_line or bool(list_waiting_among(session, [callback.registration_id]))


def count_waiting(session: Session) -> tuple[int, datetime | None]:
    """Return how many callers wait on the line, and since when the first of them has waited."""
    found = session.execute(
        select(func.count(), func.min(WaitingCaller.since))
        .select_from(WaitingCaller)
        .join(Registration, Registration.id == WaitingCaller.registration_id)
        .where(WaitingCaller.left_at.is_(None), Registration.state.in_(_STAYS))
    ).one()
    met = session.execute(
        select(func.count(), func.min(Callback.confirmed_at)).where(
            Callback.state == CallbackState.WAITING, Callback.on_the_line
        )
    ).one()
    return found[0] + met[0], min(filter(None, (found[1], met[1])), default=None)


def forecast_for(session: Session, registration_id: int) -> Outlook:
    """Return the forecast for the caller of this place."""
    place = session.get_one(Registration, registration_id)
    if place.state is RegistrationState.CALLING:  # a desk has them in hand
        return Outlook(0, free=True, minutes=1)
    operators_line, before = (
        session.get_one(Round, place.round_id),
        order.list_passed(session, place, now(session)),
    )
    free = not before and direct_routing.is_any_free(session, operators_line)
    seconds = 0.0 if free else _seconds(session, operators_line, before)
    return Outlook(len(before), free, None if seconds is None else max(1, math.ceil(seconds / 60)))


def _seconds(session: Session, operators_line: Round, before: Sequence[int]) -> float | None:
    speakers = _speakers(session, operators_line)
    so_far = round_statistics.list_observations(session, operators_line.id)
    if not speakers or len(so_far.conversations) < _ENOUGH:
        return None
    desks = pacing.Situation(speakers, ringing_for=(), ready=0)
    place = len(before) + 1
    wait = pacing.estimate_wait(desks, so_far, minutes=operators_line.minutes, place=place)
    to_reach = len(before) - len(list_waiting_among(session, before))
    return wait + to_reach * _REACHED_S / len(speakers)


def _speakers(session: Session, operators_line: Round) -> list[pacing.Speaker]:
    """Return the desks at work for the operators' line; a desk that talks for another line does not count."""
    at = now(session)
    own = and_(Callback.round_id == operators_line.id, transitions.OCCUPIES)
    has_one = exists().where(Callback.desk_id == Desk.id, own)
    works = or_(Desk.round_id == operators_line.id, direct_routing.TAKES, has_one)
    here = select(Desk.id).where(~assignment.where_takes_nobody(), works)
    desks = session.scalars(here, {"line": operators_line.id}).all()
    busy = select(Callback).where(Callback.desk_id.in_(desks), transitions.OCCUPIES)
    at_desk = {callback.desk_id: callback for callback in session.scalars(busy)}
    return [
        round_statistics.describe_speaker(at_desk.get(desk), at)
        for desk in desks
        if desk not in at_desk or at_desk[desk].round_id == operators_line.id
    ]
