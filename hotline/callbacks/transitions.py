"""Callbacks: their transitions from state to state, by token, and the checks before a call.

Each transition is one UPDATE that names the token and the allowed source states (db.states). A late, repeated
or forged step therefore changes nothing.
"""

import uuid
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, make_literal
from db.states import (
    ON_THE_PHONE,
    CallbackState,
    list_callback_sources,
)
from hotline.errors import Refused
from hotline.line import blocked, busy_numbers
from hotline.nodes import draining, round_affinity
from hotline.rounds import phases
from hotline.trunk import call_caps
from settings import Settings

_PREFIX = "callback-"


def is_token(channel_id: str) -> bool:
    """Return whether a channel's id has the form of a callback's token, without a query."""
    return channel_id.startswith(_PREFIX)


def make_token() -> str:
    """Return an unused token; it becomes the id of the channel, too."""
    return f"{_PREFIX}{uuid.uuid4().hex}"


def get(session: Session, callback_id: int) -> Callback:
    """Return the callback. Raises Refused("not-found")."""
    callback = session.get(Callback, callback_id)
    if callback is None:
        raise Refused("not-found", f"no callback {callback_id}")
    return callback


def hold(session: Session, desk: Desk) -> None:
    """Lock the desk's row and read it anew.

    Until the transaction ends nobody else gives the desk a citizen.
    """
    session.refresh(desk, with_for_update={"key_share": True})


OCCUPIES = and_(
    Callback.state != make_literal(CallbackState.CLOSED),
    or_(Callback.state != make_literal(CallbackState.PARTING), Callback.said.is_(None)),
)
"""Condition that the callback keeps its desk from having another one (index `one_live_callback_per_desk`)."""


def is_occupying(callback: Callback) -> bool:
    """Return whether a loaded callback meets OCCUPIES."""
    parted = callback.state is CallbackState.PARTING and callback.said is not None
    return callback.state is not CallbackState.CLOSED and not parted


def find_live_at_desk(session: Session, desk_id: int) -> Callback | None:
    """Return the callback for which the desk still owes a call or an outcome."""
    return session.scalar(select(Callback).where(Callback.desk_id == desk_id, OCCUPIES))


def find_screened_at_desk(session: Session, desk_id: int) -> Callback | None:
    """Return the citizen whom the desk screens for another desk."""
    return session.scalar(
        select(Callback).where(Callback.screen_desk_id == desk_id, Callback.state == CallbackState.SCREENING)
    )


def find_by_token(session: Session, token: str) -> Callback | None:
    """Return the callback whose channel is `token`."""
    return session.scalar(select(Callback).where(Callback.token == token))


def move(
    session: Session, token: str, to: CallbackState, *also: ColumnElement[bool], **values: Any
) -> Callback | None:
    """Move the callback to the state `to`.

    Return None, without a change, from a state that does not allow it. The conditions in `also` must hold,
    too.
    """
    callback = move_unheard(session, token, to, *also, **values)
    if callback is not None:
        events.append_callback(session, callback)
    return callback


