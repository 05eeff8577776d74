"""A node is gone: its callbacks are closed at no cost to anybody, and its rounds are another's.

Each step is a transaction that may be repeated by whoever goes on with it. The rounds are free last, so that
nobody is called for them before those whose calls were cut are in the line again.

A node that only cannot reach the database keeps its conversations (dialer.lease). So a conversation is closed
when its desk's phone has left for another node, or with a time before which the citizen is not called.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from db import events
from db.engine import now
from db.models import Callback, CallerNow, Desk, Node, PlacedCall, Round
from db.states import IN_TALK, CallbackState, Outcome
from hotline.callbacks import breaker, callbacks, closing, conversations, on_the_line, placing, toll
from hotline.calls_until import CONVERSATIONS_S
from hotline.line import left_numbers, solved_calls
from hotline.nodes import homes, leases
from settings import Settings

_LASTS = timedelta(seconds=CONVERSATIONS_S)
"""From the time at which a node is found dead its conversations last for less than this."""


def found(session: Session) -> Sequence[str]:
    """The dead nodes of which anything is left to see to."""
    dead = [node.name for node in leases.over(session)]
    if not dead:
        return []
    work = or_(Node.lost_at.is_(None), _has_rounds(), _has_calls())
    return session.scalars(select(Node.name).where(Node.name.in_(dead), work).order_by(Node.name)).all()


def _lives(name: InstrumentedAttribute[str] | str) -> ColumnElement[bool]:
    return and_(Round.node == name, Round.ended_at.is_(None), Round.cancelled_at.is_(None))


def _has_rounds() -> ColumnElement[bool]:
    return exists().where(_lives(Node.name))


def _has_calls() -> ColumnElement[bool]:
    return exists().where(Callback.node == Node.name, Callback.ended_at.is_(None))


def begin(session: Session, name: str, by: str) -> int | None:
    """Declare it dead: its desks have no phone, its callers have hung up.

    What it has called besides citizens is `by`'s to end. Returns the epoch in which it is dead, in which each
    step is to be (leases.check_lost); None: not yet.
    """
    epoch = leases.declare_dead(session, name)
    if epoch is None:
        return None
    desks = session.scalars(
        update(Desk)
        .where(Desk.node == name, or_(Desk.phone_connected, Desk.channel.is_not(None)))
        .values(phone_connected=False, channel=None, node=None)
        .returning(Desk.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.execute(delete(CallerNow).where(CallerNow.node == name))
    their_own = select(Callback.token).where(Callback.node == name, Callback.ended_at.is_(None))
    for calls in (left_numbers.CALLS, solved_calls.CALLS):
        calls.cut(session, select(PlacedCall.token).where(PlacedCall.node == name))
    # no callback's: the reconciler of `by` finds no channel of theirs, and ends them; also what is over by
    # this table alone, since the node died between two writes
    session.execute(
        update(PlacedCall)
        .where(PlacedCall.node == name, PlacedCall.token.not_in(their_own))
        .values(node=by)
        .execution_options(synchronize_session=False)
    )
    on_the_line.leave_node(session, name)
    for desk_id in sorted(desks):
        events.desk_changed(session, desk_id, "disconnected")
    return epoch


def cut(session: Session, name: str) -> Sequence[str]:
    """The callbacks whose channels were there."""
    there = select(Callback.token).where(Callback.node == name, Callback.ended_at.is_(None))
    return session.scalars(there.order_by(Callback.id)).all()


_MAY_TALK = or_(
    Callback.state.in_(IN_TALK), and_(Callback.state == CallbackState.WAITING, Callback.desk_id.is_not(None))
)
"""A citizen who waits for this very desk may have come into its room, and nobody could write it down."""


def in_conversation(session: Session, name: str) -> Sequence[str]:
    """The callbacks that were in conversation with a desk there: they may go on."""
    there = Callback.node == name, Callback.ended_at.is_(None), _MAY_TALK
    return session.scalars(select(Callback.token).where(*there)).all()


class DeskOfCitizen(NamedTuple):
    """A callback, and the node where its desk has its phone."""

    token: str
    phone: str | None
    """The sign-in, or the SIP key, by which the phone came into its room; None: a telephone that we call."""
    here: bool
    """Whether that room is on the citizen's node."""
    elsewhere: bool


def list_desks(session: Session) -> Sequence[DeskOfCitizen]:
    """Return the desk of each callback whose call goes on."""
    here = and_(Desk.phone_connected, Desk.node == Callback.node)
    elsewhere = and_(Desk.phone_connected, Desk.node != Callback.node)
    rows = session.execute(
        select(Callback.token, Desk.admitted_by, here, elsewhere)
        .join(Desk, Desk.id == Callback.desk_id)
        .where(Callback.ended_at.is_(None))
    )
    return [DeskOfCitizen(token, phone, bool(is_here), bool(away)) for token, phone, is_here, away in rows]


def close(session: Session, token: str, settings: Settings, *, may_go_on: bool = False) -> None:
    """Put whoever was called, or waited, back as if never called; who spoke with a desk is due at once.

    What a desk had ended already is over. `may_go_on`: the conversation may; the citizen is due when its node
    has ended it at the latest.
    """
    callback = callbacks.by_token(session, token)
    if callback is None:
        return
    session.refresh(callback, with_for_update={"key_share": True})
    toll.ended(session, token)
    breaker.ended(session, token)
    at = now(session)
    if callback.state is CallbackState.PARTING:
        conversations.line_ended(session, callback, settings, hung_up=True)
    elif callback.state in IN_TALK or may_go_on:
        cut_at = callback.held_until or at  # our own side cut it
        due = at + _LASTS if may_go_on else at
        callbacks.move_unheard(session, token, CallbackState.ENDED, ended_at=at, held_until=cut_at)
        closing.close(session, token, Outcome.CALL_AGAIN, settings, again_at=due)
    elif callback.state in (CallbackState.ENDED, CallbackState.CLOSED):
        placing.channel_gone(session, callback)
    else:
        closing.close(session, token, Outcome.RETURNED, settings)


def free(session: Session, name: str) -> int:
    """Its rounds are free for another node; how many. None while any of its callbacks is not closed."""
    if cut(session, name):
        return 0
    lives = select(Round.id).where(_lives(name)).order_by(Round.id).with_for_update()
    return homes.free_rounds(session, list(session.scalars(lives)))
