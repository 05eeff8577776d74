"""Callbacks: claimed by a desk, placed by the dialer, followed by token to their one outcome.

Every move is one UPDATE that names the token and the states it may come from (db.states), so that a
late, repeated or forged step changes nothing.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, Registration, Round
from db.states import (
    ON_THE_PHONE,
    RETRIED,
    CallbackState,
    Fact,
    Outcome,
    RegistrationState,
    sources,
)
from hotline import ledger, line, retries, rounds, toll
from hotline.errors import Refused
from settings import Settings

_PREFIX = "callback-"

_TRIES = 20
"""So often a claim is taken back because somebody stands before; then the ledger names who is passed."""


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be a callback's token, without asking the database."""
    return channel_id.startswith(_PREFIX)


def claim(session: Session, *, round_id: int, desk_id: int, user_id: int) -> Callback | None:
    """The next citizen of the round for this desk; None when nobody is due.

    The first claim of a round that has begun opens it. Raises Refused("not-found" | "desk-busy" |
    "round-over" | "round-not-started").
    """
    round_ = rounds.get(session, round_id)
    rounds.check_begun(round_, now(session))
    if live_at_desk(session, desk_id):
        raise Refused("desk-busy", "the desk has a callback without an outcome")
    if screened_at_desk(session, desk_id):
        raise Refused("desk-busy", "the desk speaks with a citizen first")
    return _take_in_order(session, round_, desk_id=desk_id, user_id=user_id)


def call_ahead(session: Session, round_: Round) -> Callback | None:
    """The next citizen of the round, to be called for whichever of its desks is free first; None: nobody due.

    The first one of a round that has begun opens it. Raises Refused("round-over" | "round-not-started").
    """
    rounds.check_begun(round_, now(session))
    return _take_in_order(session, round_, state=CallbackState.DIALING, called_at=now(session))


def _take_in_order(session: Session, round_: Round, **values: Any) -> Callback | None:
    taken = _take_first(session, round_, values)
    if taken is None:
        return None
    callback, passed = taken
    if not round_.opened_at:
        rounds.open_round(session, round_)
    ledger.record(session, Fact.CALLED, callback.registration, passed=passed)
    events.callback_changed(session, callback)
    return callback


def _take_first(session: Session, round_: Round, values: dict[str, Any]) -> tuple[Callback, list[int]] | None:
    """A callback for the next citizen, and whom that passes: nobody, but for a row that stays locked,
    and whoever is asked at this moment whether they can be reached.
    """
    events.hold_line(session, round_.id)
    for tries_left in reversed(range(_TRIES)):
        with session.begin_nested() as step:
            callback = _take(session, round_, values)
            if callback is None:
                return None
            events.hold_order(session)  # from here on this is the newest fact there is
            passed = line.passed(session, callback.registration, now(session))
            if not tries_left or not set(passed) - line.near_called(session, passed):
                return callback, passed
            step.rollback()  # they joined the line, or were being changed, in this very moment
    return None


def _take(session: Session, round_: Round, values: dict[str, Any]) -> Callback | None:
    at = now(session)
    registration_id = line.take_next(session, round_.id, at)
    if registration_id is None:
        return None
    callback = Callback(
        registration=session.get_one(Registration, registration_id, populate_existing=True),
        round_id=round_.id,
        token=f"{_PREFIX}{uuid.uuid4().hex}",
        claimed_at=at,
        **values,
    )
    session.add(callback)
    try:
        session.flush()
    except IntegrityError:  # the same desk in another tab was a moment earlier
        raise Refused("desk-busy", "the desk has a callback without an outcome") from None
    return callback


def get(session: Session, callback_id: int) -> Callback:
    """The callback. Raises Refused("not-found")."""
    callback = session.get(Callback, callback_id)
    if callback is None:
        raise Refused("not-found", f"no callback {callback_id}")
    return callback


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


def move(session: Session, token: str, to: CallbackState, **values: Any) -> Callback | None:
    """Move the callback to the state `to`; None, and no change, if it is not in a state before `to`."""
    callback = _move(session, token, to, **values)
    if callback is not None:
        events.callback_changed(session, callback)
    return callback


def _move(session: Session, token: str, to: CallbackState, **values: Any) -> Callback | None:
    moved = session.scalar(
        update(Callback)
        .where(Callback.token == token, Callback.state.in_(sources(to)))
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


def record_outcome(
    session: Session, callback: Callback, outcome: Outcome, note: str, settings: Settings
) -> Callback:
    """The desk says what became of the callback. Saying the same again changes only the note.

    Raises Refused("wrong-state") while the call goes on, or if another outcome stands already.
    """
    state = callback.state
    if state is CallbackState.CLOSED and callback.outcome is outcome:
        callback.note = note
        return callback
    without_call = outcome is Outcome.RETURNED
    if state is not (CallbackState.CLAIMED if without_call else CallbackState.ENDED):
        raise Refused("wrong-state", f"the callback is {state}, outcome {callback.outcome}")
    closed = close(session, callback.token, outcome, settings, note=note)
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
    **values: Any,
) -> Callback | None:
    """Record the outcome and put the registration where it belongs; None if it was closed before.

    `until`: a retry is not due before this, whatever the outcome says.
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
