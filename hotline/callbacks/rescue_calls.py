"""Rescue calls: a caller in danger is connected with the emergency service if nobody is at a desk.

The caller's own channel dials nobody. The caller's script requests a row, once for each channel. The dialer
then calls the one number of the settings, within all caps and those of rescue calls (call_caps).
The service that answers takes the caller over. A failed call ends the row at once, and the script speaks the
number.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import RescueCall, UrgentMatter
from hotline.errors import Refused
from hotline.nodes import round_affinity
from hotline.trunk import call_caps
from settings import Settings

_PREFIX = "rescue-"
_STALE = timedelta(seconds=15)
"""How long a requested call may stay unplaced. After that the caller has heard the number."""

_ASKED = select(RescueCall.token).where(
    RescueCall.ended_at.is_(None), RescueCall.placed_at.is_(None), round_affinity.where_mine(RescueCall.node)
)


def is_token(channel_id: str) -> bool:
    """Return whether a channel's id has the form of a rescue call's token."""
    return channel_id.startswith(_PREFIX)


def ask(session: Session, matter_id: int, channel: str, node: str | None = None) -> RescueCall:
    """Request the call for the caller in this channel of Asterisk; a repeated request returns the same.

    `node`: the node of that Asterisk. Raises Refused("not-found").
    """
    there = find_by_channel(session, channel)
    if there is not None:
        return there
    if session.get(UrgentMatter, matter_id) is None:
        raise Refused("not-found", f"no urgent matter {matter_id}")
    token = f"{_PREFIX}{uuid.uuid4().hex}"
    call = RescueCall(token=token, channel=channel, matter_id=matter_id, node=node)
    call.asked_at = now(session)
    session.add(call)
    events.append_urgent(session, "rescue")
    return call


def find_by_channel(session: Session, channel: str) -> RescueCall | None:
    """Return the rescue call for this channel."""
    query = select(RescueCall).where(RescueCall.channel == channel)
    return session.scalar(query.execution_options(populate_existing=True))


def has_failed(session: Session, channel: str) -> bool:
    """Return whether this caller will not be connected: the call has ended, or was not placed in time."""
    call = find_by_channel(session, channel)
    if call is None or call.ended_at:
        return True
    return call.placed_at is None and now(session) - call.asked_at > _STALE


def list_requested(session: Session, node: str | None = None) -> Sequence[str]:
    """Return the tokens of the calls to place, by this `node` or, if None, by any. Each poll asks."""
    return session.execute(_ASKED, {"node": node}).scalars().all()


def take_up(
    session: Session, token: str, settings: Settings
) -> tuple[call_caps.CallPermit, str] | call_caps.Cap | None:
    """Commit that the call is about to be placed, so that it is placed once.

    Return the permit and the caller's channel. Return None, or the cap, if it will never be placed.
    """
    at = now(session)
    if not _change(session, token, RescueCall.placed_at.is_(None), placed_at=at):
        return None
    call = session.get_one(RescueCall, token, populate_existing=True)
    stale = at - call.asked_at > _STALE
    permit: call_caps.CallPermit | call_caps.Cap | None = None
    if settings.urgent_number and not stale:
        caller = session.get_one(UrgentMatter, call.matter_id).number
        permit = call_caps.claim_rescue_call(session, token, caller, settings)
    if isinstance(permit, call_caps.CallPermit):
        return permit, call.channel
    call.ended_at = at
    return permit


def record_connected(session: Session, token: str) -> None:
    """Record that the emergency service has answered and has the caller."""
    if _change(session, token, RescueCall.connected_at.is_(None), connected_at=now(session)):
        events.append_urgent(session, "taken")


def record_abandoned(session: Session, token: str) -> None:
    """Record that the service answered after the caller hung up: somebody must still see to the caller."""
    if _change(session, token, RescueCall.connected_at.is_not(None), connected_at=None):
        events.append_urgent(session, "new")


def record_end(session: Session, token: str) -> None:
    """Record that the channel has ended or never existed."""
    _change(session, token, ended_at=now(session))


def list_in_progress(session: Session) -> dict[str, datetime]:
    """Return the tokens of the placed calls that have not ended, and when each was placed."""
    query = select(RescueCall.token, RescueCall.placed_at).where(RescueCall.ended_at.is_(None))
    return {token: at for token, at in session.execute(query) if at}


def _change(session: Session, token: str, *which: Any, **values: Any) -> bool:
    this = update(RescueCall).where(RescueCall.token == token, RescueCall.ended_at.is_(None), *which)
    changed = this.values(**values).returning(RescueCall.token)
    return session.scalar(changed.execution_options(synchronize_session=False)) is not None
