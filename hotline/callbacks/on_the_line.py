"""Who waits on the line for an operator: with a place like all others, but no phone is dialled.

What breaks costs nobody the place: whoever is not there any more is called back.
"""

import math
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, Registration, Round, WaitingCaller
from db.peeks import ago
from db.states import CallbackState, RegistrationState
from hotline.callbacks import assignment, callbacks, live_desks, pacing, round_statistics
from hotline.line import engaged, line
from hotline.nodes import homes
from hotline.rounds import rounds

STALE = timedelta(seconds=90)
"""A script says at least once in half a minute that its caller is there; after so long it is not believed."""

_STAYS = (RegistrationState.WAITING, RegistrationState.CALLING)
_ENOUGH = 3
"""From so many conversations on an estimate is honest."""
_REACHED_S = 20.0
"""So long it takes to reach one of those before who are not on the line."""


class Outlook(NamedTuple):
    """What a caller may be told."""

    before_me: int
    """So many stand before."""
    free: bool
    """Whether a desk is there for this caller at this moment."""
    minutes: int | None
    """About so many until the turn comes, rounded up; None if nobody can say."""


def find(session: Session, registration_id: int) -> WaitingCaller | None:
    """The caller of this place, if they wait on the line now."""
    caller = session.get(WaitingCaller, registration_id, populate_existing=True)
    return caller if caller and caller.left_at is None else None


def stay(session: Session, registration_id: int, channel: str, node: str | None = None) -> bool:
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
    events.registration_changed(session, place)
    return True


def is_there(session: Session, registration_id: int, channel: str, node: str | None = None) -> bool:
    """Say that the caller still is, whatever was believed. False: the place is over, or a newer call's."""
    caller = session.get(WaitingCaller, registration_id, populate_existing=True)
    return caller is not None and caller.channel == channel and stay(session, registration_id, channel, node)


def is_open(session: Session, registration_id: int) -> bool:
    """Return whether this place is still to be called, so that its caller may wait for it."""
    place = session.get(Registration, registration_id, populate_existing=True)
    return place is not None and place.state in _STAYS


def is_here(session: Session, node: str) -> bool:
    """Whether the desks of the operators' line are on this node, so that its callers can wait for them."""
    operators_line = rounds.find_operators_line(session)
    home = homes.of_round(session, operators_line.id) if operators_line else None
    return home in (None, node)


def leave(session: Session, channel: str) -> None:
    """The script of this channel has ended: hung up, given to a desk, or will be called back."""
    _left(session, WaitingCaller.channel == channel)


def leave_node(session: Session, node: str) -> None:
    """The node is gone, and with it the calls of all who waited there."""
    _left(session, WaitingCaller.node == node)


IS_ANY_STALE = select(exists().where(WaitingCaller.left_at.is_(None), WaitingCaller.seen_at < ago(STALE)))
"""Whether `leave_stale` has anything to do (db.peeks.peek)."""


def leave_stale(session: Session) -> None:
    """Forget those of whom no script has said for long that they are there."""
    _left(session, WaitingCaller.seen_at < now(session) - STALE)


def list_channels(session: Session, node: str | None = None) -> Sequence[str]:
    """Return the channels of those who wait on the line in this node's Asterisk."""
    here = WaitingCaller.left_at.is_(None), homes.mine(WaitingCaller.node)
    return session.scalars(select(WaitingCaller.channel).where(*here), {"node": node}).all()


def only(session: Session, channels: Collection[str], node: str | None = None) -> None:
    """Asterisk has these channels and no others; who came just now is not known to it yet.

    `node`: whose Asterisk that is.
    """
    at = now(session)
    gone = [channel for channel in list_channels(session, node) if channel not in channels]
    if gone:
        _left(session, and_(WaitingCaller.channel.in_(gone), WaitingCaller.since < at - timedelta(seconds=5)))


