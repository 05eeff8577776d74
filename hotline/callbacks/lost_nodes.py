"""Recovery from a lost node: its callbacks are closed at no cost to citizens, and its rounds become free.

Each step is a repeatable transaction, which another dialer may continue. The rounds become free last, so that
cut callers are back in the line before anybody else is called.

A node that only lost the database keeps its conversations (dialer.lease). Such a conversation is closed when
its desk's phone appears on another node. Otherwise the conversation is closed with a time before which nobody
calls the citizen.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from db import events
from db.engine import now
from db.models import Callback, CallerNow, Desk, Node, PlacedCall, Round
from db.states import IN_TALK, CallbackState, Outcome
from hotline.call_deadlines import CONVERSATIONS_S
from hotline.callbacks import closing, conversations, placing, transitions, waiting_callers
from hotline.nodes import leases, round_affinity
from hotline.outbound import queue
from hotline.trunk import call_caps, circuit_breaker
from settings import Settings

_LASTS = timedelta(seconds=CONVERSATIONS_S)
"""Upper bound of a conversation's remaining time once its node is found dead."""


def list_dead(session: Session) -> Sequence[str]:
    """Return the dead nodes with work left."""
    dead = [node.name for node in leases.list_dead(session)]
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


def declare_dead(session: Session, name: str, by: str) -> int | None:
    """Declare the node dead: its desks lose their phones, and its callers count as hung up.

    Calls other than callbacks pass to the node `by`, which ends them. Return the epoch for the following
    steps (leases.check_lost); None if the node is not dead yet.
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
    queue.retry_cut(session, select(PlacedCall.token).where(PlacedCall.node == name))
    # Callbacks excepted. The reconciler of `by` finds no channel of these calls and ends them; also a call
    # that only this table shows as open, because the node died between two writes.
    session.execute(
        update(PlacedCall)
        .where(PlacedCall.node == name, PlacedCall.token.not_in(their_own))
        .values(node=by)
        .execution_options(synchronize_session=False)
    )
    waiting_callers.leave_node(session, name)
    for desk_id in sorted(desks):
        events.append_desk(session, desk_id, "disconnected")
    return epoch


def list_cut(session: Session, name: str, ended: Collection[str] | None = None) -> Sequence[str]:
    """Return the tokens of the callbacks whose channels were on the node.

    With `ended`, no conversation is returned whose token is not in it: a citizen or a desk ended that one.
    """
    there = select(Callback.token).where(Callback.node == name, Callback.ended_at.is_(None))
    if ended is not None:
        there = there.where(or_(Callback.state.not_in(IN_TALK), Callback.token.in_(ended)))
    return session.scalars(there.order_by(Callback.id)).all()


_MAY_TALK = or_(
    Callback.state.in_(IN_TALK), and_(Callback.state == CallbackState.WAITING, Callback.desk_id.is_not(None))
)
"""Condition that a callback may be in conversation.

A citizen who waits for one desk may have entered its room while the database was out of reach.
"""


def list_in_conversation(session: Session, name: str) -> Sequence[str]:
    """Return the tokens of the callbacks that talked with a desk on the node and may go on."""
    there = Callback.node == name, Callback.ended_at.is_(None), _MAY_TALK
    return session.scalars(select(Callback.token).where(*there)).all()


class DeskOfCitizen(NamedTuple):
    """Callback and the location of its desk's phone."""

    token: str
    phone: str | None
    """Sign-in or SIP key by which the phone entered its room; None for a telephone that the dialer called."""
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
    """Close a callback of the lost node as never called, or due at once after talk with a desk.

    A conversation that the desk had ended is closed as over. `may_go_on`: the conversation may still go on;
    then the citizen is due when its node must have ended it.
    """
    callback = transitions.find_by_token(session, token)
    if callback is None:
        return
    session.refresh(callback, with_for_update={"key_share": True})
    call_caps.record_end(session, token)
    circuit_breaker.record_end(session, token)
    at = now(session)
    if callback.state is CallbackState.PARTING:
        conversations.record_line_end(session, callback, settings, hung_up=True)
    elif callback.state in IN_TALK or may_go_on:
        cut_at = callback.held_until or at  # marks a cut by our own side
        due = at + _LASTS if may_go_on else at
        transitions.move_unheard(session, token, CallbackState.ENDED, ended_at=at, held_until=cut_at)
        closing.close(session, token, Outcome.CALL_AGAIN, settings, again_at=due)
    elif callback.state in (CallbackState.ENDED, CallbackState.CLOSED):
        placing.record_channel_end(session, callback)
    else:
        closing.close(session, token, Outcome.RETURNED, settings)


def free_rounds(session: Session, name: str) -> int:
    """Free the node's rounds for other nodes, unless a callback of the node is open. Return how many."""
    if list_cut(session, name):
        return 0
    lives = select(Round.id).where(_lives(name)).order_by(Round.id).with_for_update()
    return round_affinity.clear_homes(session, list(session.scalars(lives)))
