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
from db.models import Callback, Desk, MessageKind, Registration, Round, User
from db.states import (
    ON_THE_PHONE,
    RETRIED,
    CallbackState,
    Fact,
    Outcome,
    RegistrationState,
    sources,
)
from hotline import audit, outbox
from hotline.callbacks import own_faults, retries, take_next, toll
from hotline.clock import CITY
from hotline.errors import Refused
from hotline.ledger import ledger
from hotline.line import blocked, engaged
from hotline.rounds import round_permissions, rounds
from settings import Settings

_PREFIX = "callback-"


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be a callback's token, without asking the database."""
    return channel_id.startswith(_PREFIX)


def claim(session: Session, *, round_id: int, desk_id: int, user_id: int) -> Callback | None:
    """The next citizen of the round for this desk; None when nobody is due.

    The first claim of a round that has begun opens it. Raises Refused("not-found" | "not-your-round" |
    "desk-busy" | "round-over" | "round-not-started" | "round-paused").
    """
    round_ = rounds.get(session, round_id)
    round_permissions.check_serves(session, session.get_one(User, user_id), round_)
    rounds.check_goes_on(round_, now(session))
    hold(session, session.get_one(Desk, desk_id))
    if live_at_desk(session, desk_id):
        raise Refused("desk-busy", "the desk has a callback without an outcome")
    if screened_at_desk(session, desk_id):
        raise Refused("desk-busy", "the desk speaks with a citizen first")
    return take_next.take_in_order(session, round_, token=_new_token(), desk_id=desk_id, user_id=user_id)


def call_ahead(session: Session, round_: Round) -> Callback | None:
    """The next citizen of the round, to be called for whichever of its desks is free first; None: nobody due.

    The first one of a round that has begun opens it. Raises Refused("round-over" | "round-not-started" |
    "round-paused").
    """
    rounds.check_goes_on(round_, now(session))
    return take_next.take_in_order(
        session, round_, token=_new_token(), state=CallbackState.DIALING, called_at=now(session)
    )


def call_for(session: Session, round_: Round, desk_id: int, user_id: int | None) -> Callback | None:
    """The next citizen of the round, to be connected with this desk, which is held; None: nobody due.

    Raises Refused("desk-busy").
    """
    at = now(session)
    values = {"state": CallbackState.DIALING, "called_at": at, "desk_id": desk_id, "user_id": user_id}
    return take_next.take_in_order(session, round_, token=_new_token(), **values)