def move_unheard(
    session: Session, token: str, to: CallbackState, *also: ColumnElement[bool], **values: Any
) -> Callback | None:
    """Move the callback as `move` does, but write no event: the caller writes it after further changes."""
    moved = session.scalar(
        update(Callback)
        .where(Callback.token == token, Callback.state.in_(list_callback_sources(to)), *also)
        .values(state=to, **values)
        .returning(Callback.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        return None
    callback = session.get_one(Callback, moved, populate_existing=True)
    _count_held(session, callback)
    return callback


def _count_held(session: Session, callback: Callback) -> None:
    """Measure how long our side of the conversation is gone. Call it before the event log is locked."""
    held = callback.state is CallbackState.HELD
    if held and callback.held_at is None:
        callback.held_at = now(session)
        session.flush()
    elif callback.held_at and not held:
        # negative if the clock was set back meanwhile
        callback.held_s += max(0.0, (now(session) - callback.held_at).total_seconds())
        callback.held_at = None
        session.flush()


def check_phone(desk: Desk | None) -> None:
    """Raise Refused("desk-phone-away" | "desk-hears") if a citizen would find nobody in the desk's room."""
    if desk is None or not desk.phone_connected:
        raise Refused("desk-phone-away", "the desk's phone is not in its room")
    if desk.hears_desk_id is not None:
        raise Refused("desk-hears", f"the desk hears desk {desk.hears_desk_id}")


def check_same_node(session: Session, desk: Desk, round_id: int) -> None:
    """Raise Refused("desk-phone-elsewhere") if the desk's phone is on another node than the round's calls.

    A browser's phone moves there by itself, and the dialer places no call before (`placing.take_up`).
    """
    if desk.phone != "browser" and round_affinity.is_other(session, round_id, desk):
        raise Refused("desk-phone-elsewhere", "the round's calls are on another node than the desk's phone")


def check_stays(session: Session, round_id: int) -> None:
    """Raise Refused("node-drains") if the round's node drains, so that the round can move to another node."""
    home = round_affinity.find_node_of_round(session, round_id)
    if home is not None and draining.is_drained(session, home):
        raise Refused("node-drains", f"node {home} calls nobody more: the round is about to move")


def check_callable(session: Session, callback: Callback) -> None:
    """Check that the citizen may be called now.

    Raises Refused("engaged") and the errors of `check_may_be_called`.
    """
    check_may_be_called(session, callback)
    busy_numbers.check_free(session, callback)


def check_may_be_called(session: Session, callback: Callback) -> None:
    """Raise Blocked if the office has blocked the number.

    Also raises the errors of `phases.check_goes_on`.
    """
    phases.check_goes_on(phases.get(session, callback.round_id), now(session))
    blocked.check(session, callback.registration.number)


def ask_call(session: Session, callback: Callback, settings: Settings) -> Callback:
    """Request the call to the desk's citizen, or the connection with a citizen who waits on the line.

    Raises Refused("desk-phone-away" | "desk-hears" | "desk-phone-elsewhere" | "node-drains" | "line-down" |
    "calls-capped" | "wrong-state") and the errors of `check_callable`.
    """
    desk = session.get(Desk, callback.desk_id)
    check_phone(desk)
    if desk is not None:
        check_same_node(session, desk, callback.round_id)
    check_callable(session, callback)
    if not busy_numbers.is_caller_waiting(session, callback.registration_id):
        check_stays(session, callback.round_id)
        call_caps.check_capacity(session, settings)
    moved = move(session, callback.token, CallbackState.DIALING, called_at=now(session))
    if moved is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return moved


def ask_hangup(session: Session, callback: Callback) -> Callback:
    """Request the end of the call; the dialer hangs up. Raises Refused("wrong-state")."""
    asked = session.scalar(
        update(Callback)
        .where(
            Callback.id == callback.id,
            Callback.state.in_(ON_THE_PHONE),
            Callback.desk_id.is_not_distinct_from(callback.desk_id),
        )
        .values(hangup_asked_at=now(session))
        .returning(Callback.id)
        .execution_options(synchronize_session=False)
    )
    if asked is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return session.get_one(Callback, asked, populate_existing=True)


def has_in_hand(callback: Callback, desk_id: int | None) -> bool:
    """Return whether the desk has this citizen in hand, as its own or to screen."""
    if desk_id is None or callback.state is CallbackState.CLOSED:
        return False
    screens = callback.state is CallbackState.SCREENING and callback.screen_desk_id == desk_id
    return callback.desk_id == desk_id or screens


def has_been_at_desk(session: Session, registration_id: int, desk_id: int | None) -> bool:
    """Return whether the desk has or had this citizen in hand."""
    at_desk = select(Callback.id).where(
        Callback.registration_id == registration_id, Callback.desk_id == desk_id
    )
    return session.scalar(at_desk.limit(1)) is not None


def find_by_registration(session: Session, registration_id: int) -> Callback | None:
    """Return the registration's callback that is not closed."""
    return session.scalar(
        select(Callback).where(
            Callback.registration_id == registration_id, Callback.state != CallbackState.CLOSED
        )
    )
