"""Toll safety: the transaction that takes up an outgoing call records it, and the caps decide there.

The caps hold against any other failure: a bug, a stolen account, a forged line.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import PlacedCall, RescueCall, UrgentMatter
from db.trusted_time import trusted_now
from hotline import numbers
from hotline.errors import Refused
from hotline.line import busy_numbers
from hotline.nodes import draining, leases, round_affinity
from hotline.trunk import circuit_breaker, selection
from settings import Settings

_HOUR, _DAY = timedelta(hours=1), timedelta(hours=24)

_RESCUES_AT_ONCE, _RESCUES_PER_HOUR = 3, 30
"""Caps on rescue calls: idle calls to 137 must not flood the emergency service."""
_RESCUES_OF_CALLER, _RESCUES_OF_WITHHELD = 3, 10
"""Caps for each hour: one telephone must not use up all connections."""
_ALARMS_PER_HOUR = 12
"""Cap for each supervisor: forged reports all day must leave calls for real ones."""

KEPT = timedelta(days=2)
"""How long a call's record is kept; no cap looks back farther than a day."""


log = logging.getLogger("calls")


class Cap(StrEnum):
    """Reason why no call may be placed."""

    AT_ONCE = "at-once"
    CHANNELS = "trunk-channels"  # shared with the callers on 137
    PER_HOUR = "per-hour"
    PER_DAY = "per-day"
    PER_NUMBER = "per-number"
    NOT_ALLOWED = "not-allowed"  # by its prefix, at any time
    LINE_DOWN = "line-down"  # our own fault (hotline.trunk.circuit_breaker)


class CallPermit(NamedTuple):
    """Permit for a recorded call: the only thing that the dialer's `originate` accepts."""

    token: str
    number: str  # E.164
    trunks: tuple[str, ...] = ()  # in the order of their trial; empty if there is only one


class Capacity(NamedTuple):
    """Number of calls that may be placed now (none: 0 or less), and the cap that limits it."""

    calls: int
    cap: Cap


def find_capacity(
    session: Session, settings: Settings, share: float = 1.0, *, node: str | None = None
) -> Capacity:
    """Return how many calls the caps leave to callers who may use only this `share` of each cap.

    Trunk channels count for one `node`, or for all live ones. Every other cap counts all calls.
    """
    at = now(session)
    on_their_way = select(func.count()).where(PlacedCall.ended_at.is_(None), PlacedCall.at > at - KEPT)
    ours = session.scalar(on_their_way) or 0
    left = {
        Cap.AT_ONCE: _of(settings.outgoing_at_once, share) - ours,
        Cap.CHANNELS: _channels(session, settings, on_their_way, node)
        - busy_numbers.count_callers(session, node),
        Cap.PER_HOUR: _left(session, at - _HOUR, _of(settings.calls_per_hour, share)),
        Cap.PER_DAY: _left(session, at - _DAY, _of(settings.calls_per_day, share)),
    }
    probes = 0 if node and draining.has_no_ivr(session, node) else circuit_breaker.count_allowed(session)
    if probes is not None:
        left[Cap.LINE_DOWN] = probes if share == 1 or circuit_breaker.lacks_probes(session) else 0
    cap = min(left, key=lambda cap: left[cap])
    return Capacity(left[cap], cap)


def _channels(session: Session, settings: Settings, on_their_way: Select[Any], node: str | None) -> int:
    here = session.scalar(on_their_way.where(round_affinity.where_mine(PlacedCall.node)), {"node": node}) or 0
    nodes = 1 if node else max(1, len(leases.list_live(session)))
    return settings.channels * nodes - here


def check_capacity(session: Session, settings: Settings) -> None:
    """Check that a call may be placed now. Raises Refused("line-down" | "calls-capped")."""
    calls, cap = find_capacity(session, settings)
    if calls > 0:
        return
    if cap is Cap.LINE_DOWN:
        raise Refused("line-down", "no calls can be made now, by our own fault; the line is kept")
    raise Refused("calls-capped", f"no more calls may be placed now: the cap {cap} is reached")


def _of(cap: int, share: float) -> int:
    return max(1, int(cap * share))


def _left(session: Session, since: datetime, cap: int) -> int:
    """Return how many calls a cap leaves. At most `cap` rows are read."""
    placed = select(PlacedCall.at).where(PlacedCall.at > since, ~PlacedCall.ours).limit(cap).subquery()
    return cap - (session.scalar(select(func.count()).select_from(placed)) or 0)


