"""Desk phones that are ordinary telephones: the dialer calls one on request, and a PIN admits it.

A telephone that leaves a conversation is called again once. `Desk.call_token` is committed before the call is
placed. The token is the channel's id, and stays until the channel has ended, so the telephone never rings
twice.
"""

import re
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, User
from db.states import CallbackState
from hotline import audit
from hotline.callbacks import transitions
from hotline.errors import Refused
from hotline.nodes import phones
from hotline.trunk import call_caps
from settings import Settings

_TOKEN = re.compile(r"desk-(\d+)-[0-9a-f]{32}")
_STALE = timedelta(seconds=30)
"""How long a requested call may stay unplaced before it is given up."""


def find_desk(channel_id: str) -> int | None:
    """Return the desk whose telephone was called with this id; None if the id has another form."""
    match = _TOKEN.fullmatch(channel_id)
    return int(match[1]) if match else None


def choose(session: Session, desk: Desk, use: str, number: str | None, *, who: str) -> None:
    """Set the desk's phone to `use`: browser, sip, or number with this E.164 `number`.

    Raises Refused("desk-busy" | "no-desk-number").
    """
    if (use == "number") != (number is not None):
        raise Refused("no-desk-number", "a number is needed for a telephone, and only for one")
    transitions.hold(session, desk)
    if transitions.find_live_at_desk(session, desk.id) or transitions.find_screened_at_desk(session, desk.id):
        raise Refused("desk-busy", "the desk has a citizen in hand")
    desk.phone, desk.number = "browser" if use == "browser" else "sip", number
    desk.call_asked_at = None
    session.flush()
    audit.record(
        session, who, "desk-phone-chosen", f"desk {desk.id}", f"telephone {number}" if number else use
    )
    events.append_desk(session, desk.id, "phone-chosen")


def ask_call(session: Session, desk: Desk, user: User, settings: Settings) -> None:
    """Request the call to the desk's telephone. A repeated request is one call.

    Raises Refused("no-desk-number" | "no-pin" | "desk-phone-here" | "desk-phone-called") and the errors of
    `call_caps.check_capacity`.
    """
    if desk.number is None:
        raise Refused("no-desk-number", "this desk has no telephone number")
    if user.pin_hash is None:
        raise Refused("no-pin", "this person has no PIN for the telephone")
    if desk.phone_connected:
        raise Refused("desk-phone-here", "the desk's phone is in its room already")
    if desk.call_token is not None:
        raise Refused("desk-phone-called", "the desk's telephone is being called")
    call_caps.check_capacity(session, settings)
    desk.call_asked_at = desk.call_asked_at or now(session)


def ask_again(session: Session, token: str) -> None:
    """Request one more call to the desk's telephone, which has left this callback's citizen.

    No call is requested if no PIN could admit it. Call it before the callback is held.
    """
    has_pin = exists().where(User.desk_id == Desk.id, User.pin_hash.is_not(None))
    talks = exists().where(
        Callback.token == token, Callback.state == CallbackState.TALKING, Callback.desk_id == Desk.id
    )
    session.execute(
        update(Desk)
        .where(Desk.number.is_not(None), talks, has_pin)
        .values(call_asked_at=now(session))
        .execution_options(synchronize_session=False)
    )


_ASKED = select(Desk.id).where(Desk.call_asked_at.is_not(None))


def list_requested(session: Session, node: str | None = None) -> Sequence[int]:
    """Return the desks whose telephone must be called now, by this `node` or by any."""
    desks = session.scalars(_ASKED).all()
    return [desk for desk in desks if node is None or _belongs_to(session, desk, node)]


def _belongs_to(session: Session, desk_id: int, node: str) -> bool:
    home = phones.find_node(session, session.get_one(Desk, desk_id))
    return home is None or home.name == node


def take_up(
    session: Session, desk_id: int, settings: Settings
) -> call_caps.CallPermit | call_caps.Cap | None:
    """Commit that the call is about to be placed, so that it is placed once.

    Return None for no call, or a cap that delays it.
    """
    at = now(session)
    desk = session.get_one(Desk, desk_id, with_for_update=True, populate_existing=True)
    asked_at, desk.call_asked_at = desk.call_asked_at, None
    if asked_at is None or at - asked_at > _STALE:
        return None
    if desk.call_token or desk.phone_connected:
        if _is_away(session, desk_id):  # the event of the old call's end is still to come
            desk.call_asked_at = asked_at
        return None
    if desk.number is None:
        return None
    call = call_caps.claim_call(session, f"desk-{desk_id}-{uuid.uuid4().hex}", desk.number, settings)
    if call is call_caps.Cap.NOT_ALLOWED:
        return None
    if isinstance(call, call_caps.Cap):
        desk.call_asked_at = asked_at  # retried until the request is stale
        return call
    desk.call_token, desk.call_placed_at = call.token, at
    return call


def _is_away(session: Session, desk_id: int) -> bool:
    """Return whether a citizen is held for this desk."""
    held = exists().where(Callback.desk_id == desk_id, Callback.state == CallbackState.HELD)
    return bool(session.scalar(select(held)))


def record_end(session: Session, token: str) -> None:
    """Record that the call of `token` is over; the telephone may be called again."""
    session.execute(update(Desk).where(Desk.call_token == token).values(call_token=None, call_placed_at=None))


def list_in_progress(session: Session) -> dict[str, datetime]:
    """Return the tokens of the calls that have not ended, and when each was placed."""
    query = select(Desk.call_token, Desk.call_placed_at).where(Desk.call_token.is_not(None))
    return {token: at for token, at in session.execute(query) if token and at}


def find_person(session: Session, token: str) -> User | None:
    """Return the person whose PIN admits the call of `token`: the one at the desk that requested it."""
    return session.scalar(select(User).join(Desk, Desk.id == User.desk_id).where(Desk.call_token == token))
