"""Callbacks: their moves from state to state, by token, and what may be asked of one at each.

Every move is one UPDATE that names the token and the states it may come from (db.states), so that a
late, repeated or forged step changes nothing.
"""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, true, update
from sqlalchemy.orm import Session

from db import events
from db.engine import core, now
from db.models import Callback, Desk, Round, word, words
from db.states import (
    ON_THE_PHONE,
    CallbackState,
    sources,
)
from hotline.callbacks import toll
from hotline.errors import Refused
from hotline.line import blocked, engaged
from hotline.nodes import homes
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

    Raises Refused("desk-phone-away" | "desk-hears" | "desk-phone-elsewhere" | "line-down" | "calls-capped" |
    "wrong-state") and what `check_callable` raises.
    """
    desk = session.get(Desk, callback.desk_id)
    check_phone(desk)
    if desk is not None:
        check_same_node(session, desk, callback.round_id)
    check_callable(session, callback)
    if not engaged.waits_on_the_line(session, callback.registration_id):
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


STALE = timedelta(seconds=30)
"""A call asked for but not placed within this time is given up, not placed late: Asterisk was away, or the
desk's phone has not come to where the call would be."""

_its_phone = and_(Desk.id == Callback.desk_id, Desk.phone_connected)
_nothing_to_wait_for = or_(
    Callback.desk_id.is_(None),
    Callback.hangup_asked_at.is_not(None),
    Round.node.is_(None),  # whose dialer looks first chooses
    exists().where(_its_phone, homes.mine(Desk.node)),
)
_TO_PLACE = (
    select(Callback.token, Callback.called_at, _nothing_to_wait_for.label("ready"))
    .join(Round, Round.id == Callback.round_id)
    .where(
        Callback.state == word(CallbackState.DIALING),
        Callback.placed_at.is_(None),
        homes.mine(Round.node),
    )
    .order_by(Callback.id)
)


def to_place(session: Session, node: str | None = None) -> Sequence[str]:
    """The tokens of callbacks whose call is asked for and not taken up, in the order of their taking.

    Of the rounds of this `node`, or of all. Not whose desk's phone is still to come there.
    """
    asked = core(session).execute(_TO_PLACE, {"node": node}).all()
    if all(ready for _, _, ready in asked):
        return [token for token, _, _ in asked]
    late = now(session) - STALE
    return [token for token, called_at, ready in asked if ready or called_at is None or called_at < late]


def take_up(session: Session, token: str, node: str | None = None) -> Callback | None:
    """Commit that the call is about to be placed: from here on it is never placed a second time.

    `node`: whose Asterisk places it. None, and no change, while the phone of the desk that asked is not
    there: the citizen would find nobody.
    """
    at = now(session)
    there = and_(_its_phone, or_(Desk.node.is_(None), Desk.node == node) if node else true())
    taken = session.scalar(
        update(Callback)
        .where(
            Callback.token == token,
            Callback.state == CallbackState.DIALING,
            Callback.placed_at.is_(None),
            or_(
                Callback.desk_id.is_(None),
                Callback.hangup_asked_at.is_not(None),
                Callback.called_at.is_(None),
                Callback.called_at < at - STALE,
                exists().where(there),
            ),
        )
        .values(placed_at=at, node=node)
        .returning(Callback.id)
        .execution_options(synchronize_session=False)
    )
    return session.get(Callback, taken, populate_existing=True) if taken else None


_hanging_up = and_(Callback.state == word(CallbackState.CLOSED), Callback.hangup_asked_at.is_not(None))
_ON_THE_PHONE = select(Callback).where(
    Callback.ended_at.is_(None),
    or_(Callback.state.in_(words(ON_THE_PHONE)), _hanging_up),
    homes.mine(Callback.node),
)


def on_the_phone(session: Session, node: str | None = None) -> Sequence[Callback]:
    """Callbacks for which Asterisk may have a channel: also those closed by «next», until it has ended.

    The Asterisk of this `node`; of any, if none is named.
    """
    return session.scalars(_ON_THE_PHONE, {"node": node}).all()


def channel_gone(session: Session, callback: Callback) -> None:
    """Its channel has ended, for a callback that was closed before."""
    if callback.state is CallbackState.CLOSED and callback.ended_at is None:
        callback.ended_at = now(session)