def claim_call(
    session: Session,
    token: str,
    number: str,
    settings: Settings,
    share: float = 1.0,
    *,
    alarm: bool = False,
    owed: bool = False,
) -> CallPermit | Cap:
    """Record that `number` (E.164) is about to be called.

    Return the cap, and write nothing, if one forbids it. `alarm`: the number's own cap counts this kind of
    call by the hour, not all calls by the day. `owed`: the number's own cap does not hold for this call
    (`placing.is_owed`). Call it in the transaction that commits the token, after the token's row and before
    any event.
    """
    extension = numbers.is_extension(number, settings.extensions)
    if not extension and not numbers.is_allowed(number, settings.allowed_prefixes):
        log.error("%s: not placed: its number is outside HOTLINE_ALLOWED_PREFIXES", token)
        return Cap.NOT_ALLOWED
    hold_lock(session, "toll")  # two counts at the same time would both find the same free call
    calls, cap = find_capacity(session, settings, share, node=settings.node)
    if calls <= 0:
        return cap
    capped = (
        _alarmed_enough(session, token, number)
        if alarm
        else find_next_free_at(session, number, settings, share)
    )
    if capped and not owed:
        return Cap.PER_NUMBER
    if not circuit_breaker.claim_probe(session, token):
        return Cap.LINE_DOWN
    session.add(PlacedCall(token=token, number=number, at=now(session), node=settings.node))
    session.flush()
    return CallPermit(token, number, _by(session, settings))


def claim_rescue_call(
    session: Session, token: str, caller: str | None, settings: Settings
) -> CallPermit | Cap:
    """Record a call to the emergency service, like `claim_call`, but by caps of its own.

    A city's day may bring more callers in danger than the cap for one number allows. The number is short and
    comes from the settings. `caller`: the E.164 number of the caller in danger, if it is shown.
    """
    hold_lock(session, "toll")
    calls, cap = find_capacity(session, settings, node=settings.node)
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
    # As a probe it would prove nothing, and delay a real one.
    if circuit_breaker.count_allowed(session) is not None:
        return Cap.LINE_DOWN
    session.add(PlacedCall(token=token, number=settings.urgent_number, at=now(session), node=settings.node))
    session.flush()
    return CallPermit(token, settings.urgent_number, _by(session, settings, tries=False))


def _by(session: Session, settings: Settings, *, tries: bool = True) -> tuple[str, ...]:
    names = [trunk.name for trunk in settings.trunks]
    return selection.order_trunks(session, names, tries=tries) if len(names) > 1 else ()


def _alarmed_enough(session: Session, token: str, number: str) -> bool:
    same_kind = PlacedCall.token.startswith(f"{token.partition('-')[0]}-")
    of_hour = select(func.count()).where(
        PlacedCall.number == number, PlacedCall.at > now(session) - _HOUR, ~PlacedCall.ours, same_kind
    )
    return (session.scalar(of_hour) or 0) >= _ALARMS_PER_HOUR


def find_next_free_at(
    session: Session, number: str, settings: Settings, share: float = 1.0
) -> datetime | None:
    """Return when `number` may be called again by this share of its daily cap; None: now."""
    oldest_that_counts = session.scalar(
        select(PlacedCall.at)
        .where(PlacedCall.number == number, PlacedCall.at > now(session) - _DAY, ~PlacedCall.ours)
        .order_by(PlacedCall.at.desc())
        .offset(_of(settings.calls_per_number, share) - 1)
        .limit(1)
    )
    return oldest_that_counts + _DAY if oldest_that_counts else None


def record_end(session: Session, token: str, *, ours: bool = False) -> None:
    """Record that the call's channel has ended or never existed, so that its line is free.

    `ours`: the call failed through our own fault, and no cap counts it.
    """
    session.execute(
        update(PlacedCall)
        .where(PlacedCall.token == token, PlacedCall.ended_at.is_(None))
        .values(ended_at=now(session), ours=ours)
    )


_ON_THE_PHONE = select(PlacedCall.token, PlacedCall.at).where(
    PlacedCall.ended_at.is_(None), round_affinity.where_mine(PlacedCall.node)
)


def list_open_calls(session: Session, node: str | None = None) -> dict[str, datetime]:
    """Return the tokens of calls whose end is unknown, and when each was placed, by this `node` or by any."""
    return {token: at for token, at in session.execute(_ON_THE_PHONE, {"node": node})}


def list_calls_of_other_nodes(session: Session, tokens: Collection[str], node: str) -> set[str]:
    """Return those of these calls that another node placed."""
    theirs = select(PlacedCall.token).where(PlacedCall.token.in_(tokens), PlacedCall.node != node)
    return set(session.scalars(theirs)) if tokens else set()


def delete_old(session: Session) -> None:
    """Delete the records that no cap reads any more."""
    session.execute(delete(PlacedCall).where(PlacedCall.at < trusted_now(session) - KEPT))