def call_this(session: Session, registration: Registration, **values: Any) -> Callback | None:
    """The citizen of this registration is called now, before others; None if they do not wait in the line."""
    return take_next.take_this(
        session,
        registration,
        token=_new_token(),
        state=CallbackState.DIALING,
        called_at=now(session),
        **values,
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


OCCUPIES = and_(
    Callback.state != CallbackState.CLOSED,
    or_(Callback.state != CallbackState.PARTING, Callback.said.is_(None)),
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

    Raises Refused("desk-phone-away" | "desk-hears" | "line-down" | "calls-capped" | "wrong-state") and what
    `check_callable` raises.
    """
    check_phone(session.get(Desk, callback.desk_id))
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
        .where(Callback.id == callback.id, Callback.state.in_(ON_THE_PHONE))
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


def record_outcome(
    session: Session,
    callback: Callback,
    outcome: Outcome,
    note: str,
    settings: Settings,
    *,
    again_at: datetime | None = None,
    agreed_by: str | None = None,
) -> Callback:
    """The desk says what became of the callback. Saying the same again changes only the note.

    `again_at`: when the citizen, who is to be called again, asked to be (`retries.promised`); `agreed_by`:
    the user who agreed it with them: it holds in quiet hours, too. Raises Refused("wrong-state") while the
    call goes on, or if another outcome stands already, Refused("never-met") if the two were never in the
    room together, and Refused("too-far-ahead" | "agreed-without-time").
    """
    session.refresh(callback, ["state", "outcome"], with_for_update={"key_share": True})
    state = callback.state  # which another tab does not change meanwhile
    if state is CallbackState.CLOSED and callback.outcome is outcome:
        callback.note = note
        return callback
    without_call = outcome is Outcome.RETURNED
    if state not in ((CallbackState.CLAIMED,) if without_call else _OWES_OUTCOME) or callback.said:
        raise Refused("wrong-state", f"the callback is {state}, outcome {callback.outcome}")
    if outcome is Outcome.REACHED and callback.talking_at is None:
        raise Refused("never-met", "the desk and the citizen were never in the room together")
    values: dict[str, Any] = {"note": note}
    if (
        state is CallbackState.PARTING
    ):  # its end cannot be undone any more; the dialer hangs up, and says when
        values |= {"hangup_asked_at": now(session), "ended_at": None}
    if agreed_by:
        note_agreed(session, callback, outcome, again_at, who=agreed_by)
    agreed = agreed_by is not None
    closed = close(session, callback.token, outcome, settings, again_at=again_at, agreed=agreed, **values)
    if closed is None:
        raise Refused("wrong-state", "the callback has just moved on")
    return closed


def note_agreed(
    session: Session, callback: Callback, outcome: Outcome, again_at: datetime | None, *, who: str
) -> None:
    """The audit log shows who agreed the time of a call with the citizen.

    Raises Refused("agreed-without-time").
    """
    at = retries.check_agreed(outcome, again_at).astimezone(CITY)
    audit.record(session, who, "call-agreed", f"callback {callback.id}", f"{at:%Y-%m-%d %H:%M}")


_OWES_OUTCOME = (CallbackState.PARTING, CallbackState.ENDED)


def close(
    session: Session,
    token: str,
    outcome: Outcome,
    settings: Settings,
    *,
    until: datetime | None = None,
    again_at: datetime | None = None,
    agreed: bool = False,
    **values: Any,
) -> Callback | None:
    """Record the outcome and put the registration where it belongs; None if it was closed before.

    FAILED becomes UNREACHABLE where it is the citizen's own phone that cannot be called (own_faults).
    `until`: a retry is not due before this, whatever the outcome says. `again_at`: the citizen's own wish,
    which goes before both, and, if it is `agreed`, before the quiet hours. Raises Refused("too-far-ahead").
    """
    at = now(session)
    callback = by_token(session, token)
    if callback is None:
        return None
    values.setdefault("ended_at", callback.ended_at or at)
    if outcome is Outcome.FAILED and own_faults.is_theirs(session, callback):
        outcome = Outcome.UNREACHABLE
    closed = _move(session, token, CallbackState.CLOSED, outcome=outcome, **values)
    if closed is None:
        return None
    registration = session.get_one(Registration, closed.registration_id, populate_existing=True)
    registration.last_outcome = outcome
    registration.attempts += outcome not in retries.FREE_OF_CHARGE
    round_ = rounds.get(session, closed.round_id)
    registration.state = _after(outcome, registration.attempts, round_, settings)
    if outcome in RETRIED and registration.state is RegistrationState.CLOSED:
        outbox.tell(session, MessageKind.CLOSED, registration, about_round=round_.id)
    if outcome is Outcome.FAILED:
        until = max(until or at, at + own_faults.passed_over(session, closed, settings))
    if again_at and outcome is Outcome.CALL_AGAIN:
        closed.again_at, closed.agreed = again_at, agreed
        registration.not_before = retries.promised(again_at, at, round_, settings, agreed=agreed).due
    else:
        registration.not_before = retries.not_before(outcome, registration.attempts, at, settings, until)
    session.flush()  # every row first, then the log: who holds its lock waits for nobody
    said = {"agreed": True} if closed.agreed else {}
    ledger.record(session, Fact.OUTCOME, registration, outcome=outcome, **said)
    events.callback_changed(session, closed)
    events.registration_changed(session, registration)
    return closed


def _after(outcome: Outcome, attempts: int, round_: Round, settings: Settings) -> RegistrationState:
    """The operators' line has no next round for whoever was not reached: such a place ends."""
    if outcome is Outcome.REACHED:
        return RegistrationState.REACHED
    if outcome not in RETRIED:
        return RegistrationState.CLOSED
    used_up = outcome not in retries.FREE_OF_CHARGE and attempts >= settings.max_attempts
    if not used_up:
        return RegistrationState.WAITING
    return RegistrationState.CLOSED if round_.standing else RegistrationState.UNREACHED


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
    hanging_up = and_(Callback.state == CallbackState.CLOSED, Callback.hangup_asked_at.is_not(None))
    on_the_line = Callback.ended_at.is_(None), or_(Callback.state.in_(ON_THE_PHONE), hanging_up)
    return session.scalars(select(Callback).where(*on_the_line)).all()


def channel_gone(session: Session, callback: Callback) -> None:
    """Its channel has ended, for a callback that was closed before."""
    if callback.state is CallbackState.CLOSED and callback.ended_at is None:
        callback.ended_at = now(session)
