"""Callbacks: their moves from state to state, by token, and what may be asked of one at each.

Every move is one UPDATE that names the token and the states it may come from (db.states), so that a
late, repeated or forged step changes nothing.
"""

import uuid
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, word
from db.states import (
    ON_THE_PHONE,
    CallbackState,
    sources,
)
from hotline.callbacks import toll
from hotline.errors import Refused
from hotline.line import blocked, engaged
from hotline.nodes import draining, homes
from hotline.rounds import rounds
from settings import Settings

_PREFIX = "callback-"


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be a callback's token, without asking the database."""
    return channel_id.startswith(_PREFIX)


def new_token() -> str:
    """A token that no callback had; it is its channel's id, too."""
    return f"{_PREFIX}{uuid.uuid4().hex}"


def get(session: Session, callback_id: int) -> Callback:
    """The callback. Raises Refused("not-found")."""
    callback = session.get(Callback, callback_id)
    if callback is None:
        raise Refused("not-found", f"no callback {callback_id}")
    return callback


def hold(session: Session, desk: Desk) -> None:
    """Nobody else changes the desk, or gives it anybody, until this transaction ends; reads its row anew."""
    session.refresh(desk, with_for_update={"key_share": True})


OCCUPIES = and_(
    Callback.state != word(CallbackState.CLOSED),
    or_(Callback.state != word(CallbackState.PARTING), Callback.said.is_(None)),
)
"""A callback that keeps its desk from having another one (the index `one_live_callback_per_desk`)."""


def occupies(callback: Callback) -> bool:
    """OCCUPIES, of a row at hand."""
    parted = callback.state is CallbackState.PARTING and callback.said is not None
    return callback.state is not CallbackState.CLOSED and not parted


def live_at_desk(session: Session, desk_id: int) -> Callback | None:
    """The desk's callback of which it owes something: a call, a word, an outcome."""
    return session.scalar(select(Callback).where(Callback.desk_id == desk_id, OCCUPIES))


def screened_at_desk(session: Session, desk_id: int) -> Callback | None:
    """The citizen with whom the desk speaks first, for another desk."""
    return session.scalar(
        select(Callback).where(Callback.screen_desk_id == desk_id, Callback.state == CallbackState.SCREENING)
    )


def by_token(session: Session, token: str) -> Callback | None:
    """The callback whose channel is `token`."""
    return session.scalar(select(Callback).where(Callback.token == token))


def move(
    session: Session, token: str, to: CallbackState, *also: ColumnElement[bool], **values: Any
) -> Callback | None:
    """Move the callback to the state `to`; None, and no change, if it is not in a state before `to`.

    What `also` says must be so at that moment, too.
    """
    callback = move_unheard(session, token, to, *also, **values)
    if callback is not None:
        events.callback_changed(session, callback)
    return callback


def move_unheard(
    session: Session, token: str, to: CallbackState, *also: ColumnElement[bool], **values: Any
) -> Callback | None:
    """`move`, without telling the pages: who has more to write tells them after it."""
    moved = session.scalar(
        update(Callback)
        .where(Callback.token == token, Callback.state.in_(sources(to)), *also)
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
    """How long our side of the conversation is gone, before the log is held."""
    held = callback.state is CallbackState.HELD
    if held and callback.held_at is None:
        callback.held_at = now(session)
        session.flush()
    elif callback.held_at and not held:
        callback.held_s += (now(session) - callback.held_at).total_seconds()
        callback.held_at = None
        session.flush()


def check_phone(desk: Desk | None) -> None:
    """Raises Refused("desk-phone-away" | "desk-hears") where a citizen would find nobody in the room."""
    if desk is None or not desk.phone_connected:
        raise Refused("desk-phone-away", "the desk's phone is not in its room")
    if desk.hears_desk_id is not None:
        raise Refused("desk-hears", f"the desk hears desk {desk.hears_desk_id}")


def check_same_node(session: Session, desk: Desk, round_id: int) -> None:
    """Raises Refused("desk-phone-elsewhere") where a phone is on another node than the round's calls.

    A browser goes there by itself, and nobody is called before (`take_up`).
    """
    if desk.phone != "browser" and homes.is_other(session, round_id, desk):
        raise Refused("desk-phone-elsewhere", "the round's calls are on another node than the desk's phone")


def check_stays(session: Session, round_id: int) -> None:
    """Raises Refused("node-drains") where the round comes to rest, to move to another node."""
    home = homes.of_round(session, round_id)
    if home is not None and draining.drains(session, home):
        raise Refused("node-drains", f"node {home} calls nobody more: the round is about to move")


def check_callable(session: Session, callback: Callback) -> None:
    """That the citizen may be called now. Raises Refused("engaged") and what `check_may_be_called` raises."""
    check_may_be_called(session, callback)
    engaged.check_free(session, callback)


def check_may_be_called(session: Session, callback: Callback) -> None:
    """That nobody forbids it. Raises Blocked and what `rounds.check_goes_on` raises."""
    rounds.check_goes_on(rounds.get(session, callback.round_id), now(session))
    blocked.check(session, callback.registration.number)


def ask_call(session: Session, callback: Callback, settings: Settings) -> Callback:
    """The desk wants the citizen called now, or given to it, who waits on the line.

    Raises Refused("desk-phone-away" | "desk-hears" | "desk-phone-elsewhere" | "node-drains" | "line-down" |
    "calls-capped" | "wrong-state") and what `check_callable` raises.
    """
    desk = session.get(Desk, callback.desk_id)
    check_phone(desk)
    if desk is not None:
        check_same_node(session, desk, callback.round_id)
    check_callable(session, callback)
    if not engaged.waits_on_the_line(session, callback.registration_id):
        check_stays(session, callback.round_id)
        toll.check_room(session, settings)
    moved = move(session, callback.token, CallbackState.DIALING, called_at=now(session))
    if moved is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return moved


def ask_hangup(session: Session, callback: Callback) -> Callback:
    """The desk wants the call ended; the dialer does it. Raises Refused("wrong-state")."""
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


def holds(callback: Callback, desk_id: int | None) -> bool:
    """Whether the desk has this citizen in hand: as its own, or to speak with them first."""
    if desk_id is None or callback.state is CallbackState.CLOSED:
        return False
    screens = callback.state is CallbackState.SCREENING and callback.screen_desk_id == desk_id
    return callback.desk_id == desk_id or screens


def was_at(session: Session, registration_id: int, desk_id: int | None) -> bool:
    """Whether the desk has, or had, this citizen in hand."""
    at_desk = select(Callback.id).where(
        Callback.registration_id == registration_id, Callback.desk_id == desk_id
    )
    return session.scalar(at_desk.limit(1)) is not None


def of_registration(session: Session, registration_id: int) -> Callback | None:
    """The callback that the registration has now."""
    return session.scalar(
        select(Callback).where(
            Callback.registration_id == registration_id, Callback.state != CallbackState.CLOSED
        )
    )
