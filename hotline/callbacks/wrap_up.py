"""Wrap-up (after-call work): a conversation is over, and its desk has not asked for the next citizen yet.

No row stores it. A callback whose outcome the desk owes shows it; otherwise the event log shows it. The log's
last entry of the desk is then the end of a conversation, or its handing over. Wrap-up ends when the desk asks
for the next citizen, has one, or takes a break. Wrap-up also ends when the desk begins or leaves a round,
with the round, or when the desk's phone goes. A desk that takes live calls may get the next citizen once the
outcome is recorded, which ends wrap-up.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk, Event, Round, User, UtcDateTime
from db.states import LIVE, CallbackState
from db.trusted_time import STEP
from hotline.callbacks import assignment, direct_routing
from hotline.rounds import phases

OVER = (CallbackState.PARTING, CallbackState.ENDED)
"""States after the call in which the desk owes the outcome."""
TURNS = ("asks-next", "nobody-due", "break", "disconnected", "serves", "left", "live-on", "live-off")
"""Events of a desk that end wrap-up (db.events)."""
GAVE = "gave"
_FORGOTTEN = timedelta(days=1)
"""Longest wrap-up."""

_of_a_desk, _of_a_callback = Event.kind == "desk", Event.kind == "callback"
_turn = (
    select(Event.id)
    .where(
        Event.user_id == User.id,
        Event.desk_id == Desk.id,
        Event.at.between(bindparam("forgotten", type_=UtcDateTime), bindparam("latest", type_=UtcDateTime)),
        or_(and_(_of_a_desk, Event.what.in_((*TURNS, GAVE))), and_(_of_a_callback, Event.what.in_(LIVE))),
    )
    .order_by(Event.at.desc(), Event.id.desc())
    .limit(1)
    .correlate(Desk, User)
    .scalar_subquery()
)
_round_over = exists().where(Round.id == Desk.round_id, phases.where_over())
_LAST_TURNS = (
    select(_turn)
    .select_from(Desk)
    .join(User, User.desk_id == Desk.id)
    .where(
        Desk.next_asked_at.is_(None), ~assignment.where_takes_nobody(), ~assignment.where_busy(), ~_round_over
    )
)
"""Query of the last event of each free desk that could have a citizen."""
_talked = and_(_of_a_callback, Event.what.in_(OVER), Callback.talking_at.is_not(None))
_ENDS = (
    select(Event.desk_id, Event.at, Callback.parting_at, Callback.ended_at)
    .outerjoin(Callback, Callback.id == Event.callback_id)
    .where(or_(_talked, and_(_of_a_desk, Event.what == GAVE)))
)


def find_over_since(callback: Callback) -> datetime | None:
    """Return since when the call is over, if its desk still owes the outcome; otherwise None."""
    return callback.parting_at or callback.ended_at if callback.state in OVER else None


def find_since(session: Session, desk: Desk, in_hand: Callback | None) -> datetime | None:
    """Return since when the desk is in wrap-up, or None. `in_hand`: the callback that it has."""
    if in_hand is None:
        return find_idle_since(session, [desk]).get(desk.id)
    here = desk.phone_connected and desk.break_reason is None
    return find_over_since(in_hand) if here else None


def find_idle_since(session: Session, desks: Sequence[Desk]) -> dict[int, datetime]:
    """Return since when those desks are in wrap-up that owe no outcome, by desk id."""
    at = now(session)
    asked = {**phases.bind_moment(at), "forgotten": at - _FORGOTTEN, "latest": at + STEP}
    by_id = {desk.id: desk for desk in desks}
    turns = _LAST_TURNS.where(Desk.id.in_(by_id))
    last = [turn for turn in session.execute(turns, asked).scalars() if turn]
    found = {
        end.desk_id: end.parting_at or end.ended_at or end.at
        for end in session.execute(_ENDS.where(Event.id.in_(last)))
    }
    return {id_: at for id_, at in found.items() if not direct_routing.takes_live_calls(session, by_id[id_])}
