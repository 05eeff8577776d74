"""Toll safety: every outgoing call is written down by the transaction that takes it up; caps decide there.

Whatever goes wrong elsewhere (a bug, a stolen account, a forged line), it cannot call more than this.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from db.engine import now, one_at_a_time
from db.models import PlacedCall, RescueCall, UrgentMatter
from db.trusted_time import trusted_now
from hotline import numbers
from hotline.callbacks import breaker, trunk_states
from hotline.errors import Refused
from hotline.line import engaged
from hotline.nodes import draining, homes, leases
from settings import Settings

_HOUR, _DAY = timedelta(hours=1), timedelta(hours=24)

_RESCUES_AT_ONCE, _RESCUES_PER_HOUR = 3, 30
"""Whoever calls 137 for nothing does not flood the emergency service."""
_RESCUES_OF_CALLER, _RESCUES_OF_WITHHELD = 3, 10
"""In an hour: one telephone does not use up the connections of all."""
_ALARMS_PER_HOUR = 12
"""To each supervisor: a day of forged reports leaves room for what comes after them."""

KEPT = timedelta(days=2)
"""So long a call is remembered; no cap looks further back than a day."""


log = logging.getLogger("calls")


class Cap(StrEnum):
    """Why no call may be placed."""

    AT_ONCE = "at-once"
    CHANNELS = "trunk-channels"  # with the callers on 137
    PER_HOUR = "per-hour"
    PER_DAY = "per-day"
    PER_NUMBER = "per-number"
    NOT_ALLOWED = "not-allowed"  # the prefix of this number: no other time will be better
    LINE_DOWN = "line-down"  # our own fault (hotline.callbacks.breaker)


class CallPermit(NamedTuple):
    """A call that is written down: the only thing that the dialer's `originate` takes."""

    token: str
    number: str  # E.164
    trunks: tuple[str, ...] = ()  # by which it goes, one after another; empty: there is only one


class Room(NamedTuple):
    """How many more calls may be placed now (none: 0 or less), and which cap says so."""

    calls: int
    cap: Cap


def room(session: Session, settings: Settings, share: float = 1.0, *, node: str | None = None) -> Room:
    """What the caps on all calls together leave to those who may use only this share of each cap.

    The channels of a trunk are those of a `node`, or of all that are alive; every other cap is on all calls.
    """
    at = now(session)
    on_their_way = select(func.count()).where(PlacedCall.ended_at.is_(None), PlacedCall.at > at - KEPT)
    ours = session.scalar(on_their_way) or 0
    left = {
        Cap.AT_ONCE: _of(settings.outgoing_at_once, share) - ours,
        Cap.CHANNELS: _channels(session, settings, on_their_way, node) - engaged.callers(session, node),
        Cap.PER_HOUR: _left(session, at - _HOUR, _of(settings.calls_per_hour, share)),
        Cap.PER_DAY: _left(session, at - _DAY, _of(settings.calls_per_day, share)),
    }
    probes = 0 if node and draining.has_no_ivr(session, node) else breaker.calls(session)
    if probes is not None:
        left[Cap.LINE_DOWN] = probes if share == 1 or breaker.nobody_tries(session) else 0
    cap = min(left, key=lambda cap: left[cap])
    return Room(left[cap], cap)


def _channels(session: Session, settings: Settings, on_their_way: Select[Any], node: str | None) -> int:
    here = session.scalar(on_their_way.where(homes.mine(PlacedCall.node)), {"node": node}) or 0
    nodes = 1 if node else max(1, len(leases.live(session)))
    return settings.channels * nodes - here


def check_room(session: Session, settings: Settings) -> None:
    """That a call may be placed now. Raises Refused("line-down" | "calls-capped")."""
    calls, cap = room(session, settings)
    if calls > 0:
        return
    if cap is Cap.LINE_DOWN:
        raise Refused("line-down", "no calls can be made now, by our own fault; the line is kept")
    raise Refused("calls-capped", f"no more calls may be placed now: the cap {cap} is reached")


def _of(cap: int, share: float) -> int:
    return max(1, int(cap * share))


def _left(session: Session, since: datetime, cap: int) -> int:
    """What a cap leaves; never more than its own number of calls is looked at."""
    placed = select(PlacedCall.at).where(PlacedCall.at > since, ~PlacedCall.ours).limit(cap).subquery()
    return cap - (session.scalar(select(func.count()).select_from(placed)) or 0)


