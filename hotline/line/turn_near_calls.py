"""The short call before one's turn: press 1 if you can be reached in the next minutes, 2 for the next round.

One try in each round. `token` is committed before the call is placed, so that it is never placed twice; until
the call has ended, nobody takes its registration out of the line (line.take_next).
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Desk, NearCall, PlacedCall, Registration, Round
from db.states import Fact, NearAnswer, RegistrationState
from hotline.ledger import ledger
from hotline.line import engaged, line
from hotline.rounds import rounds

_PREFIX = "near-"
_AFTER_OUR_FAULT = timedelta(minutes=1)


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be a near call's token."""
    return channel_id.startswith(_PREFIX)


def ask(session: Session, registration: Registration) -> None:
    """The registration is to be called, unless it was in this round already, for whatever reason."""
    called_back = registration.attempts > 0 or registration.not_before is not None
    known = session.get(NearCall, (registration.id, registration.round_id))
    if known or called_back:
        return
    due = NearCall(registration_id=registration.id, round_id=registration.round_id, due_at=now(session))
    session.add(due)


def due(session: Session, limit: int) -> Sequence[NearCall]:
    """The calls that are to be placed now, at most `limit`."""
    at = now(session)
    query = select(NearCall).where(_is_due(at)).order_by(NearCall.due_at, NearCall.registration_id)
    return session.scalars(query.limit(limit), engaged.asked(at)).all()


def _is_due(at: datetime) -> ColumnElement[bool]:
    still_waits = (
        select(Registration.id)
        .join(Round, Round.id == Registration.round_id)
        .where(
            Registration.id == NearCall.registration_id,
            Registration.round_id == NearCall.round_id,
            Registration.state == RegistrationState.WAITING,
            ~rounds.is_over(at),
            ~engaged.ENGAGED,
        )
        .correlate(NearCall)
    )
    to_come = and_(NearCall.token.is_(None), NearCall.ended_at.is_(None), NearCall.due_at <= at)
    return and_(to_come, still_waits.exists())


def about_to_be_called(session: Session, round_id: int, for_each_desk: int) -> int:
    """How many at the head of a line are about to be called back: a near call would be in the way."""
    desks = select(func.count()).where(Desk.round_id == round_id, Desk.phone_connected)
    return for_each_desk * max(1, session.scalar(desks) or 0)


def take_up(session: Session, registration_id: int, round_id: int, beyond: int = 0) -> NearCall | None:
    """Give the call its token: from here on it is placed once. None if it is not due.

    It is due no more, and over, where the citizen has come within the first `beyond` for each desk. Call it
    before any other change: whoever takes from this line at the same moment waits for the commit.
    """
    events.hold_line(session, round_id)
    at = now(session)
    taken = session.scalar(
        update(NearCall)
        .where(NearCall.registration_id == registration_id, NearCall.round_id == round_id, _is_due(at))
        .values(token=f"{_PREFIX}{uuid.uuid4().hex}", placed_at=at)
        .returning(NearCall.token)
        .execution_options(synchronize_session=False),
        engaged.asked(at),
    )
    near_call = by_token(session, taken) if taken else None
    first = about_to_be_called(session, round_id, beyond)
    if near_call and line.before_me(session, near_call.registration) < first:
        near_call.ended_at = at
        return None
    return near_call


def put_off(near_call: NearCall) -> None:
    """It was taken up and may not be placed now: due again, as if never taken up."""
    near_call.token = near_call.placed_at = None


def by_token(session: Session, token: str) -> NearCall | None:
    """The call whose channel is `token`."""
    query = select(NearCall).where(NearCall.token == token)
    return session.scalar(query.execution_options(populate_existing=True))


def on_the_phone(session: Session) -> dict[str, datetime]:
    """The tokens of calls on their way, and when each was placed."""
    query = select(NearCall.token, NearCall.placed_at).where(NearCall.ended_at.is_(None))
    return {token: at for token, at in session.execute(query) if token and at}


def left_behind(session: Session) -> Sequence[str]:
    """The tokens of calls on their way whose round is over or cancelled: nobody's turn is near in it."""
    query = (
        select(PlacedCall.token)  # of which few go on
        .join(NearCall, NearCall.token == PlacedCall.token)
        .join(Round, Round.id == NearCall.round_id)
        .where(PlacedCall.ended_at.is_(None), NearCall.ended_at.is_(None), rounds.is_over(now(session)))
    )
    return session.scalars(query).all()


def answer(session: Session, token: str, said: NearAnswer) -> bool:
    """What the citizen says, once; returns whether it holds.

    Whoever asks for the next round leaves this round's line and is carried over before all later ones.
    Nothing holds of a place that does not wait any more, or of a round that is over: nothing is promised.
    """
    near_call = by_token(session, token)
    if near_call is None or near_call.ended_at or near_call.answer or not _still_waits(session, near_call):
        return False
    if said is NearAnswer.NEXT_ROUND:
        return _defer(session, near_call)
    near_call.answer = said
    return True


def _still_waits(session: Session, near_call: NearCall) -> bool:
    waits = exists().where(
        Registration.id == near_call.registration_id,
        Registration.round_id == near_call.round_id,
        Registration.state == RegistrationState.WAITING,
        Round.id == Registration.round_id,
        ~rounds.is_over(now(session)),
    )
    return bool(session.scalar(select(waits)))


def _defer(session: Session, near_call: NearCall) -> bool:
    changed = session.scalar(
        update(Registration)
        .where(
            Registration.id == near_call.registration_id,
            Registration.round_id == near_call.round_id,
            Registration.state == RegistrationState.WAITING,
        )
        .values(state=RegistrationState.UNREACHED)
        .returning(Registration.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        return False
    near_call.answer = NearAnswer.NEXT_ROUND
    session.flush()  # every row first, then the log
    registration = session.get_one(Registration, changed, populate_existing=True)
    ledger.record(session, Fact.DEFERRED, registration)
    events.registration_changed(session, registration)
    return True


def ended(session: Session, token: str, *, ours: bool = False) -> None:
    """The call is over, or was never placed; if it came to nothing by our own fault, it is due again.

    Not so where the citizen has said what we asked.
    """
    near_call = by_token(session, token) if ours else None
    if near_call and near_call.answer is None:
        put_off(near_call)
        near_call.due_at = now(session) + _AFTER_OUR_FAULT
        return
    session.execute(
        update(NearCall)
        .where(NearCall.token == token, NearCall.ended_at.is_(None))
        .values(ended_at=now(session))
    )


def deferred() -> ColumnElement[bool]:
    """In a query of Registration: whether the citizen asked, in its round, for the next one."""
    return exists().where(
        NearCall.registration_id == Registration.id,
        NearCall.round_id == Registration.round_id,
        NearCall.answer == NearAnswer.NEXT_ROUND,
    )


def has_deferred(session: Session, registration: Registration) -> bool:
    """Whether the citizen asked, in the registration's round, for the next one."""
    near_call = session.get(NearCall, (registration.id, registration.round_id))
    return near_call is not None and near_call.answer is NearAnswer.NEXT_ROUND
