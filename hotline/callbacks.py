"""Callbacks: claimed by a desk, placed by the dialer, followed by token to their one outcome.

Every move is one UPDATE that names the token and the states it may come from (db.states), so that a
late, repeated or forged step changes nothing.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, Registration, Round, User
from db.states import (
    ON_THE_PHONE,
    RETRIED,
    CallbackState,
    Fact,
    Outcome,
    RegistrationState,
    sources,
)
from hotline import duties, ledger, retries, rounds, taking, toll
from hotline.errors import Refused
from settings import Settings

_PREFIX = "callback-"


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be a callback's token, without asking the database."""
    return channel_id.startswith(_PREFIX)


def claim(session: Session, *, round_id: int, desk_id: int, user_id: int) -> Callback | None:
    """The next citizen of the round for this desk; None when nobody is due.

    The first claim of a round that has begun opens it. Raises Refused("not-found" | "not-your-round" |
    "desk-busy" | "round-over" | "round-not-started").
    """
    round_ = rounds.get(session, round_id)
    duties.check_serves(session, session.get_one(User, user_id), round_)
    rounds.check_begun(round_, now(session))
    hold(session, session.get_one(Desk, desk_id))
    if live_at_desk(session, desk_id):
        raise Refused("desk-busy", "the desk has a callback without an outcome")
    if screened_at_desk(session, desk_id):
        raise Refused("desk-busy", "the desk speaks with a citizen first")
    return taking.take_in_order(session, round_, token=_new_token(), desk_id=desk_id, user_id=user_id)


def call_ahead(session: Session, round_: Round) -> Callback | None:
    """The next citizen of the round, to be called for whichever of its desks is free first; None: nobody due.

    The first one of a round that has begun opens it. Raises Refused("round-over" | "round-not-started").
    """
    rounds.check_begun(round_, now(session))
    return taking.take_in_order(
        session, round_, token=_new_token(), state=CallbackState.DIALING, called_at=now(session)
    )


def _new_token() -> str:
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


def live_at_desk(session: Session, desk_id: int) -> Callback | None:
    """The desk's callback that has no outcome yet."""
    return session.scalar(
        select(Callback).where(Callback.desk_id == desk_id, Callback.state != CallbackState.CLOSED)
    )


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
    callback = _move(session, token, to, *also, **values)
    if callback is not None:
        events.callback_changed(session, callback)
    return callback


