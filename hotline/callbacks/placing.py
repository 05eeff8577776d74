"""Callbacks that a node's dialer must place, and callbacks whose channel its Asterisk may have."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, exists, or_, select, true, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk, PlacedCall, Round, make_literal, make_literals
from db.states import ON_THE_PHONE, CallbackState
from hotline.nodes import round_affinity

STALE = timedelta(seconds=30)
"""How long a requested call may stay unplaced. Asterisk was away, or the desk's phone has not reached the
node.
"""

_its_phone = and_(Desk.id == Callback.desk_id, Desk.phone_connected)
_nothing_to_wait_for = or_(
    Callback.desk_id.is_(None),
    Callback.hangup_asked_at.is_not(None),
    Round.node.is_(None),  # the first dialer to poll chooses the node
    exists().where(_its_phone, round_affinity.where_mine(Desk.node)),
)
_TO_PLACE = (
    select(Callback.token, Callback.called_at, _nothing_to_wait_for.label("ready"))
    .join(Round, Round.id == Callback.round_id)
    .where(
        Callback.state == make_literal(CallbackState.DIALING),
        Callback.placed_at.is_(None),
        round_affinity.where_mine(Round.node),
    )
    .order_by(Callback.id)
)


def list_to_place(session: Session, node: str | None = None) -> Sequence[str]:
    """Return the tokens of callbacks with a requested call that is not placed, in the order of the requests.

    `node` limits them to its rounds. A callback whose desk's phone is still to reach the node is left out.
    """
    asked = session.execute(_TO_PLACE, {"node": node}).all()
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


def is_owed(session: Session, callback: Callback) -> bool:
    """Return whether it is the first call of its place in an official's round.

    A stranger who forges the number can make the system call it. Such calls are confirmations, calls of the
    operators' line or calls of other rounds. None of these may use up the place's own first call.
    """
    called = exists().where(
        Callback.registration_id == callback.registration_id,
        Callback.round_id == callback.round_id,
        PlacedCall.token == Callback.token,
        ~PlacedCall.ours,
    )
    of_official = Round.id == callback.round_id, ~Round.is_operators_line
    return session.scalar(select(Round.id).where(*of_official, ~called)) is not None


_hanging_up = and_(
    Callback.state == make_literal(CallbackState.CLOSED), Callback.hangup_asked_at.is_not(None)
)
_ON_THE_PHONE = select(Callback).where(
    Callback.ended_at.is_(None),
    or_(Callback.state.in_(make_literals(ON_THE_PHONE)), _hanging_up),
    round_affinity.where_mine(Callback.node),
)


def list_open_calls(session: Session, node: str | None = None) -> Sequence[Callback]:
    """Return callbacks for which Asterisk may have a channel, those closed by «next» included.

    `node` limits them to its Asterisk; None means all nodes.
    """
    return session.scalars(_ON_THE_PHONE, {"node": node}).all()


def record_channel_end(session: Session, callback: Callback) -> None:
    """Record the end of the channel of a callback that was closed before."""
    if callback.state is CallbackState.CLOSED and callback.ended_at is None:
        callback.ended_at = now(session)