def take(
    session: Session,
    token: str,
    number: str,
    settings: Settings,
    share: float = 1.0,
    *,
    alarm: bool = False,
) -> CallPermit | Cap:
    """Write down that `number` (E.164) is about to be called; or the cap that forbids it, and nothing else.

    `alarm`: a number's own cap is on calls of this kind of token, by the hour, and not on all by the day.
    Call it in the transaction that commits the token, after its row and before any event.
    """
    extension = numbers.is_extension(number, settings.extensions)
    if not extension and not numbers.allowed(number, settings.allowed_prefixes):
        log.error("%s: not placed: its number is outside HOTLINE_ALLOWED_PREFIXES", token)
        return Cap.NOT_ALLOWED
    one_at_a_time(session, "toll")  # whoever counts at the same moment would count the same room
    calls, cap = room(session, settings, share, node=settings.node)
    if calls <= 0:
        return cap
    if _alarmed_enough(session, token, number) if alarm else free_again(session, number, settings, share):
        return Cap.PER_NUMBER
    if not breaker.take(session, token):
        return Cap.LINE_DOWN
    session.add(PlacedCall(token=token, number=number, at=now(session), node=settings.node))
    session.flush()
    return CallPermit(token, number, _by(session, settings))


def take_rescue(session: Session, token: str, caller: str | None, settings: Settings) -> CallPermit | Cap:
    """The same for the emergency service's number, which is the settings' own and short: by caps of its own.

    `caller`: the E.164 number of whoever is in danger, if it is shown.

    A city's day may bring more callers in danger than one number may be called otherwise.
    """
    one_at_a_time(session, "toll")
    calls, cap = room(session, settings, node=settings.node)
    if calls <= 0:
        return cap
    of_number = (
        select(func.count()).select_from(PlacedCall).where(PlacedCall.number == settings.urgent_number)
    )
    if (session.scalar(of_number.where(PlacedCall.ended_at.is_(None))) or 0) >= _RESCUES_AT_ONCE:
        return Cap.AT_ONCE
    of_hour = of_number.where(PlacedCall.at > now(session) - _HOUR)
    of_caller = (
        of_hour.join(RescueCall, RescueCall.token == PlacedCall.token)
        .join(UrgentMatter, UrgentMatter.id == RescueCall.matter_id)
        .where(UrgentMatter.number == caller, ~PlacedCall.ours)
    )
    own = _RESCUES_OF_CALLER if caller else _RESCUES_OF_WITHHELD
    if (session.scalar(of_hour) or 0) >= _RESCUES_PER_HOUR or (session.scalar(of_caller) or 0) >= own:
        return Cap.PER_NUMBER
    if breaker.calls(session) is not None:  # a probe that proves nothing would keep a true one waiting
        return Cap.LINE_DOWN
    session.add(PlacedCall(token=token, number=settings.urgent_number, at=now(session), node=settings.node))
    session.flush()
    return CallPermit(token, settings.urgent_number, _by(session, settings, tries=False))


def _by(session: Session, settings: Settings, *, tries: bool = True) -> tuple[str, ...]:
    names = [trunk.name for trunk in settings.trunks]
    return trunk_states.order(session, names, tries=tries) if len(names) > 1 else ()


def _alarmed_enough(session: Session, token: str, number: str) -> bool:
    same_kind = PlacedCall.token.startswith(f"{token.partition('-')[0]}-")
    of_hour = select(func.count()).where(
        PlacedCall.number == number, PlacedCall.at > now(session) - _HOUR, ~PlacedCall.ours, same_kind
    )
    return (session.scalar(of_hour) or 0) >= _ALARMS_PER_HOUR


def free_again(session: Session, number: str, settings: Settings, share: float = 1.0) -> datetime | None:
    """When `number` may be called again by this share of its daily cap; None: now."""
    oldest_that_counts = session.scalar(
        select(PlacedCall.at)
        .where(PlacedCall.number == number, PlacedCall.at > now(session) - _DAY, ~PlacedCall.ours)
        .order_by(PlacedCall.at.desc())
        .offset(_of(settings.calls_per_number, share) - 1)
        .limit(1)
    )
    return oldest_that_counts + _DAY if oldest_that_counts else None


def ended(session: Session, token: str, *, ours: bool = False) -> None:
    """The call's channel has ended, or never came into being: its line is free.

    `ours`: it came to nothing by our own fault, which no cap counts.
    """
    session.execute(
        update(PlacedCall)
        .where(PlacedCall.token == token, PlacedCall.ended_at.is_(None))
        .values(ended_at=now(session), ours=ours)
    )


_ON_THE_PHONE = select(PlacedCall.token, PlacedCall.at).where(
    PlacedCall.ended_at.is_(None), homes.mine(PlacedCall.node)
)


def on_the_phone(session: Session, node: str | None = None) -> dict[str, datetime]:
    """The tokens of calls whose end is not known, and when each was placed; by this `node`, or by any."""
    return {token: at for token, at in session.execute(_ON_THE_PHONE, {"node": node})}


def of_others(session: Session, tokens: Collection[str], node: str) -> set[str]:
    """Those of these calls that another node has placed."""
    theirs = select(PlacedCall.token).where(PlacedCall.token.in_(tokens), PlacedCall.node != node)
    return set(session.scalars(theirs)) if tokens else set()


def forget(session: Session) -> None:
    """Delete what no cap looks at any more."""
    session.execute(delete(PlacedCall).where(PlacedCall.at < trusted_now(session) - KEPT))