def has_just_left(session: Session, registration_id: int) -> bool:
    """Whether the caller of this place hung up so short a time ago that their phone is left in peace."""
    caller = session.get(WaitingCaller, registration_id, populate_existing=True)
    return bool(caller and caller.left_at and caller.left_at > now(session) - engaged.PUTS_DOWN)


def settle(session: Session, node: str) -> bool:
    """Whether the desks of the operators' line are on this node; if on none yet, it is chosen now."""
    operators_line = rounds.find_operators_line(session)
    return operators_line is not None and homes.settle(session, operators_line.id, node)


def left_elsewhere(session: Session, registration_id: int, node: str) -> bool:
    """Whether the caller of this place waits on another node than this, where no desk is any more.

    They are told that they are called back, and are, from the own place.
    """
    caller = find(session, registration_id)
    if caller is None or caller.node in (None, node):
        return False
    caller.left_at = now(session)
    session.flush()
    return True


def hung_up(session: Session, registration_id: int) -> None:
    """The caller hung up when a desk had them already: the phone is left in peace for a moment."""
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
        events.registration_changed(session, session.get_one(Registration, registration_id))
        in_hand = callbacks.of_registration(session, registration_id)
        if in_hand:  # its desk sees that the phone will have to ring
            events.callback_changed(session, in_hand)


def among(session: Session, registration_ids: Collection[int]) -> set[int]:
    """Those of these places whose callers wait on the line."""
    waiting = select(WaitingCaller.registration_id).where(
        WaitingCaller.registration_id.in_(registration_ids), WaitingCaller.left_at.is_(None)
    )
    return set(session.scalars(waiting))


def is_on_the_line(session: Session, callback: Callback) -> bool:
    """Whether no phone was dialled for this callback, or none will be."""
    return callback.on_the_line or bool(among(session, [callback.registration_id]))


def waiting(session: Session) -> tuple[int, datetime | None]:
    """How many wait on the line, and since when the one who has waited longest."""
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


def outlook(session: Session, registration_id: int) -> Outlook:
    """What the caller of this place may be told at this moment."""
    place = session.get_one(Registration, registration_id)
    if place.state is RegistrationState.CALLING:  # a desk has them in hand
        return Outlook(0, free=True, minutes=1)
    operators_line, before = session.get_one(Round, place.round_id), line.passed(session, place, now(session))
    free = not before and live_desks.is_any_free(session, operators_line)
    seconds = 0.0 if free else _seconds(session, operators_line, before)
    return Outlook(len(before), free, None if seconds is None else max(1, math.ceil(seconds / 60)))


def _seconds(session: Session, operators_line: Round, before: Sequence[int]) -> float | None:
    speakers = _speakers(session, operators_line)
    so_far = round_statistics.of_round(session, operators_line.id)
    if not speakers or len(so_far.conversations) < _ENOUGH:
        return None
    desks = pacing.Situation(speakers, ringing_for=(), ready=0)
    place = len(before) + 1
    wait = pacing.expected_wait(desks, so_far, minutes=operators_line.minutes, place=place)
    to_reach = len(before) - len(among(session, before))
    return wait + to_reach * _REACHED_S / len(speakers)


def _speakers(session: Session, operators_line: Round) -> list[pacing.Speaker]:
    """The desks that work for the operators' line now; not one that speaks with somebody of another line."""
    at = now(session)
    own = and_(Callback.round_id == operators_line.id, callbacks.OCCUPIES)
    has_one = exists().where(Callback.desk_id == Desk.id, own)
    works = or_(Desk.round_id == operators_line.id, live_desks.TAKES, has_one)
    here = select(Desk.id).where(~assignment.takes_nobody(), works)
    desks = session.scalars(here, {"line": operators_line.id}).all()
    busy = select(Callback).where(Callback.desk_id.in_(desks), callbacks.OCCUPIES)
    at_desk = {callback.desk_id: callback for callback in session.scalars(busy)}
    return [
        round_statistics.speaker(at_desk.get(desk), at)
        for desk in desks
        if desk not in at_desk or at_desk[desk].round_id == operators_line.id
    ]
