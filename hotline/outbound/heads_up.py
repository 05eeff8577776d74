"""Heads-up: a citizen near the head of a live round's line is told, once in the round.

The heads-up is a text message and, if set, a short call. In the call 1 says «I can be reached», and 2 asks
for the next round. A citizen in the call is busy, so no desk takes the place meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import (
    Desk,
    OutboundCall,
    OutboundKind,
    OutboxKind,
    PlacedCall,
    Registration,
    Round,
    make_literal,
)
from db.states import HOLDS_PLACE, Fact, HeadsUpAnswer, RegistrationState
from db.trusted_time import trusted_now
from hotline.ledger import entries
from hotline.line import order
from hotline.messages import outbox
from hotline.outbound import queue
from hotline.rounds import phases
from settings import Settings

_USEFUL = timedelta(minutes=30)
_OURS = OutboundCall.kind == make_literal(OutboundKind.HEADS_UP)

# Polled every few seconds, so these are built once.
_LIVE = select(Round.id).where(
    Round.is_operators_line.is_(False), Round.opened_at.is_not(None), ~phases.where_over_now()
)
IS_ANY_LIVE = select(_LIVE.exists())
_LEFT_BEHIND = (
    select(PlacedCall.token)  # first: few of these calls are in progress
    .join(OutboundCall, OutboundCall.token == PlacedCall.token)
    .join(Round, Round.id == OutboundCall.round_id)
    .where(PlacedCall.ended_at.is_(None), _OURS, phases.where_over())
)


def _waits(is_over: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition on OutboundCall that its place waits in a round for which `is_over` is false."""
    return exists().where(
        Registration.id == OutboundCall.registration_id,
        Registration.round_id == OutboundCall.round_id,
        Registration.state == make_literal(RegistrationState.WAITING),
        Round.id == Registration.round_id,
        ~is_over,
    )


def may_claim(session: Session, call_id: int, settings: Settings) -> bool:
    """Hold the round's line, so that nobody takes the citizen from it before the claim is committed.

    Return False for a citizen who has come so near that a callback follows: the call ends. Call it before any
    other change.
    """
    round_id = session.scalar(select(OutboundCall.round_id).where(OutboundCall.id == call_id))
    if round_id is None:
        return False
    events.hold_line(session, round_id)
    call = session.get(OutboundCall, call_id, populate_existing=True)
    if call is None or call.token or call.registration is None:
        return False
    if order.count_before(session, call.registration) < _count_called_soon(
        session, round_id, settings.call_ahead_most
    ):
        queue.end(call, now(session))
        return False
    call.number = call.registration.number  # the place may have moved to another number since
    session.flush()
    return True


CALLS = queue.Eligibility(
    OutboundKind.HEADS_UP,
    queue.IS_FREE,
    _waits(phases.where_over_now()),
    may_claim=may_claim,
)


def list_live(session: Session) -> Sequence[int]:
    """Return the live rounds, whose lines have a head."""
    return session.execute(_LIVE).scalars().all()


def tell(session: Session, places: int, *, call_beyond: int | None = None) -> None:
    """Tell the citizens within the first `places` of each live round's line.

    `call_beyond`: also ask for a call, except to the first so many for each desk, who are called back soon.
    """
    at, kind = now(session), OutboxKind.TURN_NEAR
    for round_id in list_live(session):
        for registration in _list_waiting(session, round_id, 0, places):
            if not outbox.is_told(session, kind, registration, round_id):
                outbox.tell(session, kind, registration, about_round=round_id, expires_at=at + _USEFUL)
        if call_beyond is not None:
            first = _count_called_soon(session, round_id, call_beyond)
            for registration in _list_waiting(session, round_id, first, places):
                ask(session, registration, at)


def _list_waiting(session: Session, round_id: int, first: int, count: int) -> Sequence[Registration]:
    return session.scalars(
        select(Registration)
        .where(Registration.round_id == round_id, Registration.state == RegistrationState.WAITING)
        .order_by(*order.ORDER)
        .offset(first)
        .limit(count)
    ).all()


def _count_called_soon(session: Session, round_id: int, for_each_desk: int) -> int:
    """Count the places at the head that are about to be called back: a heads-up would be in the way."""
    desks = select(func.count()).where(Desk.round_id == round_id, Desk.phone_connected)
    return for_each_desk * max(1, session.scalar(desks) or 0)


def ask(session: Session, registration: Registration, at: datetime) -> None:
    """Ask for a heads-up call, unless the citizen was called in this round already, for whatever reason."""
    place, round_id = registration.id, registration.round_id
    known = select(OutboundCall.id).where(_OURS).filter_by(registration_id=place, round_id=round_id)
    if registration.attempts or registration.not_before or session.scalar(known):
        return
    number = registration.number
    queue.add(session, OutboundKind.HEADS_UP, number, at, registration_id=place, round_id=round_id)


def list_left_behind(session: Session) -> Sequence[str]:
    """Return the tokens of calls in progress whose round is over or cancelled."""
    return session.execute(_LEFT_BEHIND, phases.bind_moment(trusted_now(session))).scalars().all()


def answer(session: Session, token: str, said: HeadsUpAnswer) -> bool:
    """Record the citizen's first answer; return whether it holds.

    A citizen who asks for the next round leaves this round's line, and is carried over before later ones.
    After the end of the round, or once the place does not wait any more, nothing is recorded or promised.
    """
    call = queue.find_by_token(session, token)
    if call is None or call.answer or call.registration is None:
        return False
    still = select(OutboundCall.id).where(OutboundCall.id == call.id, _waits(phases.is_over(now(session))))
    if session.scalar(still) is None:
        return False
    if said is HeadsUpAnswer.NEXT_ROUND:
        left = session.scalar(
            update(Registration)
            .where(
                Registration.id == call.registration_id,
                Registration.round_id == call.round_id,
                Registration.state == RegistrationState.WAITING,
            )
            .values(state=RegistrationState.UNREACHED)
            .returning(Registration.id)
            .execution_options(synchronize_session=False)
        )
        if left is None:
            return False
    queue.answer(session, token, said)
    if said is HeadsUpAnswer.NEXT_ROUND:
        session.flush()  # lock order: rows before the log
        session.refresh(call.registration)
        entries.record(session, Fact.DEFERRED, call.registration)
        events.append_registration(session, call.registration)
    return True


def forget(session: Session) -> None:
    """Delete the calls that are not in progress and have no use any more.

    Such a call's place has left the round, or the round is over and the citizen has said nothing.
    """
    stays = exists().where(
        Registration.id == OutboundCall.registration_id,
        Registration.round_id == OutboundCall.round_id,
        Registration.state.in_(HOLDS_PLACE),
    )
    is_over = exists().where(Round.id == OutboundCall.round_id, phases.is_over(trusted_now(session)))
    useless = or_(~stays, and_(is_over, OutboundCall.answer.is_(None)))
    gone = delete(OutboundCall).where(_OURS, OutboundCall.token.is_(None), useless)
    session.execute(gone.execution_options(synchronize_session=False))
