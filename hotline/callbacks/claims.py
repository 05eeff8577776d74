"""Claims of citizens: the next for one desk, the next for any desk, or a given citizen before others."""

from typing import Any

from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, Registration, Round, User
from db.states import CallbackState
from hotline.callbacks import breaks, take_next, transitions
from hotline.errors import Refused
from hotline.rounds import phases, round_permissions


def claim(session: Session, *, round_id: int, desk_id: int, user_id: int) -> Callback | None:
    """Claim the next citizen of the round for this desk; None if nobody is due.

    The first claim of a round that has begun opens it. Raises Refused("not-found" | "not-your-round" |
    "desk-busy" | "round-over" | "round-not-started" | "round-paused").
    """
    round_ = phases.get(session, round_id)
    round_permissions.check_serves(session, session.get_one(User, user_id), round_)
    phases.check_goes_on(round_, now(session))
    desk = session.get_one(Desk, desk_id)
    transitions.hold(session, desk)
    if transitions.find_live_at_desk(session, desk_id):
        raise Refused("desk-busy", "the desk has a callback without an outcome")
    if transitions.find_screened_at_desk(session, desk_id):
        raise Refused("desk-busy", "the desk speaks with a citizen first")
    breaks.end(session, desk)
    values = {"token": transitions.make_token(), "desk_id": desk_id, "user_id": user_id}
    taken = take_next.take_in_order(session, round_, **values)
    if taken is None:
        events.append_desk(session, desk_id, "nobody-due")
    return taken


def call_ahead(session: Session, round_: Round) -> Callback | None:
    """Claim the next citizen for whichever desk is free first, with a call; None if nobody is due.

    The first claim of a round that has begun opens it. Raises Refused("round-over" | "round-not-started" |
    "round-paused").
    """
    at = now(session)
    phases.check_goes_on(round_, at)
    return take_next.take_in_order(
        session, round_, token=transitions.make_token(), state=CallbackState.DIALING, called_at=at
    )


def call_for(session: Session, round_: Round, desk_id: int, user_id: int | None) -> Callback | None:
    """Claim the next citizen for this desk, which is locked, with a call; None if nobody is due.

    Raises Refused("desk-busy").
    """
    at = now(session)
    values = {"state": CallbackState.DIALING, "called_at": at, "desk_id": desk_id, "user_id": user_id}
    return take_next.take_in_order(session, round_, token=transitions.make_token(), **values)


def call_this(session: Session, registration: Registration, **values: Any) -> Callback | None:
    """Call the citizen of this registration before others; None if they do not wait in the line."""
    return take_next.take_this(
        session,
        registration,
        token=transitions.make_token(),
        state=CallbackState.DIALING,
        called_at=now(session),
        **values,
    )
