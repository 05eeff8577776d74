"""Match waiting citizens with free desks in the order of the line, and take citizens back from lost desks.

Rows that another transaction has locked are skipped; the next poll handles them.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.models import Callback, Desk, Registration, Round, User, make_literal, make_literals
from db.states import UNDER_WAY, CallbackState
from db.trusted_time import trusted_now
from hotline.callbacks import transitions
from hotline.line import order
from hotline.nodes import round_affinity
from hotline.rounds import phases


def list_ready(session: Session, round_id: int, *, screened: bool = False) -> Sequence[Callback]:
    """Return the citizens who pressed 1 and wait for any desk of the round, in the order of calling.

    `screened`: include citizens with whom an operator speaks first.
    """
    states = [CallbackState.WAITING, *([CallbackState.SCREENING] if screened else [])]
    return session.scalars(_called_ahead(round_id, states)).all()


def list_called_ahead(session: Session, round_id: int) -> Sequence[Callback]:
    """Return the citizens who are being called ahead, in the order of calling."""
    return session.scalars(_called_ahead(round_id, UNDER_WAY)).all()


def _called_ahead(round_id: int, states: Sequence[CallbackState]) -> Select[Callback]:
    return (
        select(Callback)
        .join(Registration, Registration.id == Callback.registration_id)
        .where(
            Callback.round_id == round_id,
            Callback.state.in_(make_literals(states)),
            Callback.desk_id.is_(None),
        )
        .order_by(*order.ORDER)
    )


def match(session: Session) -> int:
    """Give each free desk, the longest waiting first, the first waiting citizen.

    Return the number of matches.
    """
    free = _free().order_by(Desk.next_asked_at, Desk.id)
    held = free.with_for_update(of=Desk, key_share=True, skip_locked=True)
    desks = session.scalars(held, phases.bind_moment(trusted_now(session))).all()
    return sum(assign_first(session, desk, desk.round_id) for desk in desks if desk.round_id is not None)


def _free() -> Select[Desk]:
    """Select the desks that want a citizen of a round in progress and have none, to talk or to screen.

    `phases.bind_moment` gives the parameters of the query.
    """
    goes_on = exists().where(Round.id == Desk.round_id, Round.paused_at.is_(None), ~phases.where_over())
    return select(Desk).where(Desk.next_asked_at.is_not(None), ~where_takes_nobody(), goes_on, ~where_busy())


def where_busy() -> ColumnElement[bool]:
    """Return the condition on Desk that the desk has a citizen, to talk or to screen, or owes an outcome."""
    screening = Callback.state == make_literal(CallbackState.SCREENING)
    return or_(
        exists().where(Callback.desk_id == Desk.id, transitions.OCCUPIES),
        exists().where(Callback.screen_desk_id == Desk.id, screening),
    )


def where_gone() -> ColumnElement[bool]:
    """Return the condition on Desk that a citizen would find nobody in the desk's room."""
    return or_(~Desk.phone_connected, Desk.hears_desk_id.is_not(None), round_affinity.where_elsewhere())


def where_takes_nobody() -> ColumnElement[bool]:
    """Return the condition on Desk that the desk is gone or on a break, and gets no further citizen."""
    return or_(where_gone(), Desk.break_reason.is_not(None))


def assign_first(session: Session, desk: Desk, round_id: int) -> bool:
    """Give a locked desk the first citizen who waits for any desk of the round.

    Return False if nobody waits.
    """
    waiting = _called_ahead(round_id, [CallbackState.WAITING]).where(Callback.hangup_asked_at.is_(None))
    first = waiting.limit(1).with_for_update(of=Callback, key_share=True, skip_locked=True)
    callback = session.scalar(first)
    return callback is not None and _give(session, callback, desk)


def _give(session: Session, callback: Callback, desk: Desk) -> bool:
    """Assign the waiting citizen to the desk in one UPDATE.

    Return False if another transaction was faster.
    """
    user_id = session.scalar(select(User.id).where(User.desk_id == desk.id))
    try:
        with session.begin_nested():
            given = session.scalar(
                update(Callback)
                .where(
                    Callback.token == callback.token,
                    Callback.state == CallbackState.WAITING,
                    Callback.desk_id.is_(None),
                    Callback.hangup_asked_at.is_(None),
                )
                .values(desk_id=desk.id, user_id=user_id)
                .returning(Callback.id)
                .execution_options(synchronize_session=False)
            )
    except IntegrityError:  # another transaction has just given the desk a citizen
        return False
    if given is None:
        return False
    events.append_callback(session, session.get_one(Callback, given, populate_existing=True))
    return True


def take_back(session: Session) -> int:
    """Let citizens wait for any desk again if their desk's phone has gone. Return how many.

    Screened citizens are included. The desk still wants a citizen once its phone is back.
    """
    stranded = select(Callback).where(_stranded())
    found = session.scalars(stranded.with_for_update(of=Callback, key_share=True, skip_locked=True)).all()
    for callback in found:
        callback.state, callback.desk_id, callback.user_id = CallbackState.WAITING, None, None
    session.flush()  # lock order: rows before the log
    for callback in found:
        events.append_callback(session, callback)
    return len(found)


def _stranded() -> ColumnElement[bool]:
    """Return the condition that the desk or the screener of a waiting citizen is gone.

    A citizen whom a desk called by hand waits for that desk, and is excluded.
    """
    away, wants = where_gone(), Desk.next_asked_at.is_not(None)
    for_any = or_(and_(Desk.round_id == Callback.round_id, wants), Callback.on_the_line)
    desk = exists().where(Desk.id == Callback.desk_id, away, for_any)
    screener = exists().where(Desk.id == Callback.screen_desk_id, away)
    return or_(
        and_(Callback.state == make_literal(CallbackState.WAITING), desk),
        and_(Callback.state == make_literal(CallbackState.SCREENING), screener),
    )


_somebody_waits = exists().where(
    Callback.round_id == Desk.round_id,
    Callback.state == make_literal(CallbackState.WAITING),
    Callback.desk_id.is_(None),
    Callback.hangup_asked_at.is_(None),
)
# The dialer runs these at each poll, so they are built once.
_IS_ANY_TO_MEET = select(_free().where(_somebody_waits).exists())
_IS_ANY_STRANDED = select(exists().where(_stranded()))


def is_any_to_meet(session: Session) -> bool:
    """Return whether `match` has anything to do."""
    return session.scalar(_IS_ANY_TO_MEET, phases.bind_moment(trusted_now(session))) or False


def is_any_stranded(session: Session) -> bool:
    """Return whether `take_back` has anything to do."""
    return session.scalar(_IS_ANY_STRANDED) or False
