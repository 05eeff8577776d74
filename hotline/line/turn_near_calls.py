"""The short call before one's turn: press 1 if you can be reached in the next minutes, 2 for the next round.

One try in each round. `token` is committed before the call is placed, so that it is never placed twice; until
the call has ended, nobody takes its registration out of the line (line.take_next).
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Desk, PlacedCall, Registration, Round, TurnNearCall, UtcDateTime, word
from db.states import HOLDS_PLACE, Fact, RegistrationState, TurnNearAnswer
from db.trusted_time import trusted_now
from hotline.ledger import ledger
from hotline.line import engaged, line
from hotline.rounds import rounds

_PREFIX = "near-"
AFTER_OUR_FAULT = timedelta(minutes=1)


_still_waits_free = (
    select(Registration.id)
    .join(Round, Round.id == Registration.round_id)
    .where(
        Registration.id == TurnNearCall.registration_id,
        Registration.round_id == TurnNearCall.round_id,
        Registration.state == word(RegistrationState.WAITING),
        ~rounds.over(),
        ~engaged.ENGAGED,
    )
    .correlate(TurnNearCall)
)
_DUE = and_(
    TurnNearCall.token.is_(None),
    TurnNearCall.ended_at.is_(None),
    TurnNearCall.due_at <= bindparam("at", type_=UtcDateTime),
    _still_waits_free.exists(),
)
"""To be placed now; its parameters are `_asked`."""

# Asked with every look of the dialer: built once.
_ALL_DUE = (
    select(TurnNearCall.registration_id, TurnNearCall.round_id)
    .where(_DUE)
    .order_by(TurnNearCall.due_at, TurnNearCall.registration_id)
    .limit(bindparam("limit", type_=Integer))
)
_LEFT_BEHIND = (
    select(PlacedCall.token)  # of which few go on
    .join(TurnNearCall, TurnNearCall.token == PlacedCall.token)
    .join(Round, Round.id == TurnNearCall.round_id)
    .where(PlacedCall.ended_at.is_(None), TurnNearCall.ended_at.is_(None), rounds.over())
)


def _asked(at: datetime) -> dict[str, Any]:
    return {**rounds.moment(at), **engaged.asked(at)}


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be a turn-near call's token."""
    return channel_id.startswith(_PREFIX)


def ask(session: Session, registration: Registration) -> None:
    """The registration is to be called, unless it was in this round already, for whatever reason."""
    called_back = registration.attempts > 0 or registration.not_before is not None
    known = session.get(TurnNearCall, (registration.id, registration.round_id))
    if known or called_back:
        return
    due = TurnNearCall(registration_id=registration.id, round_id=registration.round_id, due_at=now(session))
    session.add(due)


def due(session: Session, limit: int) -> Sequence[Row[int, int]]:
    """The registrations and rounds of the calls that are to be placed now, at most `limit`."""
    return session.execute(_ALL_DUE, {"limit": limit, **_asked(now(session))}).all()


def about_to_be_called(session: Session, round_id: int, for_each_desk: int) -> int:
    """How many at the head of a line are about to be called back: a turn-near call would be in the way."""
    desks = select(func.count()).where(Desk.round_id == round_id, Desk.phone_connected)
    return for_each_desk * max(1, session.scalar(desks) or 0)


def take_up(session: Session, registration_id: int, round_id: int, beyond: int = 0) -> TurnNearCall | None:
    """Give the call its token: from here on it is placed once. None if it is not due.

    It is due no more, and over, where the citizen has come within the first `beyond` for each desk. Call it
    before any other change: whoever takes from this line at the same moment waits for the commit.
    """
    events.hold_line(session, round_id)
    at = now(session)
    taken = session.scalar(
        update(TurnNearCall)
        .where(TurnNearCall.registration_id == registration_id, TurnNearCall.round_id == round_id, _DUE)
        .values(token=f"{_PREFIX}{uuid.uuid4().hex}", placed_at=at)
        .returning(TurnNearCall.token)
        .execution_options(synchronize_session=False),
        _asked(at),
    )
    turn_near_call = by_token(session, taken) if taken else None
    first = about_to_be_called(session, round_id, beyond)
    if turn_near_call and line.before_me(session, turn_near_call.registration) < first:
        turn_near_call.ended_at = at
        return None
    return turn_near_call


def put_off(turn_near_call: TurnNearCall) -> None:
    """It was taken up and may not be placed now: due again, as if never taken up."""
    turn_near_call.token = turn_near_call.placed_at = None


def by_token(session: Session, token: str) -> TurnNearCall | None:
    """The call whose channel is `token`."""
    query = select(TurnNearCall).where(TurnNearCall.token == token)
    return session.scalar(query.execution_options(populate_existing=True))


