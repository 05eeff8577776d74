"""A caller in danger is connected with the emergency service, where nobody is at a desk.

The call that came in dials nobody: its script asks for this row, once for its channel, and the dialer calls
the one number of the settings, by all caps and its own (toll.take_rescue). Who answers there takes the
caller over. What comes to nothing ends the row at once; then the script says the number.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import core, now
from db.models import RescueCall, UrgentMatter
from hotline.callbacks import toll
from hotline.errors import Refused
from hotline.nodes import homes
from settings import Settings

_PREFIX = "rescue-"
_STALE = timedelta(seconds=15)
"""A call that could not be placed for so long is not placed late: the caller has been told the number."""

_ASKED = select(RescueCall.token).where(
    RescueCall.ended_at.is_(None), RescueCall.placed_at.is_(None), homes.mine(RescueCall.node)
)


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be the token of such a call."""
    return channel_id.startswith(_PREFIX)


def ask(session: Session, matter_id: int, channel: str, node: str | None = None) -> RescueCall:
    """The call for the caller in this channel of Asterisk's; asked twice it is one.

    `node`: whose Asterisk that is. Raises Refused("not-found").
    """
    there = of_channel(session, channel)
    if there is not None:
        return there
    if session.get(UrgentMatter, matter_id) is None:
        raise Refused("not-found", f"no urgent matter {matter_id}")
    token = f"{_PREFIX}{uuid.uuid4().hex}"
    call = RescueCall(token=token, channel=channel, matter_id=matter_id, node=node)
    call.asked_at = now(session)
    session.add(call)
    events.urgent_changed(session, "rescue")
    return call


def of_channel(session: Session, channel: str) -> RescueCall | None:
    """The call for this caller."""
    query = select(RescueCall).where(RescueCall.channel == channel)
    return session.scalar(query.execution_options(populate_existing=True))


def came_to_nothing(session: Session, channel: str) -> bool:
    """Whether this caller is not connected any more: it has ended, or no dialer has placed it in time."""
    call = of_channel(session, channel)
    if call is None or call.ended_at:
        return True
    return call.placed_at is None and now(session) - call.asked_at > _STALE


def asked(session: Session, node: str | None = None) -> Sequence[str]:
    """The calls that are to be placed, by this `node` or by any; asked with every look of the dialer."""
    return core(session).execute(_ASKED, {"node": node}).scalars().all()


def take_up(
    session: Session, token: str, settings: Settings
) -> tuple[toll.CallPermit, str] | toll.Cap | None:
    """The call and the caller's channel: from here on it is placed once. None, or the cap: it never will."""
    at = now(session)
    if not _change(session, token, RescueCall.placed_at.is_(None), placed_at=at):
        return None
    call = session.get_one(RescueCall, token, populate_existing=True)
    stale = at - call.asked_at > _STALE
    permit: toll.CallPermit | toll.Cap | None = None
    if settings.urgent_number and not stale:
        caller = session.get_one(UrgentMatter, call.matter_id).number
        permit = toll.take_rescue(session, token, caller, settings)
    if isinstance(permit, toll.CallPermit):
        return permit, call.channel
    call.ended_at = at
    return permit


def connected(session: Session, token: str) -> None:
    """The emergency service has answered, and has the caller."""
    if _change(session, token, RescueCall.connected_at.is_(None), connected_at=now(session)):
        events.urgent_changed(session, "taken")


def alone(session: Session, token: str) -> None:
    """It has answered, and the caller has hung up: somebody still has to see to them."""
    if _change(session, token, RescueCall.connected_at.is_not(None), connected_at=None):
        events.urgent_changed(session, "new")


def ended(session: Session, token: str) -> None:
    """The channel has ended, or never came into being."""
    _change(session, token, ended_at=now(session))


def on_the_phone(session: Session) -> dict[str, datetime]:
    """The tokens of calls that were placed and have not ended, and when each was placed."""
    query = select(RescueCall.token, RescueCall.placed_at).where(RescueCall.ended_at.is_(None))
    return {token: at for token, at in session.execute(query) if at}


def _change(session: Session, token: str, *which: Any, **values: Any) -> bool:
    this = update(RescueCall).where(RescueCall.token == token, RescueCall.ended_at.is_(None), *which)
    changed = this.values(**values).returning(RescueCall.token)
    return session.scalar(changed.execution_options(synchronize_session=False)) is not None