def _move(
    session: Session, token: str, to: CallbackState, *also: ColumnElement[bool], **values: Any
) -> Callback | None:
    moved = session.scalar(
        update(Callback)
        .where(Callback.token == token, Callback.state.in_(sources(to)), *also)
        .values(state=to, **values)
        .returning(Callback.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        return None
    return session.get_one(Callback, moved, populate_existing=True)


def check_phone(desk: Desk | None) -> None:
    """Raises Refused("desk-phone-away" | "desk-hears") where a citizen would find nobody in the room."""
    if desk is None or not desk.phone_connected:
        raise Refused("desk-phone-away", "the desk's phone is not in its room")
    if desk.hears_desk_id is not None:
        raise Refused("desk-hears", f"the desk hears desk {desk.hears_desk_id}")


def ask_call(session: Session, callback: Callback, settings: Settings) -> Callback:
    """The desk wants the citizen called now.

    Raises Refused("desk-phone-away" | "desk-hears" | "calls-capped" | "wrong-state").
    """
    check_phone(session.get(Desk, callback.desk_id))
    calls, cap = toll.room(session, settings)
    if calls <= 0:
        raise Refused("calls-capped", f"no more calls may be placed now: the cap {cap} is reached")
    moved = move(session, callback.token, CallbackState.DIALING, called_at=now(session))
    if moved is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return moved


def ask_hangup(session: Session, callback: Callback) -> Callback:
    """The desk wants the call ended; the dialer does it. Raises Refused("wrong-state")."""
    asked = session.scalar(
        update(Callback)
        .where(Callback.id == callback.id, Callback.state.in_(ON_THE_PHONE))
        .values(hangup_asked_at=now(session))
        .returning(Callback.id)
        .execution_options(synchronize_session=False)
    )
    if asked is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return session.get_one(Callback, asked, populate_existing=True)


def hang_up_and_end(session: Session, callback: Callback) -> None:
    """The desk has done with a conversation whose channel still lives. Its outcome must follow at once."""
    _move(session, callback.token, CallbackState.ENDED, hangup_asked_at=now(session))


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


def record_outcome(
    session: Session,
    callback: Callback,
    outcome: Outcome,
    note: str,
    settings: Settings,
    *,
    again_at: datetime | None = None,
) -> Callback:
    """The desk says what became of the callback. Saying the same again changes only the note.

    `again_at`: when the citizen, who is to be called again, asked to be (`retries.wished`). Raises
    Refused("wrong-state") while the call goes on, or if another outcome stands already, and
    Refused("too-far-ahead").
    """
    session.refresh(callback, ["state", "outcome"], with_for_update={"key_share": True})
    state = callback.state  # which another tab does not change meanwhile
    if state is CallbackState.CLOSED and callback.outcome is outcome:
        callback.note = note
        return callback
    without_call = outcome is Outcome.RETURNED
    if state is not (CallbackState.CLAIMED if without_call else CallbackState.ENDED):
        raise Refused("wrong-state", f"the callback is {state}, outcome {callback.outcome}")
    closed = close(session, callback.token, outcome, settings, again_at=again_at, note=note)
    if closed is None:
        raise Refused("wrong-state", "the callback has just moved on")
    return closed


def close(
    session: Session,
    token: str,
    outcome: Outcome,
    settings: Settings,
    *,
    until: datetime | None = None,
    again_at: datetime | None = None,
    **values: Any,
) -> Callback | None:
    """Record the outcome and put the registration where it belongs; None if it was closed before.

    `until`: a retry is not due before this, whatever the outcome says. `again_at`: the citizen's own wish,
    which goes before both. Raises Refused("too-far-ahead").
    """
    at = now(session)
    callback = by_token(session, token)
    if callback is None:
        return None
    values.setdefault("ended_at", callback.ended_at or at)
    closed = _move(session, token, CallbackState.CLOSED, outcome=outcome, **values)
    if closed is None:
        return None
    registration = session.get_one(Registration, closed.registration_id, populate_existing=True)
    registration.last_outcome = outcome
    registration.attempts += outcome not in retries.FREE_OF_CHARGE
    registration.state = _after(outcome, registration.attempts, settings)
    if again_at and outcome is Outcome.CALL_AGAIN:
        round_ = rounds.get(session, closed.round_id)
        registration.not_before = retries.wished(again_at, at, round_, settings)
    else:
        registration.not_before = retries.not_before(outcome, registration.attempts, at, settings, until)
    session.flush()  # every row first, then the log: who holds its lock waits for nobody
    ledger.record(session, Fact.OUTCOME, registration, outcome=outcome)
    events.callback_changed(session, closed)
    events.registration_changed(session, registration)
    return closed


def _after(outcome: Outcome, attempts: int, settings: Settings) -> RegistrationState:
    if outcome is Outcome.REACHED:
        return RegistrationState.REACHED
    if outcome not in RETRIED:
        return RegistrationState.CLOSED
    used_up = outcome not in retries.FREE_OF_CHARGE and attempts >= settings.max_attempts
    return RegistrationState.UNREACHED if used_up else RegistrationState.WAITING


def to_place(session: Session) -> Sequence[Callback]:
    """Callbacks whose call is asked for and nobody has taken up, in the order of their taking."""
    return session.scalars(
        select(Callback)
        .where(Callback.state == CallbackState.DIALING, Callback.placed_at.is_(None))
        .order_by(Callback.id)
    ).all()


def take_up(session: Session, token: str) -> Callback | None:
    """Commit that the call is about to be placed: from here on it is never placed a second time."""
    taken = session.scalar(
        update(Callback)
        .where(
            Callback.token == token,
            Callback.state == CallbackState.DIALING,
            Callback.placed_at.is_(None),
        )
        .values(placed_at=now(session))
        .returning(Callback.id)
        .execution_options(synchronize_session=False)
    )
    return session.get(Callback, taken, populate_existing=True) if taken else None


def on_the_phone(session: Session) -> Sequence[Callback]:
    """Callbacks for which Asterisk may have a channel: also those closed by «next», until it has ended."""
    hanging_up = and_(
        Callback.state == CallbackState.CLOSED,
        Callback.hangup_asked_at.is_not(None),
        Callback.ended_at.is_(None),
    )
    return session.scalars(select(Callback).where(or_(Callback.state.in_(ON_THE_PHONE), hanging_up))).all()


def channel_gone(session: Session, callback: Callback) -> None:
    """Its channel has ended, for a callback that was closed before."""
    if callback.state is CallbackState.CLOSED and callback.ended_at is None:
        callback.ended_at = now(session)