def on_the_phone(session: Session) -> dict[str, datetime]:
    """The tokens of calls on their way, and when each was placed."""
    query = select(TurnNearCall.token, TurnNearCall.placed_at).where(TurnNearCall.ended_at.is_(None))
    return {token: at for token, at in session.execute(query) if token and at}


def left_behind(session: Session) -> Sequence[str]:
    """The tokens of calls on their way whose round is over or cancelled: nobody's turn is near in it."""
    return session.execute(_LEFT_BEHIND, rounds.moment(trusted_now(session))).scalars().all()


def answer(session: Session, token: str, said: TurnNearAnswer) -> bool:
    """What the citizen says, once; returns whether it holds.

    Whoever asks for the next round leaves this round's line and is carried over before all later ones.
    Nothing holds of a place that does not wait any more, or of a round that is over: nothing is promised.
    """
    turn_near_call = by_token(session, token)
    if (
        turn_near_call is None
        or turn_near_call.ended_at
        or turn_near_call.answer
        or not _still_waits(session, turn_near_call)
    ):
        return False
    if said is TurnNearAnswer.NEXT_ROUND:
        return _defer(session, turn_near_call)
    turn_near_call.answer = said
    return True


def _still_waits(session: Session, turn_near_call: TurnNearCall) -> bool:
    waits = exists().where(
        Registration.id == turn_near_call.registration_id,
        Registration.round_id == turn_near_call.round_id,
        Registration.state == RegistrationState.WAITING,
        Round.id == Registration.round_id,
        ~rounds.is_over(now(session)),
    )
    return bool(session.scalar(select(waits)))


def _defer(session: Session, turn_near_call: TurnNearCall) -> bool:
    changed = session.scalar(
        update(Registration)
        .where(
            Registration.id == turn_near_call.registration_id,
            Registration.round_id == turn_near_call.round_id,
            Registration.state == RegistrationState.WAITING,
        )
        .values(state=RegistrationState.UNREACHED)
        .returning(Registration.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        return False
    turn_near_call.answer = TurnNearAnswer.NEXT_ROUND
    session.flush()  # lock order: rows before the log
    registration = session.get_one(Registration, changed, populate_existing=True)
    ledger.record(session, Fact.DEFERRED, registration)
    events.registration_changed(session, registration)
    return True


def ended(session: Session, token: str, *, ours: bool = False) -> None:
    """The call is over, or was never placed; if it came to nothing by our own fault, it is due again.

    Not so where the citizen has said what we asked.
    """
    turn_near_call = by_token(session, token) if ours else None
    if turn_near_call and turn_near_call.answer is None:
        put_off(turn_near_call)
        turn_near_call.due_at = now(session) + AFTER_OUR_FAULT
        return
    session.execute(
        update(TurnNearCall)
        .where(TurnNearCall.token == token, TurnNearCall.ended_at.is_(None))
        .values(ended_at=now(session))
    )


def forget(session: Session) -> None:
    """Delete the calls that are not on their way and of which nothing comes any more.

    Their place has left the round, or the round is over and the citizen has said nothing in it. A call that
    was never placed would be looked for by the dialer for ever.
    """
    stays = exists().where(
        Registration.id == TurnNearCall.registration_id,
        Registration.round_id == TurnNearCall.round_id,
        Registration.state.in_(HOLDS_PLACE),
    )
    at_an_end = exists().where(Round.id == TurnNearCall.round_id, rounds.is_over(trusted_now(session)))
    useless = or_(~stays, and_(at_an_end, TurnNearCall.answer.is_(None)))
    free = or_(TurnNearCall.token.is_(None), TurnNearCall.ended_at.is_not(None))
    gone = delete(TurnNearCall).where(useless, free)
    session.execute(gone.execution_options(synchronize_session=False))


def restore_wish(session: Session, registration_id: int, round_id: int) -> None:
    """Keep that the citizen asked, in this round, for the next one: the call was made, and is over."""
    call = session.get(TurnNearCall, (registration_id, round_id), populate_existing=True)
    if call is None:
        at, said = now(session), TurnNearAnswer.NEXT_ROUND
        session.add(
            TurnNearCall(
                registration_id=registration_id, round_id=round_id, due_at=at, ended_at=at, answer=said
            )
        )


def deferred() -> ColumnElement[bool]:
    """In a query of Registration: whether the citizen asked, in its round, for the next one."""
    return exists().where(
        TurnNearCall.registration_id == Registration.id,
        TurnNearCall.round_id == Registration.round_id,
        TurnNearCall.answer == TurnNearAnswer.NEXT_ROUND,
    )


def has_deferred(session: Session, registration: Registration) -> bool:
    """Whether the citizen asked, in the registration's round, for the next one."""
    turn_near_call = session.get(TurnNearCall, (registration.id, registration.round_id))
    return turn_near_call is not None and turn_near_call.answer is TurnNearAnswer.NEXT_ROUND
