"""Wrap-up (after-call work): a conversation is over, and its desk has not asked for the next citizen yet.

Nothing is stored for it. A callback whose outcome the desk owes says so itself; after that the event log
does: what the desk did last was to end a conversation, or to give it away. It is over as soon as the desk
asks for the next one or has one, takes a break, begins or leaves a round, its round is over, or its phone
goes. A desk that takes live calls may be given the next one once the outcome is said: that ends it there.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from db.engine import core, now
from db.models import Callback, Desk, Event, Round, User, UtcDateTime
from db.states import LIVE, CallbackState
from hotline.callbacks import assignment, live_desks
from hotline.rounds import rounds

OVER = (CallbackState.PARTING, CallbackState.ENDED)
"""The call is over; until its outcome is said the desk owes it."""
TURNS = ("asks-next", "nobody-due", "break", "disconnected", "serves", "left", "live-on", "live-off")
"""What a desk does instead, as the event log has it (db.events)."""
GAVE = "gave"
_FORGOTTEN = timedelta(days=1)
"""Nobody is in wrap-up for so long."""

_of_a_desk, _of_a_callback = Event.kind == "desk", Event.kind == "callback"
_turn = (
    select(Event.id)
    .where(
        Event.user_id == User.id,
        Event.desk_id == Desk.id,
        Event.at > bindparam("forgotten", type_=UtcDateTime),
        or_(and_(_of_a_desk, Event.what.in_((*TURNS, GAVE))), and_(_of_a_callback, Event.what.in_(LIVE))),
    )
    .order_by(Event.at.desc(), Event.id.desc())
    .limit(1)
    .correlate(Desk, User)
    .scalar_subquery()
)
_round_over = exists().where(Round.id == Desk.round_id, rounds.over())
_LAST_TURNS = (
    select(_turn)
    .select_from(Desk)
    .join(User, User.desk_id == Desk.id)
    .where(Desk.next_asked_at.is_(None), ~assignment.takes_nobody(), ~assignment.busy(), ~_round_over)
)
"""What each desk that has nobody, and could have, did last."""
_talked = and_(_of_a_callback, Event.what.in_(OVER), Callback.talking_at.is_not(None))
_ENDS = (
    select(Event.desk_id, Event.at, Callback.parting_at, Callback.ended_at)
    .outerjoin(Callback, Callback.id == Event.callback_id)
    .where(or_(_talked, and_(_of_a_desk, Event.what == GAVE)))
)


def over_since(callback: Callback) -> datetime | None:
    """Since when the call of this callback is over, if its desk still owes what came of it."""
    return callback.parting_at or callback.ended_at if callback.state in OVER else None


def since(session: Session, desk: Desk, in_hand: Callback | None) -> datetime | None:
    """Since when the desk is in wrap-up; None: it is not. `in_hand`: the callback that it has."""
    if in_hand is None:
        return idle_since(session, [desk]).get(desk.id)
    here = desk.phone_connected and desk.break_reason is None
    return over_since(in_hand) if here else None


def idle_since(session: Session, desks: Sequence[Desk]) -> dict[int, datetime]:
    """Since when those of these desks are in wrap-up that owe nothing any more, by number."""
    at = now(session)
    asked = {**rounds.moment(at), "forgotten": at - _FORGOTTEN}
    by_id = {desk.id: desk for desk in desks}
    turns = _LAST_TURNS.where(Desk.id.in_(by_id))
    last = [turn for turn in core(session).execute(turns, asked).scalars() if turn]
    found = {
        end.desk_id: end.parting_at or end.ended_at or end.at
        for end in session.execute(_ENDS.where(Event.id.in_(last)))
    }
    return {id_: at for id_, at in found.items() if not live_desks.takes_live(session, by_id[id_])}
