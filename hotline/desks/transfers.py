"""Transfers: a conversation continues at another desk, with or without a consultation before.

Consulting: the other desk's phone joins the conversation like a supervisor's. If this desk has put the
citizen on hold, the citizen hears music; otherwise all three talk. Only a desk that could get a citizen now
takes one over. Such a desk has asked for the next citizen or takes live calls. A desk without a round
qualifies unless it has refused live calls. Other desks' phones may carry talk that is not for a citizen.

Giving: the callback becomes the other desk's, held until the dialer has moved the citizen into that room. The
citizen hears music meanwhile, pays nothing, and repeats nothing: the notes go along. The other desk gives the
outcome. Until it has the citizen, the giving desk can take them back.
"""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, Hearing, Round, User, make_literal
from db.states import CallbackState
from hotline import audit
from hotline.callbacks import assignment, conversations, direct_routing, notes, third_party
from hotline.desks import supervising
from hotline.errors import Refused
from hotline.rounds import phases, round_permissions
from settings import Settings

_SPEAKS = or_(
    Callback.state == CallbackState.TALKING,
    and_(Callback.state == CallbackState.HELD, Callback.on_hold_at.is_not(None)),
)
_ON_THE_WAY = and_(Callback.state == CallbackState.HELD, Callback.on_hold_at.is_(None))


class Taker(NamedTuple):
    """Desk that can take over a conversation, and its person. `here`: it is in the conversation already."""

    desk: Desk
    person: User
    here: bool


def list_takers(session: Session, callback: Callback) -> list[Taker]:
    """Return the desks that can take over this conversation now, by number."""
    round_ = phases.get(session, callback.round_id)
    here = and_(Desk.hears_callback_id == callback.id, Desk.hears_how == make_literal(Hearing.CONSULT))
    rows = session.execute(
        select(Desk, User, here.label("here"))
        .join(User, User.desk_id == Desk.id)
        .where(
            Desk.id != callback.desk_id,
            Desk.phone_connected,
            or_(~assignment.where_takes_nobody(), here),
            ~assignment.where_busy(),
            User.disabled_at.is_(None),
        )
        .order_by(Desk.id)
    )
    return [
        Taker(desk, person, bool(is_here))
        for desk, person, is_here in rows
        if round_permissions.may_serve(session, person, round_)
        and (is_here or _wants(session, desk, person, round_))
    ]


def _wants(session: Session, desk: Desk, person: User, round_: Round) -> bool:
    """Return whether the desk would get a citizen of this round now."""
    if desk.round_id is None:
        return person.role in round_permissions.SERVE_ANY and desk.takes_live is not False
    asks = desk.next_asked_at is not None or direct_routing.takes_live_calls(session, desk)
    return desk.round_id == round_.id and asks and round_.paused_at is None


def consult(
    session: Session,
    callback: Callback,
    desk_id: int,
    note: str,
    settings: Settings,
    *,
    by: User,
    waits: bool = False,
) -> None:
    """Let the other desk's phone join this conversation, and show it the notes; repeats change nothing.

    `waits`: put the citizen on hold. Raises Refused("wrong-state" | "desk-unavailable" | "guest-there").
    """
    taker = _held_taker(session, callback, desk_id)
    notes.write(session, callback, note, by=by)
    if taker.here:
        return
    if third_party.find_present(session, callback.id) or any(
        each.here for each in list_takers(session, callback)
    ):
        raise Refused("guest-there", "a third person, or another desk, is in this conversation already")
    if waits:
        conversations.hold(session, callback, settings)
    other = taker.desk
    other.hears_desk_id, other.hears_callback_id = callback.desk_id, callback.id
    other.hears_how, other.next_asked_at = Hearing.CONSULT, None
    session.flush()  # lock order: rows before the log
    audit.record(session, by.username, "desk-consulted", f"callback {callback.id}", f"desk {desk_id}")
    events.append_desk(session, desk_id, "hears")
    events.append_desk(session, callback.desk_id or 0, "is-heard")


def find_consultation(session: Session, desk: Desk) -> Callback | None:
    """Return the other desk's conversation that this desk's phone was asked to join."""
    if desk.hears_how != Hearing.CONSULT:
        return None
    return session.get(Callback, desk.hears_callback_id)


def give(
    session: Session, callback: Callback, desk_id: int, note: str, settings: Settings, *, by: User
) -> Callback:
    """Give the conversation to the other desk, with this note.

    Raises Refused("wrong-state" | "desk-unavailable" | "guest-there").
    """
    taker, before = _held_taker(session, callback, desk_id), callback.desk_id
    if third_party.find_present(session, callback.id):
        raise Refused("guest-there", "a third person is being called, or there, already")
    notes.write(session, callback, note, by=by)
    _goes_to(session, callback, taker.desk, taker.person, settings, given_by=before)
    what, way = f"callback {callback.id}", f"desk {before}, desk {desk_id}"
    audit.record(session, by.username, "conversation-given", what, way)
    events.append_callback(session, callback)
    events.append_desk(session, before or 0, "gave")
    events.append_desk(session, desk_id, "given")
    return callback


def find_given_away(session: Session, desk_id: int) -> Callback | None:
    """Return the callback that this desk gave away and that its new desk does not have, or has lost."""
    return session.scalar(select(Callback).where(Callback.given_by_desk_id == desk_id, _ON_THE_WAY).limit(1))


def take_back(session: Session, callback: Callback, settings: Settings, *, by: User) -> Callback:
    """Take back a citizen whom the other desk does not have; repeats change nothing.

    Raises Refused("wrong-state" | "desk-unavailable").
    """
    mine, other = by.desk_id, callback.desk_id
    _hold_desks(session, callback, mine)
    if callback.desk_id == mine:
        return callback
    if callback.given_by_desk_id != mine or callback.desk_id != other:
        raise Refused("wrong-state", "the conversation is not on the way from this desk")
    desk = session.get_one(Desk, mine)
    _goes_to(session, callback, desk, by, settings, _ON_THE_WAY, given_by=None)
    what, way = f"callback {callback.id}", f"desk {other}, desk {desk.id}"
    audit.record(session, by.username, "conversation-taken-back", what, way)
    events.append_callback(session, callback)
    events.append_desk(session, other or 0, "gave")
    events.append_desk(session, desk.id, "given")
    return callback


def _goes_to(
    session: Session,
    callback: Callback,
    desk: Desk,
    person: User,
    settings: Settings,
    *which: ColumnElement[bool],
    given_by: int | None,
) -> None:
    """Assign the callback to this desk, for the dialer to move the citizen. The desks' rows are locked."""
    at = now(session)
    try:
        with session.begin_nested():
            moved = session.scalar(
                update(Callback)
                .where(Callback.id == callback.id, *(which or (_SPEAKS,)), Callback.hangup_asked_at.is_(None))
                .values(
                    state=CallbackState.HELD,
                    desk_id=desk.id,
                    user_id=person.id,
                    given_by_desk_id=given_by,
                    held_at=func.coalesce(Callback.held_at, at),
                    held_until=at + timedelta(seconds=settings.hold_seconds),
                    on_hold_at=None,
                    finishing_at=None,  # it was about the other desk's conversation
                )
                .returning(Callback.id)
                .execution_options(synchronize_session=False)
            )
    except IntegrityError:  # the desk has just got a citizen
        raise Refused("desk-unavailable", f"desk {desk.id} has a citizen of its own") from None
    if moved is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    desk.next_asked_at = desk.hears_desk_id = desk.hears_callback_id = desk.hears_how = None
    session.flush()
    session.refresh(callback)


def is_arriving(session: Session, callback: Callback) -> bool:
    """Return whether the citizen is on the way into the desk's room, and its phone is there.

    A citizen whose time of holding is over is not.
    """
    if callback.state is not CallbackState.HELD or callback.on_hold_at:
        return False
    desk = session.get(Desk, callback.desk_id)
    waits = callback.held_until is not None and callback.held_until > now(session)
    return desk is not None and desk.phone_connected and waits


def leave(session: Session, desk: Desk, *, who: str) -> None:
    """Let the desk's phone leave another desk's conversation; without one nothing happens."""
    session.refresh(desk, with_for_update=True)
    supervising.stop_by(session, desk, who=who)


def _held_taker(session: Session, callback: Callback, desk_id: int) -> Taker:
    """Return the desk that takes over; both desks' rows are locked, and then the callback's."""
    before = callback.desk_id
    _hold_desks(session, callback, desk_id)
    on_hold = callback.state is CallbackState.HELD and callback.on_hold_at is not None
    speaks = callback.state is CallbackState.TALKING or on_hold
    if not speaks or callback.hangup_asked_at or callback.desk_id != before:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    for taker in list_takers(session, callback):
        if taker.desk.id == desk_id:
            return taker
    raise Refused("desk-unavailable", f"desk {desk_id} cannot take this conversation now")


def _hold_desks(session: Session, callback: Callback, other: int | None) -> None:
    """Lock the rows of the callback's desk and of the other desk, and then the callback's."""
    wanted = select(Desk).where(Desk.id.in_([callback.desk_id, other])).order_by(Desk.id)
    held = wanted.with_for_update(of=Desk, key_share=True).execution_options(populate_existing=True)
    session.scalars(held).all()
    session.refresh(callback, with_for_update={"key_share": True})
